import { describe, expect, it } from 'vitest';
import { parseFlags, UsageError } from './flags.ts';

describe('the command line', () => {
  it('stands on defaults where nothing is said', () => {
    expect(parseFlags([])).toEqual({
      leaseNamespace: 'funnel-system',
      retention: { alertMs: 86_400_000, incidentMs: 604_800_000 },
      logLevel: 'info',
      healthHost: '127.0.0.1',
      help: false,
    });
  });

  it('takes what the contract of the processes names', () => {
    const args =
      '--kubeconfig /k --context c --database-url-file /d --lease-namespace n --log-level debug --health-port 0 --alert-retention 90m --incident-retention 30d';
    expect(parseFlags(args.split(' '))).toEqual({
      kubeconfig: '/k',
      context: 'c',
      databaseUrlFile: '/d',
      leaseNamespace: 'n',
      retention: { alertMs: 5_400_000, incidentMs: 2_592_000_000 },
      logLevel: 'debug',
      healthHost: '127.0.0.1',
      healthPort: 0,
      help: false,
    });
  });

  it('keeps the Lease where it works, when that is one namespace and nothing else is said', () => {
    expect(parseFlags(['--namespace', 'team-a'])).toMatchObject({ namespace: 'team-a', leaseNamespace: 'team-a' });
    const both = parseFlags(['--namespace', 'team-a', '--lease-namespace', 'ops']);
    expect(both).toMatchObject({ namespace: 'team-a', leaseNamespace: 'ops' });
  });

  it.each([
    [['--namespace', 'Team A'], /--namespace: expected the name of a namespace.*found "Team A"/],
    [['--log-level', 'loud'], /--log-level: expected one of .*found "loud"/],
    [['--health-port', '70000'], /--health-port: expected a port/],
    [['--health-port', '12x'], /found "12x"/],
    [['--alert-retention', '0s'], /--alert-retention: expected a time from 1s to 3650d.*found "0s"/],
    [['--incident-retention', 'a week'], /--incident-retention: .*found "a week"/],
    [['--incident-retention', '3651d'], /found "3651d"/],
    [['--context', 'prod'], /--kubeconfig/],
    [['--database-url', 'postgres://x'], /--database-url/],
    [['--history-retention', '400'], /--history-retention: expected days or hours, as 400d.*found "400"/],
    [['--history-retention', '6d'], /at least 7d, as long as what has ended stays in the cluster; found "6d"/],
    [
      ['--history-retention', '20d', '--alert-retention', '30d'],
      /at least 30d, as long as what has ended stays in the cluster; found "20d"/,
    ],
    [['--history-retention', '3651d'], /at most 3650d.*found "3651d"/],
    [['stray'], /stray/],
  ])('refuses %j and says why', (args, message) => {
    expect(() => parseFlags(args)).toThrow(UsageError);
    expect(() => parseFlags(args)).toThrow(message);
  });
});
