import { describe, expect, it } from 'vitest';
import { parseFlags } from './flags.ts';

describe('the command line', () => {
  it('has a default for all but what must be said', () => {
    expect(parseFlags([])).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      logLevel: 'info',
      kubeconfig: undefined,
      databaseUrlFile: undefined,
      namespace: undefined,
    });
  });

  it.each([
    [['--port', 'http'], '--port: found http, expected a port'],
    [['--port', '65536'], '--port: found 65536'],
    [['--prot', '1'], "Unknown option '--prot'"],
    [['--context', 'prod'], '--context: expected --kubeconfig FILE beside it'],
    [['--log-level', 'loud'], '--log-level: found loud, expected one of fatal'],
    [['--namespace', 'Team_A'], '--namespace: found Team_A, expected the name of a namespace'],
    [['--ui-dir='], '--ui-dir: found nothing, expected a value'],
    [['serve'], "Unexpected argument 'serve'"],
  ])('%j: %s', (args, message) => {
    expect(() => parseFlags(args)).toThrow(message);
  });
});
