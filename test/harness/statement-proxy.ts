/**
 * A proxy in front of Postgres that reads what its clients ask for, so that a test can stop a client at one statement of one transaction:
 * before Postgres hears of it, or once Postgres has done it and before anybody knows. For faults of whole connections see tcp-proxy.ts.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Statement {
  text: string;
  /** What came before it in its transaction, the BEGIN included. */
  before: readonly string[];
}

export interface Stop {
  /** True once a statement has come to that point. Its connection passes nothing on any more, and stays open. */
  readonly isReached: boolean;
  /** What is held back before Postgres heard of it goes on its way after all, whether or not its client still lives. */
  release(): void;
  /** Later statements are let through. */
  clear(): void;
}

export interface StatementProxy {
  /** The target's URL with the proxy's address in it. */
  readonly url: string;
  /** Stops the first statement from now on for which `match` holds. */
  stopAt(match: (statement: Statement) => boolean, when: 'before' | 'after'): Stop;
  stop(): Promise<void>;
}

interface Rule {
  match(statement: Statement): boolean;
  when: 'before' | 'after';
  isArmed: boolean;
  isReached: boolean;
  release(): void;
}

/** What a client sends: a length, the length itself included, and before it a type, but in the first message. */
const LENGTH_BYTES = 4;
const SYNC = 'S';
/** The last message of every answer: ready for the next statement, whether or not within a transaction. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5]);

/** Listens on loopback at a free port, in front of the host and port of `target`, which speaks without TLS. */
export async function startStatementProxy(target: string): Promise<StatementProxy> {
  const to = new URL(target);
  const rules: Rule[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect({ port: Number(to.port), host: to.hostname, noDelay: true });
    near.setNoDelay(true);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    carry(near, far, rules);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    stopAt(match, when) {
      const rule: Rule = { match, when, isArmed: true, isReached: false, release: () => {} };
      rules.push(rule);
      return {
        get isReached() {
          return rule.isReached;
        },
        release: () => rule.release(),
        clear: () => {
          rule.isArmed = false;
        },
      };
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function carry(near: Socket, far: Socket, rules: Rule[]): void {
  let asked = Buffer.alloc(0);
  let isFirst = true;
  let transaction: string[] = [];
  /** `ending`: the statement is let through to its end, its answer is not. */
  let state: 'open' | 'ending' | 'dead' = 'open';
  let hit: Rule | undefined;

  near.on('data', (bytes: Buffer) => {
    asked = Buffer.concat([asked, bytes]);
    passAll();
  });
  const passAll = () => {
    while (state !== 'dead') {
      const message = next();
      if (message === undefined) return;
      pass(message);
    }
  };
  far.on('data', (bytes: Buffer) => {
    if (state === 'open') near.write(bytes);
    else if (hit?.when === 'after' && bytes.subarray(-READY.length - 1, -1).equals(READY)) hit.isReached = true;
  });

  function next(): Buffer | undefined {
    const start = isFirst ? 0 : 1;
    if (asked.length < start + LENGTH_BYTES) return undefined;
    const end = start + asked.readUInt32BE(start);
    if (asked.length < end) return undefined;
    const message = asked.subarray(0, end);
    asked = asked.subarray(end);
    return message;
  }

  function pass(message: Buffer): void {
    const type = isFirst ? '' : String.fromCharCode(message[0] ?? 0);
    isFirst = false;
    const text = textOf(type, message);
    if (text !== undefined && state === 'open') {
      if (/^\s*BEGIN/i.test(text)) transaction = [];
      const statement = { text, before: transaction };
      hit = rules.find(({ isArmed, match }) => isArmed && match(statement));
      transaction = [...transaction, text];
      if (hit) {
        hit.isArmed = false;
        state = 'ending';
      }
    }
    if (state === 'ending' && hit?.when === 'before') {
      hit.isReached = true;
      hit.release = () => {
        state = 'open';
        far.write(message);
        passAll();
      };
      state = 'dead';
      return;
    }
    far.write(message);
    if (state === 'ending' && (type === 'Q' || type === SYNC)) state = 'dead';
  }
}

/** The statement of a simple query or of one that is prepared; undefined in other messages. */
function textOf(type: string, message: Buffer): string | undefined {
  const body = message.subarray(1 + LENGTH_BYTES).toString('utf8');
  if (type === 'Q') return body.split('\0', 1)[0];
  return type === 'P' ? body.split('\0', 2)[1] : undefined;
}
