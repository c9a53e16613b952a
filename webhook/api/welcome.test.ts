import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@funnelai/kube/log';
import { expect, it } from 'vitest';
import { createWelcomeReader } from './welcome.ts';

it('shows the lines once they are written, and nothing before or when the file is broken', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'welcome-'));
  const path = join(folder, 'welcome.json');
  try {
    const read = createWelcomeReader(path, silentLog());
    expect(await read()).toBeUndefined();
    await writeFile(path, '{"lines":[]}');
    expect(await read()).toBeUndefined();
    const welcome = { lines: [{ label: 'Watch', command: 'kubectl get inc -w' }] };
    await writeFile(path, JSON.stringify(welcome));
    expect(await read()).toEqual(welcome);
    await writeFile(path, '{"lines":[7]}');
    expect(await read()).toBeUndefined();
  } finally {
    await rm(folder, { recursive: true });
  }
});
