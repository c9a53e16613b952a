/** What to write into services that send by themselves: Datadog, Sentry, AWS, Google Cloud and Azure. */
import { authorization, type Place, partsOf, type Snippet, TOKEN, urlOf, urlWithUser } from '../sender.ts';

const DATADOG_PAYLOAD = `{
  "id": "$ID",
  "aggreg_key": "$AGGREG_KEY",
  "alert_id": "$ALERT_ID",
  "alert_metric": "$ALERT_METRIC",
  "alert_priority": "$ALERT_PRIORITY",
  "alert_query": "$ALERT_QUERY",
  "alert_scope": "$ALERT_SCOPE",
  "alert_status": "$ALERT_STATUS",
  "alert_title": "$ALERT_TITLE",
  "alert_transition": "$ALERT_TRANSITION",
  "body": "$TEXT_ONLY_MSG",
  "date": "$DATE",
  "event_title": "$EVENT_TITLE",
  "hostname": "$HOSTNAME",
  "last_updated": "$LAST_UPDATED",
  "link": "$LINK",
  "org_id": "$ORG_ID",
  "org_name": "$ORG_NAME",
  "snapshot": "$SNAPSHOT",
  "tags": "$TAGS"
}`;

export const datadog = (place: Place): Snippet[] => {
  const auth = authorization(place);
  return [
    {
      title: 'Datadog',
      where:
        'Integrations › Webhooks › New; then @webhook-funnelai in the message of each monitor, outside of {{#is_alert}}',
      text: `Name            funnelai
URL             ${place.proof.way === 'basic' ? urlWithUser(place) : urlOf(place)}
Encode as form  off${auth === undefined ? '' : `\nCustom headers  {"Authorization": "${auth}"}`}
Payload         what “Its payload” has, the next of these tabs`,
    },
    { title: 'Its payload', where: 'the field Payload, whole', text: DATADOG_PAYLOAD },
  ];
};

export const sentry = (place: Place): Snippet[] => [
  {
    title: 'Sentry: an internal integration',
    where:
      'Settings › Custom Integrations › Create New Integration › Internal Integration; then choose it in the alert rules',
    text: `Name                 funnelAI
Webhook URL          ${urlOf(place)}
Alert Rule Action    on
Permissions          Issue & Event: Read
Webhooks             issue`,
  },
  {
    title: 'Its signature',
    where: 'the source; its Secret holds the Client Secret that the integration’s page shows',
    text: `spec:
  auth:
    hmac:
      secretRef: {name: ${place.proof.secret?.name ?? `${place.name}-client`}, key: ${place.proof.secret?.key ?? 'secret'}}
      header: Sentry-Hook-Signature`,
  },
];

export const awsSns = (place: Place): Snippet[] => [
  {
    title: 'Amazon SNS',
    where:
      'a shell with rights on the topic; leave raw message delivery off. The topic must stand in spec.sns.topicArns of the source',
    text: `aws sns set-topic-attributes --topic-arn TOPIC_ARN \\
  --attribute-name SignatureVersion --attribute-value 2
aws sns subscribe --topic-arn TOPIC_ARN --protocol ${partsOf(place).scheme} \\
  --notification-endpoint '${place.proof.way === 'basic' ? urlWithUser(place) : urlOf(place)}'`,
  },
  {
    title: 'CloudWatch',
    where: 'a shell; for both states, or the alarm never resolves',
    text: `aws cloudwatch put-metric-alarm --alarm-name NAME … \\
  --alarm-actions TOPIC_ARN --ok-actions TOPIC_ARN
# to ${urlOf(place)}, by the topic`,
  },
];

/** For senders that can set no header: the token in the address, where proxies may log it. */
const urlWithToken = (place: Place): string =>
  place.proof.way === 'basic'
    ? urlWithUser(place)
    : place.proof.way === 'bearer'
      ? urlOf(place, `?token=${TOKEN}`)
      : urlOf(place);

export const googleMonitoring = (place: Place): Snippet[] => [
  {
    title: 'Google Cloud',
    where: 'a shell; then choose the channel in each policy, and leave “Notify on incident closure” on',
    text:
      place.proof.way === 'bearer'
        ? `gcloud beta monitoring channels create --type=webhook_tokenauth --display-name=funnelAI \\
  --channel-labels=url='${urlWithToken(place)}'`
        : `gcloud beta monitoring channels create --type=webhook_basicauth --display-name=funnelAI \\
  --channel-labels=url=${urlOf(place)},username=USER,password=PASSWORD`,
  },
];

export const azureMonitor = (place: Place): Snippet[] => [
  {
    title: 'Azure',
    where: 'a shell; then choose the action group in each alert rule, and let rules resolve by themselves',
    text: `az monitor action-group create --name funnelai --resource-group GROUP --short-name funnelai \\
  --action webhook funnelai '${urlWithToken(place)}' usecommonalertschema`,
  },
];

/** For formats that have no page of their own yet. */
export const unknown = (place: Place): Snippet[] => [
  {
    title: 'Its sender',
    where: 'wherever it asks for the address of a webhook',
    text: `URL            ${urlOf(place)}
Method         POST${authorization(place) === undefined ? '' : `\nAuthorization  ${authorization(place)}`}`,
  },
];
