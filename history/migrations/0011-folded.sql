-- Alerts of a storm that found no room as objects: each is here, counted by an overflow Alert. One that became an Alert of its own has
-- left_at; the row stays until it is folded again or forgotten.
CREATE TABLE folded_alerts (
  namespace   text NOT NULL,
  source      text NOT NULL,
  fingerprint text NOT NULL,
  -- The name that it would have as an Alert, and that of the overflow Alert that counts it.
  name        text NOT NULL,
  overflow    text NOT NULL,
  alertname   text NOT NULL,
  state       text NOT NULL,
  severity    text NOT NULL,
  title       text NOT NULL,
  starts_at   timestamptz NOT NULL,
  ends_at     timestamptz,
  received_at timestamptz NOT NULL,
  folded_at   timestamptz NOT NULL,
  left_at     timestamptz,
  version     bigint NOT NULL,
  spec        jsonb NOT NULL,
  PRIMARY KEY (namespace, source, fingerprint)
);
CREATE INDEX folded_alerts_by_overflow ON folded_alerts (namespace, overflow) WHERE left_at IS NULL;
CREATE INDEX folded_alerts_by_name ON folded_alerts (namespace, name);
CREATE INDEX folded_alerts_by_end ON folded_alerts (received_at) WHERE state <> 'Firing' OR left_at IS NOT NULL;
