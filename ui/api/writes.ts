/** What the pages write. Each answers with the new state or throws ApiError; each goes as the person who is signed in. */
import type { Declaration, IncidentDetail, IncidentEdit, IncidentItem, Me } from '@funnelai/domain/wire';
import type { PreviewRequest, SourcePreview, TestAnswer, TestRequest } from '@funnelai/domain/wire-sources';
import { requestJson } from './client.ts';

const incidentPath = (namespace: string, name: string): string =>
  `/api/incidents/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;

export const signIn = (token: string): Promise<Me> =>
  requestJson<Me>('/api/session', { method: 'POST', body: { token }, expectsSignedOut: true });
export const signOut = (): Promise<void> =>
  requestJson<void>('/api/session', { method: 'DELETE', expectsSignedOut: true });

/** One write; every edit holds the value that the person saw, so that nobody's change is overwritten unseen. */
export const editIncident = (namespace: string, name: string, edit: IncidentEdit): Promise<IncidentDetail> =>
  requestJson<IncidentDetail>(incidentPath(namespace, name), { method: 'PATCH', body: edit });

export const declareIncident = (namespace: string, declaration: Declaration): Promise<IncidentItem | IncidentDetail> =>
  requestJson<IncidentItem | IncidentDetail>(`/api/incidents/${encodeURIComponent(namespace)}`, {
    method: 'POST',
    body: declaration,
  });

/** The name that the new incident got, whichever of the two shapes came back. */
export const nameOf = (answer: IncidentItem | IncidentDetail): string =>
  'item' in answer ? answer.item.name : answer.name;

const sourcePath = (namespace: string, name: string, act: 'preview' | 'test'): string =>
  `/api/sources/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}/${act}`;

/** What a body would become; nothing is stored. */
export const previewBody = (namespace: string, name: string, body: PreviewRequest): Promise<SourcePreview> =>
  requestJson<SourcePreview>(sourcePath(namespace, name, 'preview'), { method: 'POST', body });

/** Sends or resolves the test alert of a source. */
export const sendTest = (namespace: string, name: string, body: TestRequest): Promise<TestAnswer> =>
  requestJson<TestAnswer>(sourcePath(namespace, name, 'test'), { method: 'POST', body });
