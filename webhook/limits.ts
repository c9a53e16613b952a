/** Every bound of the HTTP edge, by name. A bound that is reached is counted in `funnelai_webhook_limit_reached_total{limit}`. */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Body of one intake request as it comes over the wire, and again after each step of decompression. */
export const INTAKE_BODY_BYTES = 8 * MIB;
/** Content-Encodings of one body on top of each other. */
export const INTAKE_CODINGS = 2;
/** Logarithm of the largest window of zstd that is taken, as RFC 9659 asks of every decoder: 8 MiB. */
export const ZSTD_WINDOW_LOG = 23;
/** Frames of one zstd body: senders make one, parallel compressors one a MiB. */
export const ZSTD_FRAMES = 64;
/** Alerts in one intake body. A sender that has more splits them. */
export const INTAKE_ALERTS = 10_000;
/** Labels, and annotations, of one alert: no sender has a thousandth of it, and each is looked at more than once. */
export const INTAKE_ALERT_ENTRIES = 4_096;
/** Faults that are named of one alert; it is refused for the first already. */
export const INTAKE_FAULTS_PER_ALERT = 20;
/** What the expressions of a source's mapping may cost for one body (domain/cel-functions: about 0.4 µs each); items beyond it are refused. */
export const MAPPING_BODY_COST = 10_000_000;
/** How much of it is spent without a pause in which others are answered. */
export const MAPPING_SLICE_COST = 50_000;
/** Records of a body that are read without such a pause where no mapping is. */
export const RECORDS_SLICE = 250;
/** Log records in one body, most of which are no alerts: an agent's batch, many times over. */
export const INTAKE_RECORDS = 100_000;
/** Log records of one fault that follow each other in one body and are taken one by one; further ones say nothing new. */
export const INTAKE_REPEATS = 16;
/** Parts of a body that made no alert and are named one by one; the rest are counted. */
export const IGNORED_LISTED = 100;
/** Mappings that are remembered compiled. */
export const MAPPINGS_REMEMBERED = 2_048;
/** How deep attributes of a record are looked into; what lies deeper stays JSON. */
export const RECORD_DEPTH = 16;
/** Fields of one log record that are looked at. */
export const RECORD_FIELDS = 512;
/** Longest text inside a record that is tried as JSON, in characters. */
export const NESTED_JSON_CHARACTERS = 65_536;
/** How long alerts are made ready without a pause in which others are answered: probes, pages, other senders. */
export const INTAKE_SLICE_MS = 20;
/** Problems that one answer lists; the rest are counted. */
export const INTAKE_PROBLEMS_LISTED = 100;
/** Of a refusal so much stands in the status line, for clients that print nothing else; proxies hold headers of a few KiB. */
export const REASON_PHRASE_BYTES = 512;
/**
 * Intake requests that are being answered at once; one more is told to come back, and many senders never do. So it is a second of a storm of
 * single alerts: where a disk or a collector takes that long, nobody is sent away.
 */
export const INTAKE_REQUESTS_IN_FLIGHT = 1_024;
/** Of them, those of one source: a sender whose bodies never end must leave room for the others. */
export const INTAKE_REQUESTS_PER_SOURCE = 512;
/** Bytes of intake bodies held at once, whatever their number: what bounds the memory of a flood. */
export const INTAKE_BYTES_IN_FLIGHT = 48 * MIB;
/** Of them, those of one source. */
export const INTAKE_BYTES_PER_SOURCE = 24 * MIB;
/** Requests in all, and of one source, whose body is read before anyone has vouched for it (signatures, tokens in bodies); one more takes the place of the oldest. */
export const INTAKE_STRANGERS = 64;
export const INTAKE_STRANGERS_PER_SOURCE = 16;
/** Bytes of such bodies, in all and of one source. */
export const INTAKE_STRANGER_BYTES = 24 * MIB;
export const INTAKE_STRANGER_BYTES_PER_SOURCE = 8 * MIB;
/** Alerts of all bodies that are being stored at once; the API server is shared with the operator and with people. */
export const STORES_IN_FLIGHT = 64;
/** Alerts of all bodies that wait for that; two whole bodies, and more than can be stored before their senders give up. */
export const STORES_WAITING = 2 * INTAKE_ALERTS;
/** Of them, those of one source: a whole body, and room for others. */
export const STORES_WAITING_PER_SOURCE = INTAKE_ALERTS + 2_000;
/** How often one alert is read and written anew when others change it at the same time, or an answer got lost. */
export const STORE_ATTEMPTS = 6;
/** After this an intake request is answered 503 for what is not yet stored. Prometheus gives up after 10 s, so this is less. */
export const INTAKE_DEADLINE_MS = 8_000;
/** What `Retry-After` says when the API server named no time of its own. */
export const RETRY_AFTER_MS = 5_000;

