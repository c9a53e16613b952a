/** Answers in our own words where Node refuses by itself, before there is a request: what does not parse, tunnels, odd expectations. */
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { HttpProblem } from './problems.ts';

/** Returns the problem that an error of Node's parser or of its timeouts stands for. */
export function problemOfParser(code: string | undefined): HttpProblem {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new HttpProblem('TooLarge', 'The headers of the request are larger than is accepted.', { status: 431 });
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW')
    return new HttpProblem('TooLarge', 'The chunk extensions of the body are larger than is accepted.');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new HttpProblem('Invalid', 'The request took too long to arrive.', { status: 408 });
  return new HttpProblem('Invalid', `The request is not valid HTTP${code === undefined ? '' : ` (${code})`}.`);
}

/** Returns fastify's `clientErrorHandler`. An answer that has begun is never mixed with another: then the connection is cut. */
export function createClientErrorHandler(): {
  handler: (error: NodeJS.ErrnoException, socket: Duplex) => void;
  /** To be told of every request: its answer may have begun when the next bytes do not parse. */
  began: (request: IncomingMessage, response: ServerResponse) => void;
} {
  const last = new WeakMap<Duplex, ServerResponse>();
  return {
    began: (request, response) => last.set(request.socket, response),
    handler(error, socket) {
      if (error.code === 'ECONNRESET' || socket.destroyed) return;
      const response = last.get(socket);
      const isAnswering = response?.headersSent === true && !response.writableFinished;
      if (socket.writable && !isAnswering) socket.write(rawAnswer(problemOfParser(error.code)));
      socket.destroy(error);
    },
  };
}

/** Refuses CONNECT and unknown `Expect` headers; without listeners Node closes the one and answers the other with nothing. */
export function refuseTunnels(server: Server): void {
  server.on('connect', (_request, socket) => {
    const message = 'CONNECT is not for this server: it is no proxy.';
    socket.on('error', () => {}).end(rawAnswer(new HttpProblem('MethodNotAllowed', message)));
  });
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const message = 'expect: found something else, expected 100-continue or none.';
    const { status, headers, body } = wholeAnswer(new HttpProblem('Invalid', message, { status: 417 }));
    response.writeHead(status, headers).end(body);
  });
}

/** After it the connection is closed: what else the client sent may be the rest of what was refused. */
function wholeAnswer(problem: HttpProblem): { status: number; headers: Record<string, string>; body: string } {
  const id = randomUUID();
  const body = JSON.stringify(problem.toBody(id));
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    'x-request-id': id,
    'x-content-type-options': 'nosniff',
    connection: 'close',
  };
  return { status: problem.status, headers, body };
}

function rawAnswer(problem: HttpProblem): string {
  const { status, headers, body } = wholeAnswer(problem);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`;
}
