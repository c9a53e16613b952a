/** What to write into services that send by themselves: Datadog, Sentry, AWS, Google Cloud and Azure. */
import { authorization, type Place, type Snippet, TOKEN, urlOf, urlWithUser } from '../sender.ts';

const DATADOG_PAYLOAD = `{
  "alert_id": "$ALERT_ID",
  "alert_title": "$ALERT_TITLE",
  "alert_transition": "$ALERT_TRANSITION",
  "alert_priority": "$ALERT_PRIORITY",
  "alert_scope": "$ALERT_SCOPE",
  "alert_status": "$ALERT_STATUS",
  "alert_query": "$ALERT_QUERY",
  "alert_metric": "$ALERT_METRIC",
  "aggreg_key": "$AGGREG_KEY",
  "event_title": "$EVENT_TITLE",
  "body": "$TEXT_ONLY_MSG",
  "date": "$DATE",
  "last_updated": "$LAST_UPDATED",
  "hostname": "$HOSTNAME",
  "tags": "$TAGS",
  "org_id": "$ORG_ID",
  "org_name": "$ORG_NAME",
  "link": "$LINK",
  "snapshot": "$SNAPSHOT"
}`;

export const datadog = (place: Place): Snippet[] => {
  const auth = authorization(place);
  return [
    {
      title: 'Datadog: the webhook',
      where: `Integrations › Webhooks › New; then @webhook-funnelai in the message of a monitor, or a notification rule`,
      text: `Name            funnelai
URL             ${place.proof.way === 'basic' ? urlWithUser(place) : urlOf(place)}
Encode as form  off${auth === undefined ? '' : `\nCustom headers  {"Authorization": "${auth}"}`}
Payload         as below`,
    },
    { title: 'Datadog: the payload', where: 'the field Payload, whole', text: DATADOG_PAYLOAD },
  ];
};

export const sentry = (place: Place): Snippet[] => [
  {
    title: 'Sentry: an internal integration',
    where: 'Settings › Custom Integrations › Create New Integration › Internal Integration',
    text: `Name                 funnelAI
Webhook URL          ${urlOf(place)}
Alert Rule Action    on
Permissions          Issue & Event: Read; Alerts: Read
Webhooks             issue`,
  },
  {
    title: 'Its signature',
    where: `the source, with the integration’s Client Secret in a Secret; then choose the integration as the action of alert rules`,
    text: `spec:
  auth:
    hmac:
      secretRef: {name: ${place.proof.secret?.name ?? `${place.name}-key`}, key: ${place.proof.secret?.key ?? 'key'}}
      header: sentry-hook-signature`,
  },
];

export const awsSns = (place: Place): Snippet[] => [
  {
    title: 'AWS: a subscription of the topic',
    where: 'a shell with rights on the topic; the topic goes into the actions of CloudWatch’s alarms, Alarm and OK',
    text: `aws sns subscribe --topic-arn arn:aws:sns:REGION:ACCOUNT:TOPIC --protocol https \\
  --notification-endpoint '${place.proof.way === 'basic' ? urlWithUser(place) : urlOf(place)}'`,
  },
];

export const googleMonitoring = (place: Place): Snippet[] => [
  {
    title: 'Google Cloud: a notification channel',
    where: 'a shell; then name the channel in the alerting policies',
    text: `gcloud beta monitoring channels create --display-name=funnelAI --type=webhook_basicauth \\
  --channel-labels=url=${urlOf(place)},username=USER,password=PASSWORD`,
  },
];

export const azureMonitor = (place: Place): Snippet[] => [
  {
    title: 'Azure: an action group',
    where: 'a shell; then name the group in the alert rules',
    text: `az monitor action-group create --resource-group GROUP --name funnelai --short-name funnelai \\
  --action webhook funnelai '${place.proof.way === 'basic' ? urlWithUser(place) : urlOf(place)}' usecommonalertschema`,
  },
];

/** For formats that have no page of their own yet. */
export const unknown = (place: Place): Snippet[] => [
  {
    title: 'Its sender',
    where: 'wherever it asks for the address of a webhook',
    text: `URL            ${urlOf(place)}
Method         POST${authorization(place) === undefined ? '' : `\nAuthorization  ${authorization(place)?.replace(TOKEN, 'TOKEN')}`}`,
  },
];
