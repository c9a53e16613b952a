/** What Kubernetes allows as names. What cannot be one is refused here: nobody needs to be asked whether it exists. */
import { HttpProblem } from './problems.ts';

/** RFC 1123 label. */
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** RFC 1123 subdomain, as names of custom resources must be. */
const OBJECT = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

export function isNamespaceName(text: string): boolean {
  return NAMESPACE.test(text);
}

/** Throws HttpProblem NotFound when the path cannot be that of an object. `what` is what its name is called. */
export function demandNames(path: { namespace: string; name?: string }, what = 'name'): void {
  const refuse = (part: string) =>
    new HttpProblem('NotFound', `The ${part} in the path is not a name that Kubernetes allows.`);
  if (!isNamespaceName(path.namespace)) throw refuse('namespace');
  if (path.name !== undefined && !OBJECT.test(path.name)) throw refuse(what);
}
