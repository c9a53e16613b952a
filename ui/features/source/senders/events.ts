/** What to write into senders of events and logs: PagerDuty's clients, CloudEvents, OpenTelemetry, Fluent Bit, Vector, and any JSON. */
import { authorization, curl, type Place, partsOf, type Snippet, TOKEN, urlOf } from '../sender.ts';

export const pagerDutyEvents = (place: Place): Snippet[] => [
  {
    title: 'Whatever speaks PagerDuty’s Events API v2',
    where: 'the tool, in the place of https://events.pagerduty.com; the routing key is the token',
    text: `Events API URL    ${urlOf(place, '/v2/enqueue')}
Change events URL ${urlOf(place, '/v2/change/enqueue')}
Routing key       ${TOKEN}`,
  },
  {
    title: 'Alertmanager’s PagerDuty receiver',
    where: 'alertmanager.yml',
    text: `receivers:
- name: funnelai
  pagerduty_configs:
  - url: ${urlOf(place, '/v2/enqueue')}
    routing_key_file: /etc/alertmanager/funnelai-token
    send_resolved: true`,
  },
  {
    title: 'By hand',
    where: 'a shell; event_action: resolve with the same dedup_key ends it',
    text: `curl -i ${urlOf(place, '/v2/enqueue')} -H 'Content-Type: application/json' \\
  -d '{"routing_key":"${TOKEN}","event_action":"trigger","dedup_key":"try-1","payload":{"summary":"It works","source":"shell","severity":"warning"}}'`,
  },
];

export const cloudEvents = (place: Place): Snippet[] => {
  const auth = authorization(place);
  return [
    {
      title: 'An event, structured',
      where: 'a shell',
      text: curl(
        place,
        'application/cloudevents+json',
        '{"specversion":"1.0","id":"1","source":"/shell","type":"com.example.try","subject":"it","severity":"warning","data":{"message":"It works"}}',
      ),
    },
    {
      title: 'An event in headers',
      where: 'a shell; it ends the one before',
      text: curl(place, 'application/json', '{"message":"It works again"}', '', [
        'ce-specversion: 1.0',
        'ce-id: 2',
        'ce-source: /shell',
        'ce-type: com.example.try.resolved',
        'ce-subject: it',
      ]),
    },
    {
      title: 'A library of CloudEvents',
      where: 'Node; the others are alike',
      text: `import { CloudEvent, emitterFor, httpTransport } from 'cloudevents';

const emit = emitterFor(httpTransport('${urlOf(place)}'));
await emit(new CloudEvent({ source: '/checkout', type: 'com.example.failed', subject: 'cart', data: { message: 'It works' } })${
        auth === undefined
          ? ''
          : `, { headers: { authorization: \`${auth.replace(TOKEN, `\${process.env.FUNNELAI_TOKEN}`)}\` } }`
      });`,
    },
  ];
};

export const openTelemetryLogs = (place: Place): Snippet[] => {
  const auth = authorization(place);
  return [
    {
      title: 'The OpenTelemetry collector',
      where: 'the collector’s configuration; the token in its environment',
      text: `exporters:
  otlp_http/funnelai:   # otlphttp before 0.144
    logs_endpoint: ${urlOf(place, '/v1/logs')}
    retry_on_failure: {max_elapsed_time: 0}   # else it gives up after five minutes
${auth === undefined ? '' : `    headers:\n      Authorization: "${auth.replace(TOKEN, `\${env:FUNNELAI_TOKEN}`)}"\n`}processors:
  filter/alerts:
    logs:
      log_record:   # what is matched is dropped
      - 'severity_number > SEVERITY_NUMBER_UNSPECIFIED and severity_number < SEVERITY_NUMBER_WARN and attributes["alertname"] == nil'
service:
  pipelines:
    logs/funnelai:
      receivers: [otlp]
      processors: [filter/alerts]
      exporters: [otlp_http/funnelai]`,
    },
    {
      title: 'A program with an OpenTelemetry SDK',
      where: 'its environment',
      text: `OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=${urlOf(place, '/v1/logs')}
OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=http/protobuf
OTEL_EXPORTER_OTLP_LOGS_COMPRESSION=gzip${auth === undefined ? '' : `\nOTEL_EXPORTER_OTLP_LOGS_HEADERS="Authorization=${auth.replace(' ', '%20')}"`}`,
    },
  ];
};

const VECTOR_SHOWS: Partial<Record<Place['proof']['way'], string>> = {
  bearer: `\n    auth: {strategy: bearer, token: "\${FUNNELAI_TOKEN}"}`,
  basic: `\n    auth: {strategy: basic, user: USER, password: "\${FUNNELAI_PASSWORD}"}`,
};

export const jsonLines = (place: Place): Snippet[] => {
  const { host, port, tls, prefix } = partsOf(place);
  const auth = authorization(place);
  return [
    {
      title: 'Fluent Bit',
      where: 'fluent-bit.conf; the token in its environment',
      text: `[OUTPUT]
    Name             http
    Match            alerts.*
    Host             ${host}
    Port             ${port}
    URI              ${prefix}
    Tls              ${tls ? 'On' : 'Off'}
    Format           json_lines
    Json_date_key    date
    Json_date_format double
    Compress         gzip
    Retry_Limit      no_limits${auth === undefined ? '' : `\n    Header           Authorization ${auth.replace(TOKEN, `\${FUNNELAI_TOKEN}`)}`}`,
    },
    {
      title: 'Vector',
      where: 'vector.yaml; the token in its environment',
      text: `sinks:
  funnelai:
    type: http
    inputs: [alerts]
    uri: ${urlOf(place)}
    method: post
    framing: {method: newline_delimited}
    encoding: {codec: json}
    compression: gzip${VECTOR_SHOWS[place.proof.way] ?? ''}`,
    },
    {
      title: 'By hand',
      where: 'a shell',
      text: curl(place, 'application/x-ndjson', '{"alertname":"Try","severity":"warning","message":"It works"}'),
    },
  ];
};

/** Fits the mapping that a first source is made with. */
export const GENERIC_BODY = '{"id":"try","title":"It works","ok":false}';

export const generic = (place: Place): Snippet[] => [
  {
    title: 'Any JSON',
    where:
      'a shell; spec.mapping of the source says what of it is the title, the state and the identity. This body is one for the mapping of the first lines that the list of sources offers',
    text: curl(place, 'application/json', GENERIC_BODY),
  },
];
