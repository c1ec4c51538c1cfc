-- One row per customer: the sums of each bucket of days, side by side. A customer has one row per
-- bucket, so BIT_OR of its value and zeros is that value, sign included. In the order of customers a
-- third faster: the sums of one stay in the processor's cache.
WITH lines AS (
  SELECT
    p.customer,
    d.bucket,
    d.day,
    p.buys * d.bit AS bit,
    p.buys,
    p.cents,
    p.items
    {%- if has_returns %},
    CASE WHEN p.cents < 0 THEN -p.cents ELSE 0 END AS returned{% endif %}
    {%- if has_orders %},
    p.opens * p.buys AS opens{% endif %}
    {%- if has_discount %},
    CASE WHEN p.promo IS NULL THEN 0 ELSE p.buys * (p.promo + {{ discount_shift }}) END AS promo{% endif %}
    {%- for name in optional_sums %},
    p.{{ name }}{% endfor %}
    {%- for word in bitmask_words %},
    CASE WHEN p.category >= {{ word * 63 }} AND p.category < {{ word * 63 + 63 }}
      THEN p.buys * (CAST(1 AS BIGINT) << CAST(p.category - {{ word * 63 }} AS INTEGER)) ELSE 0 END AS kinds_{{ word }}
    {%- endfor %}
  FROM {{ log }} AS p
  JOIN days AS d ON d.day = CAST(FLOOR((p.t - {{ day_zero_second }}) / 86400) AS BIGINT)
),
buckets AS (
  SELECT
    customer,
    bucket,
    MIN(CASE WHEN buys = 1 THEN day END) AS first_day,
    MAX(buys * day) AS last_day,
    CAST(BIT_COUNT(BIT_OR(bit)) AS BIGINT) AS days,
    CAST(SUM(cents) AS BIGINT) AS amount,
    CAST(SUM(items) AS BIGINT) AS items
    {%- if has_returns %},
    CAST(SUM(returned) AS BIGINT) AS returned{% endif %}
    {%- if has_orders %},
    CAST(SUM(opens) AS BIGINT) AS orders{% endif %}
    {%- if has_discount %},
    CAST(SUM(promo) AS BIGINT) AS promo{% endif %}
    {%- for name in optional_sums %},
    CAST(SUM({{ name }}) AS BIGINT) AS {{ name }}{% endfor %}
    {%- for word in bitmask_words %},
    BIT_OR(kinds_{{ word }}) AS kinds_{{ word }}{% endfor %}
  FROM lines
  GROUP BY customer, bucket
  ORDER BY customer
)
SELECT
  customer,
  MIN(first_day) AS first_day
  {%- for snapshot in snapshots %},
  MAX(CASE WHEN bucket < {{ snapshot.end_bucket }} THEN last_day ELSE 0 END) AS last_{{ snapshot.number }}
  {%- endfor %}
  {%- for column in lifetime_columns %},
  CAST(SUM(CASE WHEN bucket < {{ n_history_buckets }} THEN {{ column }} ELSE 0 END) AS BIGINT) AS {{ column }}_before
  {%- endfor %}
  {%- for column, bucket in wide_columns %},
  BIT_OR(CASE WHEN bucket = {{ bucket }} THEN {{ column }} ELSE 0 END) AS {{ column }}_b{{ bucket }}
  {%- endfor %}
FROM buckets
GROUP BY customer
