-- What came to each AlertSource, counted by the webhook: bodies by what became of them, in buckets of five minutes, for a day; and the last
-- few that were refused, redacted and cut, for a week. About right on purpose: what is in doubt may be counted twice.
CREATE TABLE source_traffic (
  namespace text NOT NULL,
  source    text NOT NULL,
  starts_at timestamptz NOT NULL,
  -- '' was taken whole; else the code of the answer.
  outcome   text NOT NULL,
  bodies    bigint NOT NULL,
  alerts    bigint NOT NULL,
  stored    bigint NOT NULL,
  PRIMARY KEY (namespace, source, starts_at, outcome)
);
CREATE INDEX source_traffic_by_time ON source_traffic (starts_at);
CREATE TABLE source_rejections (
  namespace    text NOT NULL,
  source       text NOT NULL,
  reason       text NOT NULL,
  message      text NOT NULL,
  status       integer NOT NULL,
  -- The sender had proven to be the source's own.
  known        boolean NOT NULL,
  count        bigint NOT NULL,
  first_at     timestamptz NOT NULL,
  last_at      timestamptz NOT NULL,
  path         text NOT NULL,
  content_type text,
  user_agent   text,
  body         text,
  PRIMARY KEY (namespace, source, reason, message)
);
CREATE INDEX source_rejections_by_time ON source_rejections (last_at);