/** A call about folded alerts is given up after this; senders wait for it. */
export const FOLD_DEADLINE_MS = 3_000;
/** After Postgres did not answer about folded alerts it is not asked for this long. */
export const FOLD_REST_MS = 2_000;
/** How long an alert that has room as an object waits to hear whether Postgres knows of it as folded. */
export const FOLD_GLANCE_MS = 300;
/** Fingerprints of one body that are looked for among the folded alerts of other sources than they are routed to; of the rest only Alerts are. */
export const FOLDED_LOOKED_UP_PER_BODY = 2 * INTAKE_ALERTS;
/** A body waits so long for that before its time begins: Prometheus gives up after 10 s. */
export const FOLDED_PLACES_MS = 1_500;
/** Overflow Alerts are looked at so often; each is written at most once in 10 s. */
export const OVERFLOW_TICK_MS = 2_000;
/** Live alerts of which it is known that they are not counted as folded; past it they are asked about again. */
export const FOLDS_SETTLED = 20_000;

/** Repeats of alerts are added to their episodes in Postgres this often. */
export const REPEATS_FLUSH_MS = 5_000;
/** Episodes whose repeats are held until then, also while Postgres is away; repeats of further ones are dropped. */
export const REPEATS_REMEMBERED = 20_000;
/** How often Postgres may say that it does not know an episode before its repeats are dropped. */
export const REPEATS_TRIES = 60;

/** Alerts that one answer of Alertmanager's API v2 tells of, and matchers that a question may hold. */
export const API_V2_ALERTS = 10_000;
export const API_V2_FILTERS = 32;

/** When alerts were last heard of is written to Postgres this often. */
export const LEASES_FLUSH_MS = 5_000;
/** Alerts of which that is held until then, also while Postgres is away; past it nothing expires for as long. */
export const LEASES_REMEMBERED = 100_000;
/** Sources whose last sign of life is held until then. */
export const SIGNS_REMEMBERED = 10_000;
/** How often it is looked for alerts whose lease has run out, and for sources that fell silent. */
export const EXPIRY_PASS_MS = 10_000;
/** Alerts that expire, or come back from it, in one such pass, and how many of them are written at once. */
export const EXPIRIES_PER_PASS = 1_000;
export const EXPIRIES_AT_ONCE = 8;
/** How often an alert without a lease, or one that has expired, is looked up again: a later report may be known meanwhile. */
export const LEASE_RECHECK_MS = 300_000;
/** For so long a source has to be gone before the alerts that fire under it expire: who replaces it makes it anew at once. */
export const SOURCE_GONE_MS = 15 * 60_000;
/** For so long after it expired an alert is looked up in each pass: a report may have been under way. */
export const EXPIRY_DOUBT_MS = 120_000;
/** Folded alerts that are looked at in one such pass; where there are more, the next goes on from there. */
export const FOLDED_LOOKED_AT_PER_PASS = 20_000;
/** Folded alerts of which it is remembered for a round whether a change of their source's `dedup` left them behind; of more, later. */
export const FOLDED_IDENTITIES_REMEMBERED = 50_000;
/** A folded alert that expired longer ago is forgotten: its next report begins another episode, as that of an Alert that has left. */
export const FOLDED_EXPIRED_KEPT_MS = 86_400_000;
/** What Postgres knows of alerts that are gone is forgotten a page at a time, and after a day at the earliest. */
export const LEASES_FORGOTTEN_PER_PASS = 1_000;
export const LEASES_KEPT_MS = 86_400_000;

