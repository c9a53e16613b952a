/**
 * etcd, kube-apiserver and kube-controller-manager as programs on loopback, with certificates, tokens and kubeconfig in
 * one directory. Describes them and says when each is ready; who starts them again is the supervisor's business.
 */
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { writeAtomically } from '../process/atomic-file.ts';
import { describeExit, launch, type Program, type Running } from '../process/child.ts';
import { Fault } from '../process/fault.ts';
import { until } from '../process/until.ts';
import { tokensFile, type User } from './users.ts';

export interface ControlPlaneOptions {
  /** Directory of the binaries. */
  assets: string;
  /** Where etcd's data, certificates and tokens live; made when missing, mode 0700. */
  directory: string;
  logs: string;
  ports: { apiserver: number; etcd: number; etcdPeer: number };
  /** False only where losing the last writes in a power cut harms nobody. */
  fsync: boolean;
  users: User[];
}

export interface ControlPlane {
  readonly server: string;
  readonly etcdUrl: string;
  /** Where etcd keeps its data; a copy of it, made while etcd is stopped, is a snapshot. */
  readonly etcdDirectory: string;
  readonly kubeconfig: string;
  /** In the order in which they are to be started. */
  startEtcd(): Promise<Running>;
  startApiserver(): Promise<Running>;
  startControllerManager(): Promise<Running>;
}

const READY_MS = 60_000;
/** The API server signs its own certificate for a year; one that has less than this left is made anew. */
const CERTIFICATE_MARGIN_MS = 30 * 24 * 3_600_000;

const CONTROLLERS = [
  'namespace-controller',
  'garbage-collector-controller',
  'serviceaccount-controller',
  'clusterrole-aggregation-controller',
  'resourcequota-controller',
];

export function createControlPlane(o: ControlPlaneOptions): ControlPlane {
  const at = (name: string) => join(o.directory, name);
  mkdirSync(o.directory, { recursive: true, mode: 0o700 });
  const server = `https://127.0.0.1:${o.ports.apiserver}`;
  const etcdUrl = `http://127.0.0.1:${o.ports.etcd}`;
  const peerUrl = `http://127.0.0.1:${o.ports.etcdPeer}`;
  const kubeconfig = at('kubeconfig');
  const certificates = at('certificates');
  const serverCertificate = join(certificates, 'apiserver.crt');
  keepSigningKey(at('service-account.key'));
  dropOldCertificate(serverCertificate, certificates);
  writeFileSync(at('tokens.csv'), tokensFile(o.users), { mode: 0o600 });

  const program = (name: string, binary: string, args: string[]): Program => ({
    name,
    command: join(o.assets, binary),
    args,
    cwd: o.directory,
    logPath: join(o.logs, `${name}.log`),
  });

  return {
    server,
    etcdUrl,
    etcdDirectory: at('etcd'),
    kubeconfig,
    async startEtcd() {
      const etcd = await launch(
        program('etcd', 'etcd', [
          `--data-dir=${at('etcd')}`,
          `--listen-client-urls=${etcdUrl}`,
          `--advertise-client-urls=${etcdUrl}`,
          `--listen-peer-urls=${peerUrl}`,
          `--initial-advertise-peer-urls=${peerUrl}`,
          `--initial-cluster=default=${peerUrl}`,
          ...(o.fsync ? [] : ['--unsafe-no-fsync']),
        ]),
      );
      await readiness(etcd, async () => (await fetch(`${etcdUrl}/health`, { signal: AbortSignal.timeout(2_000) })).ok);
      return etcd;
    },
    async startApiserver() {
      const apiserver = await launch(
        program('apiserver', 'kube-apiserver', [
          `--etcd-servers=${etcdUrl}`,
          '--bind-address=127.0.0.1',
          // Nothing here needs the machine's address, and a machine without a network has none.
          '--advertise-address=127.0.0.1',
          `--secure-port=${o.ports.apiserver}`,
          `--cert-dir=${certificates}`,
          `--service-account-key-file=${at('service-account.key')}`,
          `--service-account-signing-key-file=${at('service-account.key')}`,
          '--service-account-issuer=https://kubernetes.default.svc',
          '--authorization-mode=RBAC',
          '--service-cluster-ip-range=10.0.0.0/24',
          '--endpoint-reconciler-type=none',
          '--allow-privileged=false',
          '--profiling=false',
          `--token-auth-file=${at('tokens.csv')}`,
        ]),
      );
      const admin = o.users[0];
      if (!admin) throw new Fault('the control plane needs at least one user, the first being its administrator');
      await readiness(apiserver, async () => {
        if (!existsSync(serverCertificate)) return false;
        const { status, body } = await readyz(o.ports.apiserver, readFileSync(serverCertificate, 'utf8'), admin.token);
        if (status !== 200) throw new Fault(`/readyz answers ${status}: ${notReady(body)}`);
        return true;
      });
      writeAtomically(kubeconfig, kubeconfigFor(server, readFileSync(serverCertificate), o.users));
      return apiserver;
    },
    async startControllerManager() {
      return launch(
        program('controllerManager', 'kube-controller-manager', [
          `--kubeconfig=${kubeconfig}`,
          `--service-account-private-key-file=${at('service-account.key')}`,
          '--use-service-account-credentials=false',
          `--controllers=${CONTROLLERS.join(',')}`,
          '--leader-elect=false',
          '--secure-port=0',
          // A quota that is older than the kinds it counts is not looked at again for five minutes otherwise, and refuses all until then.
          '--resource-quota-sync-period=15s',
        ]),
      );
    },
  };
}

