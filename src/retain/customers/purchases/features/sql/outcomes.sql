-- One row per customer: the label at one snapshot and the money of the horizon after it. A customer
-- without a rate before it declined if nothing was bought after it.
{%- set past, future = measure ~ "_" ~ lookback, measure ~ "_next_" ~ horizon %}
WITH lines AS (
  SELECT *, CAST(FLOOR((t - {{ day_zero_second }}) / 86400) AS BIGINT) AS day
  FROM purchases
),
placed AS (
  SELECT
    *,
    day >= {{ snapshot - lookback }} AND day < {{ snapshot }} AS is_before,
    day >= {{ snapshot }} AND day < {{ snapshot + horizon }} AS is_after
  FROM lines
  WHERE day < {{ snapshot + horizon }}
),
sums AS (
  SELECT
    customer,
    CAST({{ snapshot }} AS BIGINT) AS snapshot,
    MIN(CASE WHEN buys = 1 THEN day END) AS first_day,
    MAX(CASE WHEN is_after AND buys = 1 THEN 1 ELSE 0 END) AS bought
    {%- for side, name in (("is_before", past), ("is_after", future)) %},
    {% if total %}CAST(COALESCE(SUM(CASE WHEN {{ side }} THEN {{ total }} END), 0) AS BIGINT)
    {%- else %}COUNT(DISTINCT CASE WHEN {{ side }} AND buys = 1 THEN day END)
    {%- endif %} AS {{ name }}
    {%- endfor %},
    {% if money %}CAST(COALESCE(SUM(CASE WHEN is_after THEN {{ money }} END), 0) AS DOUBLE) / 100
    {%- else %}CAST(NULL AS DOUBLE){% endif %} AS money
  FROM placed
  GROUP BY customer
)
SELECT
  CAST(customer AS VARCHAR) AS customer,
  CASE WHEN {{ past }} > 0 THEN {{ declined_sql }} WHEN {{ future }} > 0 THEN 0 ELSE 1 END AS declined,
  bought,
  money
FROM sums
