/** The kubectl command that would grant a missing right. Pure; for people to read, judge and paste. */
import type { Verb } from '@funnelai/domain/wire';
import type { OurResource, Right } from './access.ts';

const READS: readonly Verb[] = ['get', 'list', 'watch'];
const NAME_CHARACTERS = 40;

/** Returns the least of our ClusterRoles that has the right, bound where it is missing; deleting incidents and alerts is in none. */
export function grantFor(user: string, right: Right): string {
  const role = roleFor(right.verb, right.resource);
  const where = right.namespace === undefined ? '' : ` --namespace=${quote(right.namespace)}`;
  const kind = right.namespace === undefined ? 'clusterrolebinding' : 'rolebinding';
  if (role === undefined) {
    const rule = `--verb=${right.verb} --resource=${right.resource}.funnelai.dev`;
    const made = `funnelai-${right.verb}-${right.resource}`;
    const roleKind = right.namespace === undefined ? 'clusterrole' : 'role';
    return `kubectl create ${roleKind} ${made} ${rule}${where} && kubectl create ${kind} ${bindingName(made, user)} --${roleKind}=${made} ${subject(user)}${where}`;
  }
  return `kubectl create ${kind} ${bindingName(role, user)} --clusterrole=${role} ${subject(user)}${where}`;
}

function roleFor(verb: Verb, resource: OurResource): string | undefined {
  if (READS.includes(verb)) return 'funnelai-viewer';
  if (resource === 'incidents') return verb === 'delete' ? undefined : 'funnelai-responder';
  if (resource === 'alerts') return undefined;
  return 'funnelai-admin';
}

function subject(user: string): string {
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user);
  return account === null ? `--user=${quote(user)}` : `--serviceaccount=${quote(`${account[1]}:${account[2]}`)}`;
}

function bindingName(role: string, user: string): string {
  const slug = user
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(-NAME_CHARACTERS)
    .replace(/^-+|-+$/g, '');
  return slug === '' ? role : `${role}-${slug}`;
}

/** As a POSIX shell reads it: user names come from an identity provider and may hold anything. */
function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
