-- One row per snapshot and reason (0 = regular): the customers and those of them who declined. Then four
-- columns per variant of the label: the customers who are regular by it, those of them who declined, those
-- regular by the chosen label too, and those with the same label by both.
WITH labelled AS (
  SELECT
    snapshot,
    reason,
    CASE WHEN reason = 0 THEN 1 ELSE 0 END AS regular,
    {% if has_target %}declined{% else %}0{% endif %} AS chosen
    {%- for variant in variants %},
    CASE WHEN snapshot - first_day >= {{ min_history_days }} AND active >= {{ variant.n_periods }} AND {{ variant.past_column }} > 0 THEN 1 ELSE 0 END AS regular_{{ loop.index0 }},
    {{ variant.declined_sql }} AS declined_{{ loop.index0 }}
    {%- endfor %}
  FROM eligibility
)
SELECT
  snapshot,
  reason,
  COUNT(*) AS customers,
  CAST(SUM(chosen) AS BIGINT) AS declined
  {%- for variant in variants %}
  {%- set n = loop.index0 %},
  CAST(SUM(regular_{{ n }}) AS BIGINT) AS customers_{{ n }},
  CAST(SUM(regular_{{ n }} * declined_{{ n }}) AS BIGINT) AS declined_{{ n }},
  CAST(SUM(regular_{{ n }} * regular) AS BIGINT) AS shared_{{ n }},
  CAST(SUM(CASE WHEN declined_{{ n }} = chosen THEN regular_{{ n }} * regular ELSE 0 END) AS BIGINT) AS agreed_{{ n }}
  {%- endfor %}
FROM labelled
GROUP BY snapshot, reason
