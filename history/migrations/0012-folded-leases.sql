-- Alerts that are folded have a lease as others do: when each was last heard of is in alert_leases already, and one whose lease ran out
-- is Expired since expired_at.
ALTER TABLE folded_alerts ADD COLUMN expired_at timestamptz;
-- In the order in which it is looked for leases that ran out; the second for those of which a report was still under way.
CREATE INDEX folded_alerts_firing ON folded_alerts (namespace, source, fingerprint) WHERE left_at IS NULL AND state = 'Firing';
CREATE INDEX folded_alerts_expired ON folded_alerts (expired_at) WHERE left_at IS NULL AND state = 'Expired';
-- Where an alert is folded, asked when it may have been routed by other rules.
CREATE INDEX folded_alerts_by_fingerprint ON folded_alerts (fingerprint) WHERE left_at IS NULL;
-- The first report of a kind in the inbox, as far as the one who put it there knows: among thousands of rows it is found at once.
ALTER TABLE inbox ADD COLUMN is_first boolean NOT NULL DEFAULT false;
CREATE INDEX inbox_firsts ON inbox (scope, id) WHERE is_first;
