/** A listener to the live stream, as a person. */
import type { IntakeSpare } from '@funnelai/domain/wire';
import { type Context, userOf } from '@funnelai/test/harness/users';

/** What a test looks into, of whatever kind. */
export interface HeardEvent {
  type: string;
  reason?: string;
  incidents?: { name: string; namespace: string; title: string }[];
  alerts?: { name: string; namespace: string }[];
  deleted?: { kind: string; name: string }[];
  spare?: IntakeSpare;
}

/** Opens a stream and gathers its events until it ends. */
export async function listen(url: string, who: Context, query: string) {
  const abort = new AbortController();
  const response = await fetch(`${url}/api/stream${query}`, {
    headers: { authorization: `Bearer ${userOf(who).token}` },
    signal: abort.signal,
  });
  const events: HeardEvent[] = [];
  let ended = false;
  void (async () => {
    let rest = '';
    try {
      for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        const blocks = (rest + part).split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) {
          const data = /^data: (.*)$/m.exec(block)?.[1];
          if (data !== undefined) events.push(JSON.parse(data));
        }
      }
    } catch {
      // Aborted by the test.
    }
    ended = true;
  })();
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    events,
    ended: () => ended,
    close: () => abort.abort(),
  };
}