/** Waits until `isReady`; a part that ends before says so with its own last words. */
export async function readiness(part: Running, isReady: () => Promise<boolean>, deadlineMs = READY_MS): Promise<void> {
  const gone = new AbortController();
  void part.exited.then((exit) =>
    gone.abort(
      new Fault(
        `${part.name} ${describeExit(exit)} before it was ready; its last lines:\n${part.log.tail(15).join('\n')}`,
      ),
    ),
  );
  try {
    await until(`${part.name} to be ready (log: ${part.log.path})`, deadlineMs, isReady, {
      everyMs: 40,
      signal: gone.signal,
    });
  } catch (error) {
    await part.kill();
    throw error;
  }
}

/** The checks that failed, of an answer of /readyz; its first words where it names none. */
function notReady(body: string): string {
  const failed = body.split('\n').filter((line) => line.startsWith('[-]'));
  return failed.length === 0 ? body.slice(0, 200) : failed.join(', ');
}

function readyz(port: number, ca: string, token: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    request(
      {
        host: '127.0.0.1',
        port,
        path: '/readyz',
        ca,
        headers: { authorization: `Bearer ${token}` },
        timeout: 2_000,
        agent: false,
      },
      (response) => {
        let body = '';
        response
          .setEncoding('utf8')
          .on('data', (part: string) => {
            body += part;
          })
          .on('end', () => resolve({ status: response.statusCode ?? 0, body }))
          .on('error', reject);
      },
    )
      .on('error', reject)
      .on('timeout', function (this: import('node:http').ClientRequest) {
        this.destroy(new Error('no answer in 2 s'));
      })
      .end();
  });
}

function keepSigningKey(path: string): void {
  if (existsSync(path)) return;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeAtomically(path, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
}

function dropOldCertificate(path: string, directory: string): void {
  if (!existsSync(path)) return;
  const left = Date.parse(new X509Certificate(readFileSync(path)).validTo) - Date.now();
  if (!(left > CERTIFICATE_MARGIN_MS)) rmSync(directory, { recursive: true, force: true });
}

/** One cluster, and one context for each user, named after it; the first user's is the current one. */
export function kubeconfigFor(server: string, ca: Buffer, users: User[]): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'funnelai', cluster: { server, 'certificate-authority-data': ca.toString('base64') } }],
    users: users.map(({ context, token }) => ({ name: context, user: { token } })),
    contexts: users.map(({ context }) => ({ name: context, context: { cluster: 'funnelai', user: context } })),
    'current-context': users[0]?.context,
  });
}
