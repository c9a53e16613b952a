import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { confirm, lookUpContext, withoutSecret } from './named-cluster.ts';
import { shellWord, welcomeLines } from './welcome.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'funnelai-named-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const KUBECONFIG = `
apiVersion: v1
kind: Config
current-context: prod
clusters: [{name: c, cluster: {server: 'https://prod.example.com:6443'}}]
contexts: [{name: prod, context: {cluster: c, user: ana, namespace: payments}}, {name: broken, context: {cluster: gone}}]
`;

describe('a named context', () => {
  it('leads to a server and a namespace', () => {
    const file = join(directory, 'config');
    writeFileSync(file, KUBECONFIG);
    expect(lookUpContext(file, 'prod')).toEqual({
      server: 'https://prod.example.com:6443',
      namespace: 'payments',
      user: 'ana',
    });
    expect(() => lookUpContext(file, 'staging')).toThrow('has no such context; it has prod, broken');
    expect(() => lookUpContext(file, 'broken')).toThrow('names no server for its cluster "gone"');
    expect(() => lookUpContext(join(directory, 'none'), 'prod')).toThrow('there is no kubeconfig at');
  });

  it('is not entered when nobody is there to say yes', async () => {
    const said: string[] = [];
    const nobody = { isTTY: false } as NodeJS.ReadStream;
    await expect(confirm(['  server: x'], false, (line) => said.push(line), nobody)).rejects.toThrow('give --yes');
    expect(said).toEqual(['  server: x']);
    await confirm([], true, (line) => said.push(line), nobody);
  });
});

it('shows a database without its password', () => {
  expect(withoutSecret('postgres://ana:s3cret@db.example.com:5432/funnelai')).toBe(
    'funnelai on db.example.com:5432 as ana',
  );
});

describe('the lines to copy', () => {
  it('survive a shell whatever is in a path', () => {
    expect(shellWord('/a/b')).toBe('/a/b');
    expect(shellWord(`/it's here`)).toBe(`'/it'\\''s here'`);
    const [first] = welcomeLines({ kubeconfig: '/my clone/k', kubectl: 'kubectl', namespace: 'demo' });
    expect(first?.command).toBe(`export KUBECONFIG='/my clone/k'`);
  });

  it('move an incident only where the API server lets it go', () => {
    for (const [phase, to] of Object.entries({
      Detection: 'Response',
      Response: 'Mitigation',
      Resolution: 'Response',
      Closed: 'Response',
    })) {
      const lines = welcomeLines({
        kubeconfig: 'k',
        kubectl: 'kubectl',
        namespace: 'demo',
        incident: { name: 'i', phase },
      });
      expect(lines[2]?.command).toContain(`"phase":"${to}"`);
    }
  });
});
