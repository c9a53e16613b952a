-- When each alert was last reported to fire, for those reports that changed nothing and so are not in etcd; and since when, but for
-- which gaps, that is known of all. Rows of several clusters may lie beside each other: scope tells them apart.
CREATE TABLE alert_leases (
  scope       text NOT NULL,
  namespace   text NOT NULL,
  source      text NOT NULL,
  fingerprint text NOT NULL,
  last_seen   timestamptz NOT NULL,
  -- As of that report; null when its sender announced none.
  lease_until timestamptz,
  PRIMARY KEY (scope, namespace, source, fingerprint)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE TABLE source_signs (
  scope      text NOT NULL,
  namespace  text NOT NULL,
  source     text NOT NULL,
  source_uid text NOT NULL,
  last_heard timestamptz NOT NULL,
  PRIMARY KEY (scope, namespace, source)
) WITH (fillfactor = 70);
-- began_at: nothing is known of the time before. alive_until: the last moment at which the intake was there and kept what came.
CREATE TABLE intake_lives (
  scope       text PRIMARY KEY,
  began_at    timestamptz NOT NULL,
  alive_until timestamptz NOT NULL
);
-- One row for each webhook that runs. What it took before alive_until is in alert_leases; seen_at is when it last said so, or that it cannot.
CREATE TABLE intake_replicas (
  scope       text NOT NULL,
  replica     text NOT NULL,
  alive_until timestamptz NOT NULL,
  seen_at     timestamptz NOT NULL,
  PRIMARY KEY (scope, replica)
);
-- Times in which reports may have been turned away, or forgotten: no lease runs meanwhile.
CREATE TABLE intake_gaps (
  scope text NOT NULL,
  began timestamptz NOT NULL,
  ended timestamptz NOT NULL,
  PRIMARY KEY (scope, began)
);
