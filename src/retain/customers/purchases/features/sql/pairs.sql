-- One row per customer and snapshot: integer sums over the windows around it.
{%- for snapshot in snapshots %}
{% if not loop.first %}UNION ALL
{% endif %}SELECT
  customer,
  CAST({{ snapshot.number }} AS BIGINT) AS snapshot,
  first_day,
  last_{{ snapshot.number }} AS last_day,
  {{ snapshot.days_ever }} AS order_days,
  {{ snapshot.orders_ever }} AS orders_ever,
  CASE
    {%- for period in snapshot.periods %}
    WHEN {{ period }} = 0 THEN {{ loop.index0 }}
    {%- endfor %}
    ELSE {{ snapshot.periods | length }}
  END AS active
  {%- for name, sum in snapshot.sums.items() %},
  {{ sum }} AS {{ name }}
  {%- endfor %}
  {%- if has_target %},
  {{ snapshot.later or "CAST(NULL AS BIGINT)" }} AS orders_later{% endif %}
  {%- if has_many_categories is false and bitmask_words %}{% for days, masks in snapshot.bitmasks.items() %},
  {% for mask in masks %}CAST(BIT_COUNT({{ mask }}) AS BIGINT){% if not loop.last %} + {% endif %}{% endfor %} AS kinds_{{ days }}
  {%- endfor %}{% endif %}
FROM wide
WHERE first_day < {{ snapshot.number }} OR first_day IS NULL
{%- endfor %}