/** How long a source's Secret is believed, also when it is missing. */
export const SECRET_TTL_MS = 10_000;
/** A wrong token makes the Secret be read anew at most this often per source, so that a rotation works at once. */
export const SECRET_EARLY_REREAD_MS = 1_000;
/** Sources whose Secret is remembered. */
export const SECRETS_REMEMBERED = 2_048;
/** Signatures of one header that are looked at; senders that rotate their keys write two. */
export const SIGNATURES_PER_REQUEST = 4;

/** Asking Amazon SNS for a certificate, or to confirm a subscription; SNS itself waits 15 s for our answer. */
export const SNS_DEADLINE_MS = 3_000;
export const SNS_ANSWER_BYTES = 32 * KIB;
/** Certificates that SNS signs with, remembered, and for how long. */
export const SNS_CERTIFICATES = 64;
export const SNS_CERTIFICATE_TTL_MS = 24 * 3_600_000;

/** Body of a request under /api. */
export const API_BODY_BYTES = 64 * KIB;
/** Receiving a whole request: slower senders are cut off. */
export const REQUEST_TIMEOUT_MS = 30_000;
/** Receiving the headers of a request. */
export const HEADERS_TIMEOUT_MS = 10_000;
/** Must exceed the idle timeout of a proxy in front, else that one sees sporadic resets. */
export const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** All headers of one request; a session's cookies need room. */
export const HEADER_BYTES = 32 * KIB;
/** TCP connections at once. */
export const CONNECTIONS = 4_096;

/** A Kubernetes token longer than this is refused at sign-in. */
export const TOKEN_BYTES = 16 * KIB;
/** Browsers keep a cookie of at most 4,096 bytes with its name and attributes. */
export const COOKIE_CHUNK_BYTES = 3_800;
/** How long a person's identity and rights are believed before the API server is asked again. */
export const ACCESS_TTL_MS = 10_000;
/** Answers about rights, and identities, remembered. */
export const ACCESS_REMEMBERED = 20_000;
export const IDENTITIES_REMEMBERED = 2_000;
/** Rights of one request that are asked for at once. */
export const ACCESS_CHECKS_AT_ONCE = 8;
/** Sign-ins of one address, and of all, per minute. Behind a proxy everyone has one address, so it is no small number. */
export const SIGN_INS_PER_ADDRESS = 60;
export const SIGN_INS_IN_ALL = 300;
export const ADDRESSES_REMEMBERED = 10_000;

/** Rows that a list answers with when nothing is said, and at most. */
export const LIST_ROWS_DEFAULT = 200;
export const LIST_ROWS_MAX = 1_000;
/** Characters of a search, and values of one facet, in a query. */
export const QUERY_CHARACTERS = 256;
export const FACET_VALUES = 50;
/** Namespaces that one answer lists. */
export const NAMESPACES_LISTED = 500;
/** Alerts that an incident's page carries. */
export const DETAIL_ALERTS = 1_000;
/** Alerts that a rule's page carries, the most urgent: enough to see whether it takes what was meant. */
export const RULE_ALERTS = 20;
/** Earlier episodes of one alert that its timeline tells, the newest: one that flaps has hundreds. */
export const EARLIER_EPISODES = 20;
/** A list of folded alerts is shown this old at most: in a storm lists are read again with every change. */
export const FOLDED_LIST_TTL_MS = 2_000;
export const FOLDED_LISTS_REMEMBERED = 32;
/** History is asked beside a page that a person waits for; after this the page does without. */
export const HISTORY_DEADLINE_MS = 3_000;
/** After it did not answer, history is not asked for this long: pages stay quick while Postgres hangs. */
export const HISTORY_REST_MS = 5_000;
/** Rounds of read, compare, write for one edit before the page is told to try again. */
export const EDIT_ATTEMPTS = 4;
/** Links that one edit may set or have seen; the schema has its own bound, and says so. */
export const LINKS_IN_EDIT = 32;
/** Names tried for a declared incident. */
export const DECLARE_ATTEMPTS = 5;

