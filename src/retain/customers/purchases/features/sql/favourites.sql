-- One row per customer: for each snapshot the category bought most often in the longest window before
-- it, as count * {{ n_categories }} + ({{ n_categories - 1 }} - code), so that the maximum wins and a tie goes to the smaller code.
{%- if has_many_categories %}
-- There are too many categories for bitmasks, so the distinct ones of each window are counted here too.
{%- endif %}
WITH bought AS (
  SELECT
    p.customer,
    p.category,
    MIN(CAST(FLOOR((p.t - {{ day_zero_second }}) / 86400) AS BIGINT)) AS first_day
    {%- for snapshot in snapshots %}{% for begin in snapshot.begins %},
    COUNT(CASE WHEN p.t >= {{ begin }} AND p.t < {{ snapshot.end }} THEN 1 END) AS times_{{ snapshot.number }}_{{ loop.index0 }}
    {%- endfor %}{% endfor %}
  FROM {{ log }} AS p
  WHERE p.category >= 0 AND p.buys = 1 AND p.t < {{ snapshots[-1].end }}
  GROUP BY p.customer, p.category
)
SELECT
  customer
  {%- for snapshot in snapshots %},
  MAX(CASE WHEN first_day < {{ snapshot.number }} THEN first_day END) AS newest_{{ snapshot.number }},
  MAX(times_{{ snapshot.number }}_0 * {{ n_categories }} + ({{ n_categories - 1 }} - category)) AS best_{{ snapshot.number }}
  {%- if has_many_categories %}{% for days in snapshot.begin_days %},
  COUNT(CASE WHEN times_{{ snapshot.number }}_{{ loop.index0 }} > 0 THEN 1 END) AS kinds_{{ snapshot.number }}_{{ days }}
  {%- endfor %}{% endif %}
  {%- endfor %}
FROM bought
GROUP BY customer
