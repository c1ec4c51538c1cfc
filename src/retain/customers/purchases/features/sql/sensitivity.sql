-- One row: what each other definition of a decline makes of the same customers, in four columns a
-- definition: who is regular by it, who declined, who is regular by both, on whom both agree.
WITH judged_by_all AS (
  SELECT
    CASE WHEN reason = 0 THEN 1 ELSE 0 END AS regular,
    declined AS chosen
    {%- for case in cases %},
    CASE WHEN snapshot - first_day >= {{ history }} AND active >= {{ case.periods }} AND {{ case.past }} > 0 THEN 1 ELSE 0 END AS asked_{{ loop.index0 }},
    {{ case.declined }} AS declined_{{ loop.index0 }}
    {%- endfor %}
  FROM judged
)
SELECT
  {%- for case in cases %}
  {%- set n = loop.index0 %}
  CAST(SUM(asked_{{ n }}) AS BIGINT) AS customers_{{ n }},
  CAST(SUM(asked_{{ n }} * declined_{{ n }}) AS BIGINT) AS declined_{{ n }},
  CAST(SUM(asked_{{ n }} * regular) AS BIGINT) AS shared_{{ n }},
  CAST(SUM(CASE WHEN declined_{{ n }} = chosen THEN asked_{{ n }} * regular ELSE 0 END) AS BIGINT) AS agreed_{{ n }}{% if not loop.last %},{% endif %}
  {%- endfor %}
FROM judged_by_all
