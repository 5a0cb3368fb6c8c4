-- Sessions, engaged sessions and lead events of every dealer in the subject's region, straight from
-- the simulator's tables. :subject, :start and :end (YYYYMMDD) are filled in by up.sh, and :open with the
-- dealer that is not in the set yet. The lead event is
-- the configured one, else the first of three that occurs.
WITH cohort AS (
  SELECT d.dealer_id, d.property_id, d.lead_event FROM dealers d
  WHERE d.region = (SELECT region FROM dealers WHERE dealer_id = :subject) AND d.dealer_id <> :open
), visits AS (
  SELECT c.dealer_id, count(*) AS sessions, sum(s.engaged) AS engaged
  FROM cohort c JOIN sessions s ON s.property_id = c.property_id AND s.date BETWEEN :start AND :end
  GROUP BY c.dealer_id
), leads AS (
  SELECT c.dealer_id, e.name, sum(e.count) AS n
  FROM cohort c JOIN events e ON e.property_id = c.property_id AND e.date BETWEEN :start AND :end
  WHERE e.name IN ('asc_form_submission', 'generate_lead', 'form_submit', c.lead_event)
  GROUP BY c.dealer_id, e.name
), chosen AS (
  SELECT c.dealer_id,
    coalesce(nullif(c.lead_event, ''),
      (SELECT l.name FROM leads l WHERE l.dealer_id = c.dealer_id AND l.n > 0
       ORDER BY CASE l.name WHEN 'asc_form_submission' THEN 1 WHEN 'generate_lead' THEN 2 ELSE 3 END
       LIMIT 1)) AS event
  FROM cohort c
)
SELECT c.dealer_id, coalesce(v.sessions, 0) AS sessions, coalesce(v.engaged, 0) AS engaged_sessions,
  h.event AS lead_event,
  coalesce((SELECT n FROM leads l WHERE l.dealer_id = c.dealer_id AND l.name = h.event), 0)
    AS lead_events
FROM cohort c LEFT JOIN visits v USING (dealer_id) LEFT JOIN chosen h USING (dealer_id)
ORDER BY c.dealer_id;
