-- Views of vehicle pages by model over all dealers, most first, straight from the simulator's tables.
-- :start and :end (YYYYMMDD) are filled in by up.sh, :left_out with the ids of dealers that the
-- answer's coverage leaves out, between blanks, :open with the dealer that is not in the set yet. A
-- dealer that has registered item_make is read by the ASC event, every other one by its vehicle pages.
WITH asc AS (SELECT property_id FROM custom_dimensions WHERE parameter = 'item_make'),
pooled AS (SELECT property_id FROM dealers
  WHERE instr(:left_out, ' ' || dealer_id || ' ') = 0 AND dealer_id <> :open),
viewed AS (
  SELECT e.property_id, e.vehicle_id, e.count FROM events e
  WHERE e.property_id IN asc AND e.name = 'asc_item_pageview' AND e.date BETWEEN :start AND :end
  UNION ALL
  SELECT e.property_id, v.vehicle_id, e.count FROM events e JOIN vehicles v USING (page_id)
  WHERE e.property_id NOT IN asc AND e.name = 'page_view' AND e.date BETWEEN :start AND :end
)
SELECT v.item_make || ' ' || v.item_model AS model, sum(viewed.count) AS views
FROM viewed JOIN vehicles v USING (vehicle_id)
WHERE viewed.property_id IN pooled
GROUP BY model ORDER BY views DESC, model;
