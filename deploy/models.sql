-- Views of vehicle pages by model over all dealers, most first, straight from the simulator's tables.
-- :start and :end (YYYYMMDD) are filled in by up.sh. A dealer that has registered item_make is read by
-- the ASC event, every other one by its vehicle pages.
WITH asc AS (SELECT property_id FROM custom_dimensions WHERE parameter = 'item_make'),
viewed AS (
  SELECT e.vehicle_id, e.count FROM events e
  WHERE e.property_id IN asc AND e.name = 'asc_item_pageview' AND e.date BETWEEN :start AND :end
  UNION ALL
  SELECT v.vehicle_id, e.count FROM events e JOIN vehicles v USING (page_id)
  WHERE e.property_id NOT IN asc AND e.name = 'page_view' AND e.date BETWEEN :start AND :end
)
SELECT v.item_make || ' ' || v.item_model AS model, sum(viewed.count) AS views
FROM viewed JOIN vehicles v USING (vehicle_id)
GROUP BY model ORDER BY views DESC, model;
