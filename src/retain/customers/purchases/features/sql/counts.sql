-- One row per snapshot, reason (0 = regular), label and pattern of the label's variants: the customers.
-- Bit 2 n of a pattern says whether a customer is regular by variant n, bit 2 n + 1 whether they declined.
SELECT
  snapshot,
  reason,
  {% if has_target %}declined{% else %}0{% endif %} AS declined,
  CAST(0 AS BIGINT)
  {%- for variant in variants %}
  + CASE WHEN snapshot - first_day >= {{ min_history_days }} AND active >= {{ variant.n_periods }} AND {{ variant.past_column }} > 0
    THEN {{ 4 ** loop.index0 }} + {{ 2 * 4 ** loop.index0 }} * {{ variant.declined_sql }} ELSE 0 END
  {%- endfor %} AS pattern,
  COUNT(*) AS customers
FROM eligibility
GROUP BY 1, 2, 3, 4
