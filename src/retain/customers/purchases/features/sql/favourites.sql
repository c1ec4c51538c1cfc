-- A row a customer: for each snapshot the category bought most often in the longest window before
-- it, as count * {{ kinds }} + ({{ kinds - 1 }} - code), so that the greater wins and a tie goes to the smaller code.
{%- if many_kinds %}
-- And, as there are too many categories for bits, how many different ones in each window.
{%- endif %}
WITH bought AS (
  SELECT
    p.customer,
    p.category
    {%- for one in snapshots %}{% for begin in one.begins %},
    COUNT(CASE WHEN p.t >= {{ begin }} AND p.t < {{ one.end }} THEN 1 END) AS times_{{ one.number }}_{{ loop.index0 }}
    {%- endfor %}{% endfor %}
  FROM {{ log }} AS p
  WHERE p.category >= 0 AND p.buys = 1 AND p.t >= {{ snapshots[0].begins[0] }} AND p.t < {{ snapshots[-1].end }}
  GROUP BY p.customer, p.category
)
SELECT
  customer
  {%- for one in snapshots %},
  MAX(times_{{ one.number }}_0 * {{ kinds }} + ({{ kinds - 1 }} - category)) AS best_{{ one.number }}
  {%- if many_kinds %}{% for days in one.begins_of %},
  COUNT(CASE WHEN times_{{ one.number }}_{{ loop.index0 }} > 0 THEN 1 END) AS kinds_{{ one.number }}_{{ days }}
  {%- endfor %}{% endif %}
  {%- endfor %}
FROM bought
GROUP BY customer
