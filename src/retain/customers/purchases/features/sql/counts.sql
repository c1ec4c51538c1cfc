-- How many customers of each snapshot are regular, or for which reason not, and how many declined.
SELECT
  snapshot,
  reason,
  COUNT(*) AS customers,
  {% if has_target %}CAST(SUM(declined) AS BIGINT){% else %}CAST(0 AS BIGINT){% endif %} AS declined
FROM judged
GROUP BY snapshot, reason
