/** Who is signed in and which namespace is looked at: known to every page once the frame has shown. */
import type { Access, Me, NamespaceList, Verb } from '@funnelai/domain/wire';
import { createContext, useContext } from 'react';
import { useSearchParams } from 'react-router';
import { useAccess, useAccesses } from '../api/queries.ts';
import { ALL, chooseNamespace } from './choose-namespace.ts';

export interface Session {
  me: Me;
  namespaces: NamespaceList;
}
const Context = createContext<Session | undefined>(undefined);
export const SessionProvider = Context.Provider;

/** Throws outside the frame: only pages behind sign-in may ask. */
export function useSession(): Session {
  const session = useContext(Context);
  if (session === undefined) throw new Error('useSession is used outside the frame');
  return session;
}

const REMEMBERED = 'funnelai.namespace';

const recall = (): string | null => {
  try {
    return localStorage.getItem(REMEMBERED);
  } catch {
    return null;
  }
};
export function rememberNamespace(name: string): void {
  try {
    localStorage.setItem(REMEMBERED, name);
  } catch {
    // Without storage the URL alone carries it.
  }
}

/** The namespace as it stands in the URL (`*` for all), and as the API is asked (undefined for all). */
export function useNamespace(): { shown: string; asked: string | undefined } {
  const { namespaces } = useSession();
  const [search] = useSearchParams();
  const shown = chooseNamespace(search.get('namespace'), recall(), namespaces);
  return { shown, asked: shown === ALL ? undefined : shown };
}

type AccessRead = Pick<ReturnType<typeof useAccess>, 'data' | 'isError'>;
function refusalOf(access: AccessRead, namespace: string | undefined, resource: keyof Access, verb: Verb) {
  if (access.data === undefined) return access.isError ? undefined : 'Asking Kubernetes what you may do here';
  if (access.data[resource].includes(verb)) return undefined;
  return `Kubernetes does not let you ${verb} ${resource} in ${namespace === undefined ? 'all namespaces' : `namespace ${namespace}`}`;
}

/** Why this person cannot do that there; undefined when they can. While it is not known yet, the button waits. */
export function useRefusal(namespace: string | undefined, resource: keyof Access, verb: Verb): string | undefined {
  return refusalOf(useAccess(namespace), namespace, resource, verb);
}

/** The same for objects of several namespaces: what cannot be done in which of them. */
export function useRefusals(
  namespaces: readonly string[],
  resource: keyof Access,
  verb: Verb,
): (namespace: string) => string | undefined {
  const accesses = useAccesses(namespaces);
  const refusals = new Map(
    namespaces.map((namespace, i) => {
      const access = accesses[i];
      return [namespace, access && refusalOf(access, namespace, resource, verb)];
    }),
  );
  return (namespace) => refusals.get(namespace);
}
