import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findAssets } from './assets.ts';
import { download } from './download.ts';
import { BINARIES, KUBERNETES_VERSION, missingIn } from './needs.js';

let directory: string;
let server: Server;
let url: string;
const files = new Map<string, Buffer>();

const sum = (content: Buffer) => createHash('sha256').update(content).digest('hex');
const aBinary = (name: string) => Buffer.from(`#!/bin/sh\necho "Kubernetes v${KUBERNETES_VERSION}" # ${name}\n`);

function serveDirectory(sums = true): void {
  for (const name of BINARIES) files.set(`/bin/${name}`, aBinary(name));
  if (sums)
    files.set('/bin/SHA256SUMS', Buffer.from(BINARIES.map((name) => `${sum(aBinary(name))}  ${name}\n`).join('')));
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'funnelai-assets-'));
  files.clear();
  server = createServer((request, response) => {
    const found = files.get(request.url ?? '');
    response.writeHead(found ? 200 : 404).end(found);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
});
afterEach(() => {
  server.close();
  rmSync(directory, { recursive: true, force: true });
});

const say = () => undefined;
const into = () => join(directory, 'cache');

describe('binaries from --assets-url', () => {
  it('come from a directory, checked and executable', async () => {
    serveDirectory();
    await download({ url: `${url}/bin`, into: into(), say });
    expect(missingIn(into())).toEqual([]);
    expect(readFileSync(join(into(), 'etcd'))).toEqual(aBinary('etcd'));
  });

  it('come from an archive with folders in it', async () => {
    const tree = join(directory, 'tree', 'envtest');
    mkdirSync(tree, { recursive: true });
    for (const name of BINARIES) writeFileSync(join(tree, name), aBinary(name), { mode: 0o755 });
    execFileSync('tar', ['-czf', join(directory, 'a.tar.gz'), '-C', join(directory, 'tree'), 'envtest']);
    const archive = readFileSync(join(directory, 'a.tar.gz'));
    files.set('/x/a.tar.gz', archive).set('/x/SHA256SUMS', Buffer.from(`${sum(archive)} *a.tar.gz\n`));
    await download({ url: `${url}/x/a.tar.gz`, into: into(), say });
    expect(missingIn(into())).toEqual([]);
  });

  it.each([
    ['without checksums', () => serveDirectory(false), /SHA256SUMS answered 404/],
    [
      'that differ from their checksum',
      () => {
        serveDirectory();
        files.set('/bin/kubectl', Buffer.from('something else'));
      },
      /kubectl does not match SHA256SUMS/,
    ],
    [
      'that the checksums do not name',
      () => {
        serveDirectory();
        files.set('/bin/SHA256SUMS', Buffer.from(''));
      },
      /names no checksum of etcd/,
    ],
  ])('%s are refused, and nothing is left', async (_, serve, message) => {
    serve();
    await expect(download({ url: `${url}/bin/`, into: into(), say })).rejects.toThrow(message);
    expect(existsSync(into())).toBe(false);
    expect(execFileSync('ls', ['-A', directory], { encoding: 'utf8' })).toBe('');
  });

  it.each([
    ['not a url', /is no URL/],
    ['file:///etc', /starts with file:/],
    ['http://127.0.0.1:1/x/', /cannot be reached/],
  ])('are refused from "%s"', async (bad, message) => {
    await expect(download({ url: bad, into: into(), say })).rejects.toThrow(message);
  });
});

describe('binaries that are here', () => {
  const put = (names: readonly string[], version = KUBERNETES_VERSION) => {
    for (const name of names)
      writeFileSync(join(directory, name), `#!/bin/sh\necho Kubernetes v${version}\n`, { mode: 0o755 });
  };

  it('are those of KUBEBUILDER_ASSETS when it is set, and the version is said', async () => {
    put(BINARIES);
    const said: string[] = [];
    expect(await findAssets({ say: (line) => said.push(line), environment: { KUBEBUILDER_ASSETS: directory } })).toBe(
      directory,
    );
    expect(said.join()).toContain(`Kubernetes ${KUBERNETES_VERSION} from KUBEBUILDER_ASSETS`);
  });

  it('are refused when some are missing or they are too old', async () => {
    put(BINARIES.filter((name) => name !== 'kube-controller-manager'));
    await expect(findAssets({ say, environment: { KUBEBUILDER_ASSETS: directory } })).rejects.toThrow(
      /lacks kube-controller-manager \(envtest archives/,
    );
    put(BINARIES, '1.31.0');
    await expect(findAssets({ say, environment: { KUBEBUILDER_ASSETS: directory } })).rejects.toThrow(
      /holds Kubernetes 1.31.0; expected 1.36 or newer/,
    );
  });

  it('are missed at once, with what to do, when there is no Go to build them', async () => {
    const environment = { XDG_CACHE_HOME: directory, PATH: directory };
    await expect(findAssets({ say, environment })).rejects.toThrow(
      /no "go" that runs is on the PATH[\s\S]*1\.26[\s\S]*--assets-url/,
    );
  });

  it('have the version that go.mod builds', () => {
    expect(readFileSync(new URL('./go.mod', import.meta.url), 'utf8')).toContain(
      `k8s.io/kubernetes v${KUBERNETES_VERSION} `,
    );
  });
});
