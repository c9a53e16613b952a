/** A process that sends watch events of 2 KB as fast as the reader takes them: what is measured is the reader. Prints its port. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const [count = '0'] = process.argv.slice(2);
const EVENTS = Number(count);
const KEYS = 5_000;
const PADDING = 'x'.repeat(1_650);

const event = (i: number) =>
  `${JSON.stringify({
    type: i < KEYS ? 'ADDED' : 'MODIFIED',
    object: {
      apiVersion: 'funnelai.dev/v1alpha1',
      kind: 'Alert',
      metadata: {
        name: `alert-${i % KEYS}`,
        namespace: 'bench',
        uid: `uid-${i % KEYS}`,
        resourceVersion: String(100 + i),
        managedFields: [{ manager: 'bench', operation: 'Update', time: '2026-01-01T00:00:00Z' }],
      },
      spec: { sourceRef: { name: 'bench' }, state: 'Firing', title: 'an alert', summary: PADDING },
    },
  })}\n`;

const server = createServer((request, response) => {
  const { searchParams } = new URL(request.url ?? '/', 'http://source');
  if (searchParams.has('sendInitialEvents')) return response.writeHead(422).end('{}');
  if (!searchParams.has('watch'))
    return response.end(JSON.stringify({ metadata: { resourceVersion: '99' }, items: [] }));
  let i = 0;
  const pour = () => {
    while (i < EVENTS) if (!response.write(event(i++))) return;
  };
  response.on('drain', pour);
  pour();
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
