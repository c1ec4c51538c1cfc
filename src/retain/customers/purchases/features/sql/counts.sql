-- One row per snapshot and reason (0 = regular): the number of customers and of those who declined.
SELECT
  snapshot,
  reason,
  COUNT(*) AS customers,
  {% if has_target %}CAST(SUM(declined) AS BIGINT){% else %}CAST(0 AS BIGINT){% endif %} AS declined
FROM eligibility
GROUP BY snapshot, reason
