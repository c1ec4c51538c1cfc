-- One row per history of everyone seen at the first snapshot, in cells of a week: days with a purchase,
-- weeks from the first to the last and to the snapshot, the sums of these days, and the customers.
SELECT
  order_days,
  CAST(FLOOR((last_day - first_day) / 7) AS BIGINT) AS last_week,
  CAST(FLOOR((snapshot - first_day) / 7) AS BIGINT) AS week,
  CAST(SUM(last_day - first_day) AS BIGINT) AS last_days,
  CAST(SUM(snapshot - first_day) AS BIGINT) AS days,
  COUNT(*) AS customers
FROM pairs
WHERE snapshot = {{ population_snapshot }} AND first_day IS NOT NULL
GROUP BY 1, 2, 3
