import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { grantFor } from './grant.ts';

describe('the command that grants a missing right', () => {
  it('binds the least role that has it, where it is missing', () => {
    expect(grantFor('ana', { verb: 'list', resource: 'alerts', namespace: 'pay' })).toBe(
      'kubectl create rolebinding funnelai-viewer-ana --clusterrole=funnelai-viewer --user=ana --namespace=pay',
    );
    expect(grantFor('ana', { verb: 'patch', resource: 'incidents' })).toBe(
      'kubectl create clusterrolebinding funnelai-responder-ana --clusterrole=funnelai-responder --user=ana',
    );
    expect(grantFor('ana', { verb: 'create', resource: 'correlationrules', namespace: 'pay' })).toContain(
      '--clusterrole=funnelai-admin',
    );
  });

  it('names a service account as one', () => {
    expect(grantFor('system:serviceaccount:ci:bot', { verb: 'get', resource: 'alerts', namespace: 'pay' })).toContain(
      '--serviceaccount=ci:bot',
    );
  });

  it('is one word to a shell, whatever an identity provider calls people', () => {
    const user = `o'neil "$(touch x)" <a@b>; rm`;
    const command = grantFor(user, { verb: 'get', resource: 'alerts', namespace: 'pay' }).replace(
      /^kubectl/,
      `printf '%s\\n'`,
    );
    expect(execFileSync('sh', ['-c', command], { encoding: 'utf8' })).toContain(`--user=${user}\n`);
  });
});
