-- Who may write: each term of a mirror takes the next epoch of its scope and holds this row while it writes. `holder` tells
-- two terms apart that took the same number from two copies of this database. Rows say in which epoch they were written.
CREATE TABLE history_epochs (
  scope    text PRIMARY KEY,
  epoch    bigint NOT NULL,
  holder   text NOT NULL,
  taken_at timestamptz NOT NULL
);
ALTER TABLE incidents      ADD COLUMN epoch bigint NOT NULL DEFAULT 0;
ALTER TABLE alerts         ADD COLUMN epoch bigint NOT NULL DEFAULT 0;
ALTER TABLE alert_episodes ADD COLUMN epoch bigint NOT NULL DEFAULT 0;
-- Set beside deleted_at when nobody deleted the object: the cluster was set back or lost, and it may be restored.
ALTER TABLE incidents ADD COLUMN vanished boolean NOT NULL DEFAULT false;
ALTER TABLE alerts    ADD COLUMN vanished boolean NOT NULL DEFAULT false;
-- What history believes to live is held against the cluster, page by page.
CREATE INDEX incidents_living ON incidents (uid) WHERE deleted_at IS NULL;
CREATE INDEX alerts_living    ON alerts (uid) WHERE deleted_at IS NULL;
