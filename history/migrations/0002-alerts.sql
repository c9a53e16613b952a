-- Alerts as they last were, and which incident each episode of an alert belonged to: one alert comes back into many.
CREATE TABLE alerts (
  uid               text PRIMARY KEY,
  namespace         text NOT NULL,
  name              text NOT NULL,
  source            text NOT NULL,
  fingerprint       text NOT NULL,
  state             text NOT NULL,
  severity          text NOT NULL,
  original_severity text,
  title             text NOT NULL,
  starts_at         timestamptz NOT NULL,
  ends_at           timestamptz,
  received_at       timestamptz NOT NULL,
  incident_name     text,
  incident_uid      text,
  rule              text,
  episode           integer,
  created_at        timestamptz NOT NULL,
  deleted_at        timestamptz,
  updated_at        timestamptz NOT NULL,
  resource_version  numeric NOT NULL,
  object            jsonb NOT NULL
);
CREATE INDEX alerts_by_name ON alerts (namespace, name, created_at DESC);
CREATE INDEX alerts_by_fingerprint ON alerts (namespace, source, fingerprint);
CREATE INDEX alerts_by_incident ON alerts (incident_uid);
CREATE INDEX alerts_by_arrival ON alerts (namespace, received_at DESC);
-- Alerts that were mirrored before their incident was: found again when it comes.
CREATE INDEX alerts_unlinked ON alerts (namespace, incident_name) WHERE incident_uid IS NULL;

CREATE TABLE alert_episodes (
  alert_uid        text NOT NULL REFERENCES alerts (uid) ON DELETE CASCADE,
  episode          integer NOT NULL CHECK (episode >= 1),
  namespace        text NOT NULL,
  incident_name    text,
  incident_uid     text,
  state            text NOT NULL,
  severity         text NOT NULL,
  starts_at        timestamptz NOT NULL,
  ends_at          timestamptz,
  received_at      timestamptz NOT NULL,
  resource_version numeric NOT NULL,
  PRIMARY KEY (alert_uid, episode)
);
CREATE INDEX alert_episodes_by_incident ON alert_episodes (incident_uid);
CREATE INDEX alert_episodes_unlinked ON alert_episodes (namespace, incident_name) WHERE incident_uid IS NULL;
