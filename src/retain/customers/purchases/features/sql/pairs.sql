-- A row a customer and snapshot: whole numbers over the windows around it.
{%- for one in snapshots %}
{% if not loop.first %}UNION ALL
{% endif %}SELECT
  customer,
  CAST({{ one.number }} AS BIGINT) AS snapshot,
  first_day,
  last_{{ one.number }} AS last_day,
  {{ one.days_ever }} AS order_days,
  {{ one.orders_ever }} AS orders_ever,
  CASE
    {%- for period in one.periods %}
    WHEN {{ period }} = 0 THEN {{ loop.index0 }}
    {%- endfor %}
    ELSE {{ one.periods | length }}
  END AS active
  {%- for name, sum in one.sums.items() %},
  {{ sum }} AS {{ name }}
  {%- endfor %}
  {%- if many_kinds is false and words %}{% for days, by_word in one.kinds.items() %},
  {% for mask in by_word %}CAST(BIT_COUNT({{ mask }}) AS BIGINT){% if not loop.last %} + {% endif %}{% endfor %} AS kinds_{{ days }}
  {%- endfor %}{% endif %}
FROM wide
WHERE first_day < {{ one.number }} OR first_day IS NULL
{%- endfor %}
