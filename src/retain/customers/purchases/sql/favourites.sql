-- A row a customer: for each snapshot the category bought most often in the longest window before
-- it, as count * {{ kinds }} + ({{ kinds - 1 }} - code), so that the greater wins and a tie goes to the smaller code.
WITH bought AS (
  SELECT
    p.customer,
    p.category
    {%- for day in snapshots %},
    CAST(SUM(CASE WHEN p.t >= {{ day.begin }} AND p.t < {{ day.end }} THEN p.buys ELSE 0 END) AS BIGINT) AS times_{{ day.number }}
    {%- endfor %}
  FROM {{ log }} AS p
  WHERE p.category >= 0 AND p.t >= {{ snapshots[0].begin }} AND p.t < {{ snapshots[-1].end }}
  GROUP BY p.customer, p.category
)
SELECT
  customer
  {%- for day in snapshots %},
  MAX(times_{{ day.number }} * {{ kinds }} + ({{ kinds - 1 }} - category)) AS best_{{ day.number }}
  {%- endfor %}
FROM bought
GROUP BY customer
