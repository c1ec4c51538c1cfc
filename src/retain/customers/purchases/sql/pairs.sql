-- A row a customer and snapshot: whole numbers summed over the windows around it.
WITH lines AS (
  SELECT
    p.customer,
    d.cell,
    d.day,
    p.buys * d.bit AS bit,
    p.buys,
    p.cents,
    p.items
    {%- if opens %}, p.opens * p.buys AS opens{% endif %}
    {%- if promo %}, p.buys * p.promo AS promo, CASE WHEN p.promo IS NULL THEN 0 ELSE p.buys END AS told{% endif %}
    {%- for name in extras %}, p.{{ name }}{% endfor %}
    {%- for word in words %},
    CASE WHEN p.category >= {{ word * 63 }} AND p.category < {{ word * 63 + 63 }}
      THEN p.buys * (CAST(1 AS BIGINT) << CAST(p.category - {{ word * 63 }} AS INTEGER)) ELSE 0 END AS kinds_{{ word }}
    {%- endfor %}
  FROM {{ log }} AS p
  JOIN days AS d ON d.day = CAST(FLOOR((p.t - {{ zero }}) / 86400) AS BIGINT)
),
cells AS (
  SELECT
    customer,
    cell,
    MIN(CASE WHEN buys = 1 THEN day END) AS first_day,
    MAX(buys * day) AS last_day,
    CAST(BIT_COUNT(BIT_OR(bit)) AS BIGINT) AS days,
    CAST(SUM(buys) AS BIGINT) AS lines,
    CAST(SUM(cents) AS BIGINT) AS amount,
    CAST(SUM(items) AS BIGINT) AS items
    {%- if opens %}, CAST(SUM(opens) AS BIGINT) AS orders{% endif %}
    {%- if promo %}, CAST(SUM(promo) AS BIGINT) AS promo, CAST(SUM(told) AS BIGINT) AS told{% endif %}
    {%- for name in extras %}, CAST(SUM({{ name }}) AS BIGINT) AS {{ name }}{% endfor %}
    {%- for word in words %}, BIT_OR(kinds_{{ word }}) AS kinds_{{ word }}{% endfor %}
  FROM lines
  GROUP BY customer, cell
)
SELECT
  c.customer,
  m.snapshot,
  MIN(c.first_day) AS first_day,
  MAX(c.last_day * m.past) AS last_day,
  CAST(SUM(c.days * m.past) AS BIGINT) AS order_days,
  BIT_OR(CASE WHEN c.days > 0 THEN m.period ELSE 0 END) AS periods
  {%- for sum in sums %},
  CAST(SUM(c.{{ sum.of }} * m.{{ sum.window }}) AS BIGINT) AS {{ sum.name }}
  {%- endfor %}
  {%- for days in windows %}{% for word in words %},
  BIT_OR(c.kinds_{{ word }} * m.back_{{ days }}) AS kinds_{{ word }}_{{ days }}
  {%- endfor %}{% endfor %}
FROM cells AS c
JOIN marks AS m ON m.cell = c.cell
GROUP BY c.customer, m.snapshot
HAVING MIN(c.first_day) < m.snapshot
