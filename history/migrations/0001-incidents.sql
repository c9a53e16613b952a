-- Incidents as they last were, and every numbered change of each. Times are UTC with microseconds.
CREATE TABLE incidents (
  uid               text PRIMARY KEY,
  namespace         text NOT NULL,
  name              text NOT NULL,
  title             text NOT NULL,
  severity          text NOT NULL,
  priority          text,
  phase             text NOT NULL,
  phase_since       timestamptz,
  owner             text,
  rule              text,
  group_key         text,
  opening           integer,
  reported_by       text,
  resolution_reason text,
  merged_into       text,
  detected_at       timestamptz,
  acknowledged_at   timestamptz,
  mitigated_at      timestamptz,
  resolved_at       timestamptz,
  closed_at         timestamptz,
  round             integer NOT NULL,
  change_sequence   bigint NOT NULL,
  created_at        timestamptz NOT NULL,
  deleted_at        timestamptz,
  updated_at        timestamptz NOT NULL,
  resource_version  numeric NOT NULL,
  object            jsonb NOT NULL
);
-- A name comes back after its incident was deleted: the newest first.
CREATE INDEX incidents_by_name ON incidents (namespace, name, created_at DESC);
CREATE INDEX incidents_by_creation ON incidents (created_at DESC, uid DESC);
CREATE INDEX incidents_by_namespace ON incidents (namespace, created_at DESC, uid DESC);
CREATE INDEX incidents_by_group ON incidents (namespace, rule, group_key);

CREATE TABLE incident_changes (
  incident_uid text NOT NULL REFERENCES incidents (uid) ON DELETE CASCADE,
  sequence     bigint NOT NULL CHECK (sequence >= 1),
  kind         text NOT NULL,
  from_value   text,
  to_value     text,
  at           timestamptz NOT NULL,
  recorded_at  timestamptz NOT NULL,
  by           text NOT NULL,
  reason       text,
  verified     boolean,
  PRIMARY KEY (incident_uid, sequence)
);
CREATE INDEX incident_changes_by_person ON incident_changes (by, at DESC);
CREATE INDEX incident_changes_by_time ON incident_changes (at DESC);
