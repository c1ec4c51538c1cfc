-- A row a customer: what happened in each cell of days, side by side. In a cell a customer has one
-- row, so that BIT_OR of it and zeros is that row's number, sign and all.
WITH lines AS (
  SELECT
    p.customer,
    d.cell,
    d.day,
    p.buys * d.bit AS bit,
    p.buys,
    p.cents,
    p.items
    {%- if opens %},
    p.opens * p.buys AS opens{% endif %}
    {%- if promo %},
    CASE WHEN p.promo IS NULL THEN 0 ELSE p.buys * (p.promo + {{ half }}) END AS promo{% endif %}
    {%- for name in extras %},
    p.{{ name }}{% endfor %}
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
    CAST(SUM(cents) AS BIGINT) AS amount,
    CAST(SUM(items) AS BIGINT) AS items
    {%- if opens %},
    CAST(SUM(opens) AS BIGINT) AS orders{% endif %}
    {%- if promo %},
    CAST(SUM(promo) AS BIGINT) AS promo{% endif %}
    {%- for name in extras %},
    CAST(SUM({{ name }}) AS BIGINT) AS {{ name }}{% endfor %}
    {%- for word in words %},
    BIT_OR(kinds_{{ word }}) AS kinds_{{ word }}{% endfor %}
  FROM lines
  GROUP BY customer, cell
)
SELECT
  customer,
  MIN(first_day) AS first_day
  {%- for one in lasts %},
  MAX(CASE WHEN cell < {{ one.before }} THEN last_day ELSE 0 END) AS last_{{ one.snapshot }}
  {%- endfor %}
  {%- for of in ever %},
  CAST(SUM(CASE WHEN cell < {{ history_cells }} THEN {{ of }} ELSE 0 END) AS BIGINT) AS {{ of }}_before
  {%- endfor %}
  {%- for one in pivots %},
  BIT_OR(CASE WHEN cell = {{ one.cell }} THEN {{ one.of }} ELSE 0 END) AS {{ one.of }}_c{{ one.cell }}
  {%- endfor %}
FROM cells
GROUP BY customer
