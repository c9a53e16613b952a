/**
 * Takes prebuilt control-plane binaries from a URL that a person named: one .tar.gz, or a directory of the four files.
 * Nothing is installed that SHA256SUMS beside it does not vouch for.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, createReadStream, createWriteStream, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { Fault, messageOf } from '../process/fault.ts';
import { patiently, type Say } from '../process/say.ts';
import { installOnce } from './install.ts';
import { BINARIES, missingIn } from './needs.js';

const run = promisify(execFile);
const FILE_LIMIT_BYTES = 1_500_000_000;
const SUMS_LIMIT_BYTES = 1_000_000;
const TIMEOUT_MS = 30 * 60_000;

async function open(url: URL): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : messageOf(error);
    throw new Fault(`--assets-url: ${url} cannot be reached: ${cause}`);
  }
  if (!response.ok) throw new Fault(`--assets-url: ${url} answered ${response.status}; expected 200`);
  return response;
}

async function save(url: URL, path: string, expected: string): Promise<void> {
  const response = await open(url);
  if (!response.body) throw new Fault(`--assets-url: ${url} answered with an empty body`);
  const hash = createHash('sha256');
  let size = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      hash.update(chunk);
      done(
        size > FILE_LIMIT_BYTES ? new Fault(`--assets-url: ${url} is larger than ${FILE_LIMIT_BYTES} bytes`) : null,
        chunk,
      );
    },
  });
  await pipeline(
    Readable.fromWeb(response.body as import('node:stream/web').ReadableStream),
    meter,
    createWriteStream(path),
  );
  const found = hash.digest('hex');
  if (found !== expected) {
    throw new Fault(
      `--assets-url: ${url} does not match SHA256SUMS (expected ${expected}, found ${found}): nothing was installed`,
    );
  }
}

/** SHA256SUMS as sha256sum writes it: name → hex digest. */
export function parseSums(text: string): Map<string, string> {
  const sums = new Map<string, string>();
  for (const line of text.split('\n')) {
    const found = /^([0-9a-f]{64}) [ *](?:\.\/)?(.+)$/i.exec(line.trim());
    if (found?.[1] && found[2]) sums.set(found[2], found[1].toLowerCase());
  }
  return sums;
}

function sumOf(sums: Map<string, string>, file: string, at: URL): string {
  const sum = sums.get(file);
  if (!sum)
    throw new Fault(
      `--assets-url: ${at} names no checksum of ${file}: add it (sha256sum ${file} >> SHA256SUMS); nothing was installed`,
    );
  return sum;
}

export async function download({ url: named, into, say }: { url: string; into: string; say: Say }): Promise<void> {
  let url: URL;
  try {
    url = new URL(named);
  } catch {
    throw new Fault(`--assets-url: "${named}" is no URL; expected https://…/name.tar.gz or https://…/directory/`);
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new Fault(`--assets-url: "${named}" starts with ${url.protocol}; expected http: or https:`);
  }
  const archive = /\.(tar\.gz|tgz)$/.test(url.pathname);
  const base = archive ? url : new URL(url.pathname.endsWith('/') ? url : `${url.origin}${url.pathname}/${url.search}`);
  const sumsUrl = new URL('SHA256SUMS', base);
  const sumsText = await (await open(sumsUrl)).text();
  if (sumsText.length > SUMS_LIMIT_BYTES) throw new Fault(`--assets-url: ${sumsUrl} is no list of checksums`);
  const sums = parseSums(sumsText);
  await installOnce(
    into,
    () => missingIn(into).length === 0,
    say,
    (draft) =>
      patiently(say, `downloading the control plane from ${url.host}`, 'named by --assets-url', async () => {
        if (archive) {
          const file = basename(url.pathname);
          const path = join(draft, file);
          await save(url, path, sumOf(sums, file, sumsUrl));
          await run('tar', ['-xzf', path, '-C', draft, '--no-same-owner']);
          rmSync(path);
          flatten(draft);
        } else {
          for (const name of BINARIES) await save(new URL(name, base), join(draft, name), sumOf(sums, name, sumsUrl));
        }
        for (const name of BINARIES) tryMakeExecutable(join(draft, name));
        const missing = missingIn(draft);
        if (missing.length > 0)
          throw new Fault(`--assets-url: ${url} lacks ${missing.join(', ')}: nothing was installed`);
      }),
  );
}

/** Archives often hold one folder (envtest: controller-tools/envtest/…): lifts the binaries to the top. */
function flatten(draft: string): void {
  for (const entry of readdirSync(draft, { recursive: true, withFileTypes: true })) {
    const wanted = BINARIES.find((name) => name === entry.name);
    if (entry.isFile() && wanted && entry.parentPath !== draft)
      renameSync(join(entry.parentPath, entry.name), join(draft, wanted));
  }
}

function tryMakeExecutable(path: string): void {
  try {
    chmodSync(path, 0o755);
  } catch {
    // Not there: the check after this names it.
  }
}

/** The digest of a file on disk, as SHA256SUMS writes it. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
