-- An incident that was restored goes on with the story of its first uid. And what grows is kept by month: by the month in which the
-- object was made, which never changes for a uid, so that (uid, …) stays unique. One writer keeps what foreign keys kept.
DROP VIEW incident_transitions;
ALTER TABLE incidents ADD COLUMN origin_uid text;
UPDATE incidents SET origin_uid = uid;
ALTER TABLE incidents ALTER COLUMN origin_uid SET NOT NULL;

-- Who could read what is replaced here can read what replaces it.
CREATE TEMPORARY TABLE kept_grants ON COMMIT DROP AS
SELECT table_name::text AS relation, grantee::text, privilege_type::text AS privilege
FROM information_schema.role_table_grants
WHERE table_schema = current_schema() AND grantee <> grantor
  AND table_name IN ('incidents', 'incident_changes', 'alerts', 'alert_episodes');

ALTER TABLE incidents        RENAME TO incidents_whole;
ALTER TABLE incident_changes RENAME TO incident_changes_whole;
ALTER TABLE alerts           RENAME TO alerts_whole;
ALTER TABLE alert_episodes   RENAME TO alert_episodes_whole;

CREATE TABLE incidents (LIKE incidents_whole INCLUDING DEFAULTS) PARTITION BY RANGE (created_at);
CREATE TABLE incident_changes (
  LIKE incident_changes_whole INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
  incident_created_at timestamptz NOT NULL
) PARTITION BY RANGE (incident_created_at);
CREATE TABLE alerts (LIKE alerts_whole INCLUDING DEFAULTS) PARTITION BY RANGE (created_at);
CREATE TABLE alert_episodes (
  LIKE alert_episodes_whole INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED,
  alert_created_at timestamptz NOT NULL
) PARTITION BY RANGE (alert_created_at);

-- No write ever fails for want of a month.
CREATE TABLE incidents_other        PARTITION OF incidents DEFAULT;
CREATE TABLE incident_changes_other PARTITION OF incident_changes DEFAULT;
CREATE TABLE alerts_other           PARTITION OF alerts DEFAULT;
CREATE TABLE alert_episodes_other   PARTITION OF alert_episodes DEFAULT;

DO $$
DECLARE
  month timestamp;
  relation text;
BEGIN
  -- Five years of months at most; what is older stays together.
  FOR month IN
    SELECT DISTINCT date_trunc('month', created_at AT TIME ZONE 'UTC')
    FROM (SELECT created_at FROM incidents_whole UNION ALL SELECT created_at FROM alerts_whole) made
    WHERE created_at > now() - interval '60 months' AND created_at < now() + interval '4 months'
  LOOP
    FOREACH relation IN ARRAY ARRAY['incidents', 'incident_changes', 'alerts', 'alert_episodes'] LOOP
      EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
        relation || to_char(month, '_YYYY_MM'), relation,
        to_char(month, 'YYYY-MM-DD"T00:00:00Z"'), to_char(month + interval '1 month', 'YYYY-MM-DD"T00:00:00Z"'));
    END LOOP;
  END LOOP;
END $$;

INSERT INTO incidents SELECT * FROM incidents_whole;
INSERT INTO incident_changes SELECT c.*, i.created_at FROM incident_changes_whole c JOIN incidents_whole i ON i.uid = c.incident_uid;
INSERT INTO alerts SELECT * FROM alerts_whole;
INSERT INTO alert_episodes (alert_uid, episode, namespace, incident_name, incident_uid, state, severity, started_at, ended_at,
  received_at, resource_version, epoch, source, fingerprint, repeats, alert_created_at)
SELECT e.alert_uid, e.episode, e.namespace, e.incident_name, e.incident_uid, e.state, e.severity, e.started_at, e.ended_at,
  e.received_at, e.resource_version, e.epoch, e.source, e.fingerprint, e.repeats, a.created_at
FROM alert_episodes_whole e JOIN alerts_whole a ON a.uid = e.alert_uid;
DROP TABLE incident_changes_whole, alert_episodes_whole, incidents_whole, alerts_whole;

