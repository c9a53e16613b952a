/** What a data directory remembers between starts: the tokens of its users, made at random once and readable by their owner alone. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serviceAccount, type User } from '../controlplane/users.ts';
import { writeAtomically } from '../process/atomic-file.ts';

const NAMES = ['admin', 'ana', 'bo', 'operator', 'webhook', 'demo-source'] as const;
type Name = (typeof NAMES)[number];

/** The tokens by name; missing ones are made. */
export function keepTokens(directory: string): Record<Name, string> {
  const path = join(directory, 'tokens.json');
  const stored = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Partial<Record<Name, string>>) : {};
  const tokens = Object.fromEntries(NAMES.map((name) => [name, stored[name] ?? randomBytes(24).toString('base64url')]));
  writeAtomically(path, `${JSON.stringify(tokens)}\n`);
  return tokens as Record<Name, string>;
}

/** The static users of an embedded control plane; the first is its administrator, and who the sign-in link signs in. */
export function usersOf(tokens: Record<Name, string>): User[] {
  return [
    { context: 'admin', name: 'admin', groups: ['system:masters'], token: tokens.admin },
    // People of the demo: no service accounts, for an owner of an incident is a person.
    { context: 'ana', name: 'ana', groups: ['demo-responders'], token: tokens.ana },
    { context: 'bo', name: 'bo', groups: ['demo-responders'], token: tokens.bo },
    serviceAccount('operator', 'funnelai-operator', tokens.operator),
    serviceAccount('webhook', 'funnelai-webhook', tokens.webhook),
  ];
}
