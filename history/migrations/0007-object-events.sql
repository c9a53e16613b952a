-- What the operator said about an object and is no numbered change: warnings, mostly. Kubernetes forgets its Events after an hour.
-- The same said again is the same row.
CREATE TABLE object_events (
  object_uid text NOT NULL,
  kind       text NOT NULL,
  namespace  text NOT NULL,
  name       text NOT NULL,
  type       text NOT NULL,
  reason     text NOT NULL,
  note       text NOT NULL,
  count      bigint NOT NULL,
  first_at   timestamptz NOT NULL,
  last_at    timestamptz NOT NULL,
  PRIMARY KEY (object_uid, reason, note)
);
CREATE INDEX object_events_by_time ON object_events (last_at DESC);
DO $$
DECLARE
  kept record;
BEGIN
  -- Who may read the changes of incidents may read what was said of them.
  FOR kept IN
    SELECT DISTINCT grantee::text FROM information_schema.role_table_grants
    WHERE table_schema = current_schema() AND table_name = 'incident_changes' AND privilege_type = 'SELECT' AND grantee <> grantor
  LOOP
    EXECUTE format('GRANT SELECT ON object_events TO %s',
      CASE kept.grantee WHEN 'PUBLIC' THEN 'PUBLIC' ELSE quote_ident(kept.grantee) END);
  END LOOP;
END $$;
