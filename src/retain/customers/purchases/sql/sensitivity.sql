-- What each other definition of a decline makes of the same customers: a row a definition.
{%- for case in cases %}
{% if not loop.first %}UNION ALL {% endif %}SELECT
  {{ loop.index0 }} AS definition,
  COUNT(*) AS customers,
  CAST(SUM({{ case.declined }}) AS BIGINT) AS declined,
  CAST(SUM(CASE WHEN reason = 0 THEN 1 ELSE 0 END) AS BIGINT) AS shared,
  CAST(SUM(CASE WHEN reason = 0 AND {{ case.declined }} = declined THEN 1 ELSE 0 END) AS BIGINT) AS agreed
FROM judged
WHERE snapshot - first_day >= {{ history }} AND active >= {{ case.periods }} AND {{ case.past }} > 0
{%- endfor %}