/** Changes are sent to the browser together, at most this late. */
export const STREAM_BATCH_MS = 250;
/** Comment lines keep the stream open through proxies and let a dead client be noticed. */
export const STREAM_HEARTBEAT_MS = 15_000;
/** How often a stream's token and rights are asked for again. */
export const STREAM_RECHECK_MS = 20_000;
/** Without an answer of the API server about the rights for this long the stream ends. */
export const STREAM_UNCHECKED_MS = 300_000;
/** A client that has not taken what was sent for this long is dropped. */
export const STREAM_STALLED_MS = 20_000;
/** Objects that wait for a slow client; the next one drops it. It reads its lists anew when it comes back. */
export const STREAM_PENDING = 2_000;
export const STREAMS = 500;
export const STREAMS_PER_USER = 30;

/** Open requests get this long at shutdown before their connections are closed. */
export const SHUTDOWN_MS = 10_000;

/** How long an alert may wait for a place among the writes to the API server before it goes to the inbox. */
export const LANE_WAIT_MS = 5;
/** The same of one that is new: it goes before all others, and in the inbox it would wait behind what is drained. */
export const LANE_WAIT_NEW_MS = 1_000;
/**
 * The same while nothing is in the inbox and nobody was sent there lately. An alert in the inbox is written twice: a sender that waits for
 * its answers, and so never has more under way than this allows, is served sooner by a short queue.
 */
