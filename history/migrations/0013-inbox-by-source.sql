-- What waits in the inbox, and what was set aside and why, is counted by source for people who look, over these indexes alone. The first
-- makes the entries of the primary key longer; a second index would cost each sender one more write.
ALTER TABLE inbox DROP CONSTRAINT inbox_pkey, ADD PRIMARY KEY (scope, id) INCLUDE (namespace, source, received_at);
-- Longer ones do not fit into an index; new ones are cut as they come.
UPDATE inbox_set_aside SET reason = left(reason, 256) WHERE octet_length(reason) > 1024;
CREATE INDEX inbox_set_aside_by_source ON inbox_set_aside (scope, namespace, source, reason);
