/** What to write into Alertmanager, Prometheus, Grafana and Flux. */
import { authorization, curl, type Place, partsOf, type Snippet, TOKEN, urlOf } from '../sender.ts';

const API_V2 = '/api/v2/alerts';

export const alertmanager = (place: Place): Snippet[] => {
  const { scheme, host, port, prefix } = partsOf(place);
  const isBearer = place.proof.way === 'bearer';
  const secret = place.proof.secret;
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
    send_resolved: true
${
  isBearer
    ? `    http_config:
      authorization:
        type: Bearer
        credentials_file: /etc/alertmanager/funnelai-token`
    : `    http_config:
      basic_auth:
        username: USER
        password_file: /etc/alertmanager/funnelai-password`
}`,
    },
    {
      title: 'Prometheus, without an Alertmanager',
      where: 'prometheus.yml',
      text: `alerting:
  alertmanagers:
  - scheme: ${scheme}
    path_prefix: ${prefix}
    api_version: v2
${
  isBearer
    ? `    authorization:
      type: Bearer
      credentials_file: /etc/prometheus/funnelai-token`
    : `    basic_auth:
      username: USER
      password_file: /etc/prometheus/funnelai-password`
}
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
      sendResolved: true
      httpConfig:
        authorization: {type: Bearer, credentials: {name: ${secret?.name ?? 'NAME'}, key: ${secret?.key ?? 'token'}}}`,
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

export const grafana = (place: Place): Snippet[] => {
  const auth =
    place.proof.way === 'basic'
      ? `      username: USER
      password: $FUNNELAI_PASSWORD`
      : `      authorization_scheme: Bearer
      authorization_credentials: $FUNNELAI_TOKEN`;
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
      httpMethod: POST
${auth}`,
    },
    {
      title: 'Grafana, by its pages',
      where: 'Alerting › Contact points › Add contact point; then name it in Notification policies',
      text: `Integration               Webhook
URL                       ${urlOf(place)}
HTTP Method               POST
Authorization: scheme     Bearer
Authorization: credentials ${TOKEN}
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
