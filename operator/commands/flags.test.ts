import { describe, expect, it } from 'vitest';
import { UsageError } from '../flags.ts';
import { isCommand, parseCommand } from './flags.ts';

describe('the command line of a command', () => {
  it('knows leave and restore, and takes nothing else for a command', () => {
    expect(['leave', 'restore', 'go', undefined, '--help'].map(isCommand)).toEqual([true, true, false, false, false]);
  });

  it('reads what leave is told', () => {
    const args = '--kubeconfig /k --context c --database-url-file /d --lease-namespace n --wait 5m --waive'.split(' ');
    expect(parseCommand('leave', args)).toEqual({
      command: 'leave',
      kubeconfig: '/k',
      context: 'c',
      databaseUrlFile: '/d',
      leaseNamespace: 'n',
      waitMs: 300_000,
      waive: true,
      help: false,
    });
  });

  it('leaves one namespace where an operator works in that alone: its Lease is there', () => {
    const one = ['--waive', '--namespace', 'team-a'];
    expect(parseCommand('leave', one)).toMatchObject({ namespace: 'team-a', leaseNamespace: 'team-a' });
    const elsewhere = parseCommand('leave', [...one, '--lease-namespace', 'ops']);
    expect(elsewhere).toMatchObject({ namespace: 'team-a', leaseNamespace: 'ops' });
  });

  it('gives history up only where that is said', () => {
    expect(() => parseCommand('leave', [])).toThrow(/--database-url-file or --waive/);
    expect(parseCommand('leave', ['--waive'])).toMatchObject({ waive: true, waitMs: 60_000 });
    expect(parseCommand('leave', ['--help'])).toMatchObject({ help: true });
  });

  it.each([
    ['leave', ['--waive', '--wait', 'long'], /--wait: expected a time.*found "long"/],
    ['leave', ['--waive', '--dry-run'], /--dry-run/],
    ['leave', ['--waive', '--namespace', 'Team A'], /--namespace: expected the name of a namespace.*found "Team A"/],
    ['leave', ['--waive', '--context', 'c'], /--kubeconfig/],
    ['restore', [], /--database-url-file: expected the file/],
    ['restore', ['--database-url-file', '/d', '--waive'], /--waive/],
  ] as const)('%s refuses %j and says why', (command, args, message) => {
    expect(() => parseCommand(command, [...args])).toThrow(UsageError);
    expect(() => parseCommand(command, [...args])).toThrow(message);
  });
});
