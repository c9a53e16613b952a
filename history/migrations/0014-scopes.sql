-- Folded alerts, and what came to sources, belong to a cluster each, as the inbox and the leases do: scope tells them apart. Empty is what
-- a webhook wrote that does not know its cluster; the first that does takes it over.
ALTER TABLE folded_alerts ADD COLUMN scope text NOT NULL DEFAULT '';
ALTER TABLE source_traffic ADD COLUMN scope text NOT NULL DEFAULT '';
ALTER TABLE source_rejections ADD COLUMN scope text NOT NULL DEFAULT '';
ALTER TABLE folded_alerts DROP CONSTRAINT folded_alerts_pkey, ADD PRIMARY KEY (scope, namespace, source, fingerprint);
ALTER TABLE source_traffic DROP CONSTRAINT source_traffic_pkey, ADD PRIMARY KEY (scope, namespace, source, starts_at, outcome);
ALTER TABLE source_rejections DROP CONSTRAINT source_rejections_pkey, ADD PRIMARY KEY (scope, namespace, source, reason, message);

-- What is there goes to each cluster that has heard of such a source, and where none is known to have, to each that ever used this
-- database. Where two have, each of them counted it until now, and goes on: taken from either, it might be an alert lost.
CREATE VIEW scopes_of_sources AS
  WITH heard AS (
    SELECT scope, namespace, source FROM alert_leases UNION SELECT scope, namespace, source FROM source_signs
    UNION SELECT scope, namespace, source FROM inbox UNION SELECT scope, namespace, source FROM inbox_set_aside
  ), kept AS (
    SELECT namespace, source FROM folded_alerts UNION SELECT namespace, source FROM source_traffic
    UNION SELECT namespace, source FROM source_rejections
  )
  SELECT scope, namespace, source FROM heard
  UNION
  SELECT l.scope, k.namespace, k.source FROM intake_lives l CROSS JOIN kept k
  WHERE NOT EXISTS (SELECT FROM heard h WHERE h.namespace = k.namespace AND h.source = k.source);

INSERT INTO folded_alerts (scope, namespace, source, fingerprint, name, overflow, alertname, state, severity, title, starts_at, ends_at,
  received_at, folded_at, left_at, version, spec, expired_at)
SELECT s.scope, namespace, source, f.fingerprint, f.name, f.overflow, f.alertname, f.state, f.severity, f.title, f.starts_at, f.ends_at,
  f.received_at, f.folded_at, f.left_at, f.version, f.spec, f.expired_at
FROM folded_alerts f JOIN scopes_of_sources s USING (namespace, source);
INSERT INTO source_traffic (scope, namespace, source, starts_at, outcome, bodies, alerts, stored)
SELECT s.scope, namespace, source, t.starts_at, t.outcome, t.bodies, t.alerts, t.stored
FROM source_traffic t JOIN scopes_of_sources s USING (namespace, source);
INSERT INTO source_rejections (scope, namespace, source, reason, message, status, known, count, first_at, last_at, path, content_type,
  user_agent, body)
SELECT s.scope, namespace, source, r.reason, r.message, r.status, r.known, r.count, r.first_at, r.last_at, r.path, r.content_type,
  r.user_agent, r.body
FROM source_rejections r JOIN scopes_of_sources s USING (namespace, source);
DELETE FROM folded_alerts o USING folded_alerts f WHERE o.scope = '' AND f.scope <> '' AND f.namespace = o.namespace
  AND f.source = o.source AND f.fingerprint = o.fingerprint;
DELETE FROM source_traffic o USING scopes_of_sources s WHERE o.scope = '' AND s.namespace = o.namespace AND s.source = o.source;
DELETE FROM source_rejections o USING scopes_of_sources s WHERE o.scope = '' AND s.namespace = o.namespace AND s.source = o.source;
DROP VIEW scopes_of_sources;

DROP INDEX folded_alerts_by_overflow, folded_alerts_by_name, folded_alerts_firing, folded_alerts_expired, folded_alerts_by_fingerprint;
CREATE INDEX folded_alerts_by_overflow ON folded_alerts (scope, namespace, overflow) WHERE left_at IS NULL;
CREATE INDEX folded_alerts_by_name ON folded_alerts (scope, namespace, name);
CREATE INDEX folded_alerts_firing ON folded_alerts (scope, namespace, source, fingerprint) WHERE left_at IS NULL AND state = 'Firing';
CREATE INDEX folded_alerts_expired ON folded_alerts (scope, expired_at) WHERE left_at IS NULL AND state = 'Expired';
CREATE INDEX folded_alerts_by_fingerprint ON folded_alerts (scope, fingerprint) WHERE left_at IS NULL;
