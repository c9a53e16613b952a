import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { flagsFromNpm, parseFlags } from './flags.ts';

describe('the flags of npm start', () => {
  it('default to an embedded cluster with a demo, and read no variable', () => {
    expect(parseFlags([])).toEqual({ empty: false, fresh: false, yes: false, port: 8484 });
  });

  it('take values after a space or an equals sign', () => {
    expect(parseFlags(['--port', '9000', '--empty'])).toMatchObject({ port: 9000, empty: true });
    expect(parseFlags(['--port=9000'])).toMatchObject({ port: 9000 });
  });

  it('look a context up in ~/.kube/config, or in the file named, relative to where the person is', () => {
    expect(parseFlags(['--context', 'prod'])).toMatchObject({
      cluster: { context: 'prod', kubeconfig: join(homedir(), '.kube', 'config') },
    });
    expect(parseFlags(['--context', 'prod', '--kubeconfig', 'k.yaml'], '/somewhere')).toMatchObject({
      cluster: { kubeconfig: '/somewhere/k.yaml' },
    });
  });

  it.each([
    [['--kubeconfig', 'f'], /--kubeconfig needs --context/],
    [['--context', 'prod', '--fresh'], /never wiped/],
    [['--prot', '1'], /no flag --prot; did you mean --port\?/],
    [['--port'], /--port needs a value/],
    [['--port', '--empty'], /--port needs a value/],
    [['--port', '0'], /from 1 to 65535, found "0"/],
    [['--port', '80x'], /found "80x"/],
    [['--port', '1', '--port', '2'], /given twice/],
    [['--empty=1'], /takes no value/],
    [['9000'], /npm swallow/],
    [['-e'], /two dashes/],
    [['--database-url', 'mysql://x'], /expected postgres:/],
    [['--namespace', 'A b'], /no name of a namespace/],
  ])('refuse %j', (args, message) => {
    expect(() => parseFlags(args)).toThrow(message);
  });
});

describe('flags that npm took for its own', () => {
  it('count when they touch nothing real', () => {
    expect(flagsFromNpm({ npm_lifecycle_event: 'start', npm_config_empty: 'true', npm_config_port: '9000' })).toEqual([
      '--empty',
      '--port',
      '9000',
    ]);
  });

  it('are refused when they name a cluster, and a yes among them is never one', () => {
    expect(() => flagsFromNpm({ npm_lifecycle_event: 'start', npm_config_context: 'prod' })).toThrow(
      'npm start -- --context prod',
    );
    expect(flagsFromNpm({ npm_lifecycle_event: 'start', npm_config_yes: 'true' })).toEqual([]);
  });

  it('mean nothing outside npm start', () => {
    expect(flagsFromNpm({ npm_config_empty: 'true' })).toEqual([]);
  });
});