ALTER TABLE incidents        ADD PRIMARY KEY (uid, created_at);
ALTER TABLE incident_changes ADD PRIMARY KEY (incident_uid, sequence, incident_created_at);
ALTER TABLE alerts           ADD PRIMARY KEY (uid, created_at);
ALTER TABLE alert_episodes   ADD PRIMARY KEY (alert_uid, episode, alert_created_at);
CREATE INDEX incidents_by_name      ON incidents (namespace, name, created_at DESC);
CREATE INDEX incidents_by_creation  ON incidents (created_at DESC, uid DESC);
CREATE INDEX incidents_by_namespace ON incidents (namespace, created_at DESC, uid DESC);
CREATE INDEX incidents_by_group     ON incidents (namespace, rule, group_key);
CREATE INDEX incidents_by_origin    ON incidents (origin_uid, created_at DESC);
CREATE INDEX incidents_living       ON incidents (uid) WHERE deleted_at IS NULL;
CREATE INDEX incident_changes_by_person ON incident_changes (by, at DESC);
CREATE INDEX incident_changes_by_time   ON incident_changes (at DESC);
CREATE INDEX alerts_by_name        ON alerts (namespace, name, created_at DESC);
CREATE INDEX alerts_by_fingerprint ON alerts (namespace, source, fingerprint);
CREATE INDEX alerts_by_incident    ON alerts (incident_uid);
CREATE INDEX alerts_by_arrival     ON alerts (namespace, received_at DESC);
CREATE INDEX alerts_unlinked       ON alerts (namespace, incident_name) WHERE incident_uid IS NULL;
CREATE INDEX alerts_living         ON alerts (uid) WHERE deleted_at IS NULL;
CREATE INDEX alert_episodes_by_incident    ON alert_episodes (incident_uid);
CREATE INDEX alert_episodes_by_fingerprint ON alert_episodes (namespace, source, fingerprint, started_at);
CREATE INDEX alert_episodes_unlinked       ON alert_episodes (namespace, incident_name) WHERE incident_uid IS NULL;

-- One row for each story: the newest incident of those that went on with it. opened_at: when the first of them was made.
CREATE VIEW incident_stories AS
SELECT i.*, (SELECT min(o.created_at) FROM incidents o WHERE o.origin_uid = i.origin_uid) AS opened_at
FROM incidents i
WHERE NOT EXISTS (
  SELECT FROM incidents n WHERE n.origin_uid = i.origin_uid AND (n.created_at, n.uid) > (i.created_at, i.uid)
);

CREATE VIEW incident_transitions AS
SELECT
  c.incident_uid,
  i.namespace,
  i.name,
  c.sequence,
  c.from_value AS from_phase,
  c.to_value   AS to_phase,
  c.at,
  c.recorded_at,
  c.by,
  c.reason,
  c.verified,
  (1 + count(*) FILTER (
    WHERE c.from_value IN ('Resolution', 'Postmortem', 'Closed') AND c.to_value IN ('Detection', 'Response')
  ) OVER w)::integer AS round,
  c.at - lag(c.at) OVER w AS duration_before
FROM incident_changes c
JOIN incident_stories i ON i.origin_uid = c.incident_uid
WHERE c.kind = 'Phase'
WINDOW w AS (PARTITION BY c.incident_uid ORDER BY c.sequence);

DO $$
DECLARE
  kept record;
BEGIN
  FOR kept IN SELECT DISTINCT relation, grantee, privilege FROM kept_grants LOOP
    EXECUTE format('GRANT %s ON %I TO %s', kept.privilege, kept.relation,
      CASE kept.grantee WHEN 'PUBLIC' THEN 'PUBLIC' ELSE quote_ident(kept.grantee) END);
  END LOOP;
  -- Views show nothing that their tables do not.
  FOR kept IN SELECT DISTINCT grantee FROM kept_grants WHERE relation = 'incident_changes' AND privilege = 'SELECT' LOOP
    EXECUTE format('GRANT SELECT ON incident_transitions, incident_stories TO %s',
      CASE kept.grantee WHEN 'PUBLIC' THEN 'PUBLIC' ELSE quote_ident(kept.grantee) END);
  END LOOP;
END $$;
