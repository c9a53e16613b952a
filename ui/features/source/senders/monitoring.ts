/** What to write into Alertmanager, Prometheus, Grafana and Flux. */
import { authorization, curl, type Place, partsOf, type Snippet, TOKEN, urlOf } from '../sender.ts';

const API_V2 = '/api/v2/alerts';

export const alertmanager = (place: Place): Snippet[] => {
  const { scheme, host, port, prefix } = partsOf(place);
  /** What the tool shows, indented as it stands there; nothing where the source asks for nothing. */
  const shows = (folder: string, indent: string): string => {
    const { way } = place.proof;
    const lines =
      way === 'bearer'
        ? ['authorization:', '  type: Bearer', `  credentials_file: ${folder}/funnelai-token`]
        : way === 'basic'
          ? ['basic_auth:', '  username: USER', `  password_file: ${folder}/funnelai-password`]
          : [];
    return lines.map((line) => `\n${indent}${line}`).join('');
  };
  const receiver = shows('/etc/alertmanager', '      ');
  return [
    {
      title: 'Alertmanager',
      where: 'alertmanager.yml; the token in a file that only Alertmanager reads',
      text: `route:
  receiver: funnelai
  group_by: [alertname, namespace, cluster]
  group_wait: 5s          # funnelAI correlates by itself: nothing is gained by waiting
  group_interval: 1m      # how late a resolve may come
  repeat_interval: 1h
receivers:
- name: funnelai
  webhook_configs:
  - url: ${urlOf(place)}
    send_resolved: true${receiver === '' ? '' : `\n    http_config:${receiver}`}`,
    },
    {
      title: 'Prometheus, without an Alertmanager',
      where: 'prometheus.yml',
      text: `alerting:
  alertmanagers:
  - scheme: ${scheme}
    path_prefix: ${prefix}
    api_version: v2${shows('/etc/prometheus', '    ')}
    static_configs:
    - targets: ['${host}:${port}']`,
    },
    {
      title: 'The Prometheus operator',
      where: `kubectl apply -f, in the namespace ${place.namespace}`,
      text: `apiVersion: monitoring.coreos.com/v1alpha1
kind: AlertmanagerConfig
metadata: {name: funnelai, namespace: ${place.namespace}}
spec:
  route: {receiver: funnelai, groupBy: [alertname, namespace, cluster], groupWait: 5s, groupInterval: 1m, repeatInterval: 1h}
  receivers:
  - name: funnelai
    webhookConfigs:
    - url: ${urlOf(place)}
      sendResolved: true${httpConfig(place)}`,
    },
    {
      title: 'By hand',
      where: 'a shell',
      text: curl(
        place,
        'application/json',
        '[{"labels":{"alertname":"Try","severity":"warning"},"annotations":{"summary":"It works"}}]',
        API_V2,
      ),
    },
  ];
};

/** What Grafana shows by each way, in its file and on its page. */
const GRAFANA_SHOWS: Record<Place['proof']['way'], { file: string; page: string }> = {
  bearer: {
    file: `
      authorization_scheme: Bearer
      authorization_credentials: $FUNNELAI_TOKEN`,
    page: `
Authorization: scheme     Bearer
Authorization: credentials ${TOKEN}`,
  },
  basic: {
    file: `
      username: USER
      password: $FUNNELAI_PASSWORD`,
    page: `
HTTP Basic Authentication USER and PASSWORD`,
  },
  hmac: {
    file: `
      hmacConfig: {secret: $FUNNELAI_KEY}`,
    page: `
HMAC Signature: secret    THE_KEY`,
  },
  none: { file: '', page: '' },
  elsewhere: { file: '', page: '' },
};

/** In the source's own namespace the operator finds its Secret. */
function httpConfig({ proof: { way, secret } }: Place): string {
  const name = secret?.name ?? 'NAME';
  const key = (one: string) => `{name: ${name}, key: ${one}}`;
  if (way === 'bearer')
    return `\n      httpConfig:\n        authorization: {type: Bearer, credentials: ${key(secret?.key ?? 'token')}}`;
  if (way === 'basic')
    return `\n      httpConfig:\n        basicAuth: {username: ${key('username')}, password: ${key('password')}}`;
  return '';
}

export const grafana = (place: Place): Snippet[] => {
  const { file, page } = GRAFANA_SHOWS[place.proof.way];
  return [
    {
      title: 'Grafana, by a file',
      where: 'a file in Grafana’s provisioning/alerting; the token in the environment of Grafana',
      text: `apiVersion: 1
contactPoints:
- orgId: 1
  name: funnelAI
  receivers:
  - uid: funnelai-${place.name}
    type: webhook
    disableResolveMessage: false
    settings:
      url: ${urlOf(place)}
      httpMethod: POST${file}`,
    },
    {
      title: 'Grafana, by its pages',
      where: 'Alerting › Contact points › Add contact point; then name it in Notification policies',
      text: `Integration               Webhook
URL                       ${urlOf(place)}
HTTP Method               POST${page}
Disable resolved message  off`,
    },
  ];
};

export const flux = (place: Place): Snippet[] => {
  const auth = authorization(place);
  const isHmac = place.proof.way === 'hmac';
  return [
    {
      title: 'Flux’s notification-controller',
      where: 'in Git, in the namespace of the objects that Flux reconciles',
      text: `apiVersion: v1
kind: Secret
metadata: {name: funnelai, namespace: flux-system}
stringData:
${isHmac ? '  token: THE_KEY' : auth === undefined ? '  headers: ""' : `  headers: |\n    Authorization: ${auth}`}
---
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata: {name: funnelai, namespace: flux-system}
spec:
  type: ${isHmac ? 'generic-hmac' : 'generic'}
  address: ${urlOf(place)}
  secretRef: {name: funnelai}
  timeout: 1m              # for five tries; the default has time for four
---
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Alert
metadata: {name: funnelai, namespace: flux-system}
spec:
  providerRef: {name: funnelai}
  eventSeverity: info      # not "error": what ends a fault is an info event
  eventSources:            # of this namespace; for another one: {kind: …, name: '*', namespace: …}
  - {kind: GitRepository, name: '*'}
  - {kind: OCIRepository, name: '*'}
  - {kind: HelmRepository, name: '*'}
  - {kind: HelmChart, name: '*'}
  - {kind: Kustomization, name: '*'}
  - {kind: HelmRelease, name: '*'}`,
    },
  ];
};
