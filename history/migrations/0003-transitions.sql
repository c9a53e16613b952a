-- The phase moves of each incident, in order. from_phase is NULL at birth; duration_before is the time spent in from_phase.
-- A round ends when an incident returns from Resolution, Postmortem or Closed to Detection or Response.
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
JOIN incidents i ON i.uid = c.incident_uid
WHERE c.kind = 'Phase'
WINDOW w AS (PARTITION BY c.incident_uid ORDER BY c.sequence);