export const LANE_WAIT_CALM_MS = 1_000;
export const LANE_CALM_AFTER_MS = 5_000;
/** New ones that wait for a place; the next goes to the inbox at once. */
export const LANE_WAITING = 256;
/** Others that wait for one in calm; else as many as there are places. */
export const LANE_WAITING_CALM = 32;
/** How long the API server may take for one alert before it is given to the inbox as well; nobody can say then whether it is stored. */
export const ETCD_PATIENCE_MS = 1_000;
/** Alerts, and bytes of them, that wait to be written to the inbox. */
export const INBOX_WAITING = 20_000;
export const INBOX_WAITING_BYTES = 64 * MIB;
/** Rows of the inbox; past it, with the API server away, senders are told to hold what they have. */
export const INBOX_ROWS = 500_000;
/** The same of what is over limits.ratePerSecond of its source, and of the repeats of such a source: the rest of the rows is for when the API server is away. */
export const INBOX_ROWS_OVER_RATE = 100_000;
/** Sources with such a rate whose use of it is remembered; beyond it those that used nothing lately are forgotten. */
export const RATES_REMEMBERED = 1_000;
/** Rows whose faults are read from the inbox at each look, and faults that are known to wait there at most: later reports of them wait behind. */
export const INBOX_FAULTS_READ = 5_000;
export const INBOX_FAULTS_REMEMBERED = 50_000;
/** Kinds of alerts whose first report this replica has marked in the inbox lately, and after how long the next one of a kind is marked again. */
export const INBOX_FIRSTS_REMEMBERED = 2_000;
export const INBOX_FIRST_AGAIN_MS = 60_000;
/** After the inbox did not answer it is not asked for so long: nobody waits out a time-out of it in a row. */
export const INBOX_REST_MS = 1_000;
/** What failed sooner than this is tried once more at once, before that: a connection broke, and the next one may not. */
export const INBOX_AGAIN_MS = 250;
/** How often depth and age of the inbox are looked at. */
export const INBOX_LOOK_MS = 1_000;
/** Other replicas are told at most this often that something was put there, and believe it for so long. */
export const INBOX_TOLD_MS = 500;
export const INBOX_NEWS_MS = 2_000;
/** How often it is looked whether Alerts that stay because of the inbox may leave again, and how many are let go at once. */
export const LETTING_GO_MS = 2_000;
export const LETTING_GO_AT_ONCE = 200;
/** Sources that the cache does not know are asked for at the API server: how long one such question may take, and so many a second. */
export const SOURCE_LOOKUP_MS = 1_500;
export const SOURCE_LOOKUPS_PER_SECOND = 20;
/** How long, and of how many, it is believed that there is none. */
export const SOURCE_MISSING_BELIEVED_MS = 2_000;
export const SOURCES_MISSING_REMEMBERED = 1_000;
/** How long what is known of a source's tokens is believed while the API server does not answer. */
export const SECRET_BELIEVED_MS = 3_600_000;
/** How long one reading of a Secret may take, and how long none is tried after one that failed, where its last content is known. */
export const SECRET_READ_MS = 1_500;
export const SECRET_REST_MS = 3_000;
/** How long a request waits for the next reading after that, where the last content is known. */
export const SECRET_WAIT_MS = 250;
/** Secrets of sources to which nothing is sent are read again when this old, so many at once, in rounds; one that cannot be read, so much later. */
export const SECRET_AHEAD_MS = 900_000;
export const SECRETS_AHEAD_AT_ONCE = 4;
export const SECRETS_AHEAD_ROUND_MS = 2_000;
export const SECRETS_AHEAD_RETRY_MS = 60_000;
/** Rows read from the inbox at once, and those held in memory while they are drained. */
export const DRAIN_PAGE = 500;
export const DRAIN_HELD = 2_000;
/** The same in bytes of their reports; and of one row, past which the reports of a fault go into several. */
export const DRAIN_PAGE_BYTES = 8 * MIB;
export const DRAIN_HELD_BYTES = 24 * MIB;
export const INBOX_ROW_BYTES = 256 * KIB;
/** Rows marked as the first of their kind that are held beyond that, and bytes of them; and how often it is looked for such while more lies there than is held. */
export const DRAIN_FIRSTS = 200;
export const DRAIN_FIRSTS_MS = 1_000;
export const DRAIN_FIRSTS_BYTES = 4 * MIB;
/** Rows that are held besides, of sources with a rate, whose rows wait for that, and bytes of them; and of one source, for so many seconds of its rate. */
export const DRAIN_RATED = 2_000;
export const DRAIN_RATED_BYTES = 8 * MIB;
export const DRAIN_RATED_SECONDS = 4;
export const DRAIN_RATED_OF_SOURCE = { least: 100, most: 1_000 } as const;
/** Of a fault that fired and resolved in the inbox the end is written once the operator has answered that it fires; so long is waited for that in all. */
export const DRAIN_ANSWER_MS = 3_000;
/** Rows of one fault that become one write. */
export const DRAIN_ROWS_PER_WRITE = 64;
/** Rows that are drained are taken away together, at most this late. */
export const DRAIN_REMOVE_MS = 100;
/** An inbox that was empty is looked into this often, besides whenever this replica has put something into it. */
export const DRAIN_IDLE_MS = 500;
/** So often all of the inbox is looked through from its first row, besides what was added to it. */
export const DRAIN_WRAP_MS = 2_000;
/** How long a fault waits whose write the API server did not take, and a source, or an alert name of one, of which several in a row failed; at first, and at most. */
export const DRAIN_RETRY_MS = 250;
export const DRAIN_RETRY_MAX_MS = 15_000;
/** So many failures in a row pause a source, or a name: it may be a quota, or a policy, and others do not wait for that. */
export const DRAIN_FAILURES_TO_PAUSE = 3;
/** Names of one source whose failures are remembered; those beyond are paused with their source alone. */
export const DRAIN_NAMES_FAILING = 200;
/** Namespaces in which writes fail that are remembered one by one; those beyond are given up with the API server alone. */
export const NAMESPACES_FAILING = 1_000;
/** While the API server is given up and nobody writes, it is asked this often whether it is back. */
export const BREAKER_READ_MS = 2_000;
/** Alerts that have waited longer than this in the inbox are said to be late. */
export const INBOX_LATE_MS = 5_000;
/** How often it is looked which migrations the database has. */
export const SCHEMA_LOOK_MS = 10_000;
/** Postgres is said to be away after so long: a connection that breaks is made anew within a second or two. */
export const DATABASE_AWAY_SAID_AFTER_MS = 5_000;
/** For so long after an alert was turned away for want of room people are told: senders come back after seconds, or a minute. */
export const TURNED_AWAY_SAID_MS = 120_000;
/** How often the pages are told how many wait, while some do. */
export const SPARE_SAID_EVERY_MS = 5_000;
/** Traffic of sources is counted in buckets of this length, and shown over this window. */
export const TRAFFIC_BUCKET_MS = 5 * 60_000;
export const TRAFFIC_WINDOW_MS = 24 * 60 * 60_000;
/** Counts and refused bodies go to Postgres this often, and are read from there at most so often, however many people look on. */
export const TRAFFIC_FLUSH_MS = 5_000;
export const TRAFFIC_READ_MS = 4_000;
/** What lies in the inbox is counted by source at most this often, however many people look on, and for a tenth of the time at most. */
export const INBOX_COUNTED_MS = 2_000;
export const INBOX_COUNT_REST = 10;
/** Sources that are gone and left something in the inbox; as many are listed. */
export const INBOX_GONE_LISTED = 20;
/** What is older is deleted so often. */
export const TRAFFIC_PRUNE_MS = 10 * 60_000;
/** Sources whose traffic is counted. */
export const TRAFFIC_SOURCES = 1_000;
/** Refused bodies that are kept of one source, and how many more of senders that had not proven to be its own. */
export const REJECTIONS_PER_SOURCE = 8;
export const REJECTIONS_BY_STRANGERS = 3;
/** Sources whose refused bodies this replica remembers. */
export const REJECTION_SOURCES = 200;
/** Of a refused body so much is looked at, and so much is kept. */
export const REJECTED_BODY_READ_BYTES = 8 * KIB;
export const REJECTED_BODY_BYTES = 2 * KIB;
/** While the same refusal pours in, its body is looked at no more often than this. */
export const REJECTED_BODY_EVERY_MS = 1_000;
/** Refusals of other words than the last that are looked at in a second, of one source: of proven senders, and as many of strangers. */
export const REJECTIONS_LOOKED_AT = 20;
/** Bytes of a refusal's message, and of what the request said of itself. */
export const REJECTION_MESSAGE_BYTES = 512;
export const REJECTION_HEADER_BYTES = 120;
/** How long refused bodies are kept in Postgres. */
export const REJECTION_DAYS = 7;

/** `status` of one source is written at most this often; what is due is looked for in rounds, and so many are written in one. */
export const RECEIVING_EVERY_MS = 60_000;
export const RECEIVING_ROUND_MS = 10_000;
export const RECEIVING_WRITES_PER_ROUND = 50;
export const RECEIVING_WRITES_AT_ONCE = 2;
/** When nothing was taken for this long, what is refused is what its status says. */
export const RECEIVING_REFUSED_MS = 5 * 60_000;
/** Without a body for this long a source is said to be quiet. */
export const RECEIVING_QUIET_MS = 60 * 60_000;

/** Body of a preview as it is pasted, before it counts as an intake body. */
export const PREVIEW_BODY_BYTES = 2 * MIB;
/** Alerts that a preview shows; the rest are counted. */
export const PREVIEW_ALERTS = 100;
/** Alerts of a preview of which Postgres is asked whether they are folded; of more that is not told. */
export const PREVIEW_LOOKUPS = 100;
/** A test alert that nobody has resolved is resolved after this. */
export const TEST_ALERT_MS = 15 * 60_000;
/** How often it is looked for such. */
export const TEST_ALERT_ROUND_MS = 60_000;
