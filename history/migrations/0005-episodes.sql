-- Episodes stand by themselves: which alert, of which source, from when to when, how often repeated. starts_at and ends_at are the
-- former names of started_at and ended_at, and stay.
ALTER TABLE alert_episodes RENAME COLUMN starts_at TO started_at;
ALTER TABLE alert_episodes RENAME COLUMN ends_at TO ended_at;
ALTER TABLE alert_episodes
  ADD COLUMN source      text,
  ADD COLUMN fingerprint text,
  ADD COLUMN repeats     bigint NOT NULL DEFAULT 0,
  ADD COLUMN starts_at   timestamptz GENERATED ALWAYS AS (started_at) STORED,
  ADD COLUMN ends_at     timestamptz GENERATED ALWAYS AS (ended_at) STORED;
UPDATE alert_episodes e SET source = a.source, fingerprint = a.fingerprint FROM alerts a WHERE a.uid = e.alert_uid;
ALTER TABLE alert_episodes ALTER COLUMN source SET NOT NULL, ALTER COLUMN fingerprint SET NOT NULL;
CREATE INDEX alert_episodes_by_fingerprint ON alert_episodes (namespace, source, fingerprint, started_at);
