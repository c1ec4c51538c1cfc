-- One row per regular customer and snapshot: the features, each an integer or a ratio of two integers.
-- Without a target, the customers who are not regular have a row too, with the reason.
{%- macro ratio(above, below) -%}
CASE WHEN {{ below }} <> 0 THEN CAST({{ above }} AS DOUBLE) / CAST({{ below }} AS DOUBLE) END
{%- endmacro %}
{#- Days of a window in which the customer could buy: a window may begin before the first purchase. -#}
{%- macro days_of(days) -%}
LEAST({{ days }}, p.snapshot - p.first_day)
{%- endmacro %}
{%- macro of_snapshot(name) -%}
CASE {% for snapshot in snapshots %}WHEN p.snapshot = {{ snapshot.number }} THEN COALESCE({{ name % snapshot.number }}, 0) {% endfor %}END
{%- endmacro %}
{%- macro at_snapshot(name) -%}
CASE {% for snapshot in snapshots %}WHEN p.snapshot = {{ snapshot.number }} THEN {{ name % snapshot.number }} {% endfor %}END
{%- endmacro %}
{%- set longest = windows[-1] %}
SELECT
  p.customer,
  p.snapshot,
  {% if has_target %}p.declined{% else %}p.reason{% endif %},
  {%- if money_column %}
  p.{{ money_column }} AS money,
  {%- if has_target %}
  p.{{ next_money }} AS next_money,
  {%- endif %}{% endif %}
  p.orders_{{ lookback }} AS past_orders,
  {%- if has_target %}
  p.orders_later AS later_orders,
  {%- endif %}
  p.snapshot - p.last_day AS days_since_order,
  p.snapshot - p.first_day AS tenure_days,
  p.order_days,
  {{ needed_sql }} AS orders_needed
  {%- for days in windows %},
  p.orders_{{ days }}{% endfor %}
  {%- if has_items %}{% for days in windows %},
  p.items_{{ days }}{% endfor %}{% endif %}
  {%- if has_amount %}{% for days in windows %},
  CAST(p.amount_{{ days }} AS DOUBLE) / 100 AS amount_{{ days }}{% endfor %},
  {{ ratio("p.amount_%d" % longest, "p.orders_%d * 100" % longest) }} AS order_value_{{ longest }}{% endif %}
  {%- for short, long in trends %},
  {{ ratio("p.orders_%d * " % short ~ days_of(long), "p.orders_%d * " % long ~ days_of(short)) }} AS orders_trend_{{ short }}_{{ long }}
  {%- if has_amount %},
  {{ ratio("p.amount_%d * " % short ~ days_of(long), "p.amount_%d * " % long ~ days_of(short)) }} AS amount_trend_{{ short }}_{{ long }}{% endif %}
  {%- endfor %}
  {%- for days in windows %},
  {{ ratio("p.orders_%d * (p.snapshot - p.first_day)" % days, "p.orders_ever * " ~ days_of(days)) }} AS orders_to_past_{{ days }}{% endfor %},
  {{ ratio("p.last_day - p.first_day", "(p.order_days - 1)") }} AS mean_gap_days,
  {{ ratio("(p.snapshot - p.last_day) * (p.order_days - 1)", "(p.last_day - p.first_day)") }} AS lateness
  {%- if rate_variation %},
  CASE WHEN p.snapshot - p.first_day >= {{ longest }} THEN {{ ratio(rate_variation[0], rate_variation[1]) }} END AS orders_variability_{{ longest }}{% endif %}
  {%- if has_last_year %},
  CASE WHEN p.snapshot - p.first_day >= {{ year }} THEN p.orders_last_year END AS orders_last_year{% endif %}
  {%- if has_returns %},
  {{ ratio("p.returned", "(p.amount_%d + p.returned)" % longest) }} AS return_share_{{ longest }}{% endif %}
  {%- if has_items %},
  {{ ratio("p.items_%d" % longest, "p.orders_%d" % longest) }} AS items_per_order_{{ longest }}{% endif %}
  {%- if has_items %}{% for short, long in trends %},
  {{ ratio("p.items_%d * p.orders_%d" % (short, long), "p.items_%d * p.orders_%d" % (long, short)) }} AS items_per_order_trend_{{ short }}_{{ long }}{% endfor %}{% endif %}
  {%- if has_items and has_amount and store_price %},
  {{ ratio("p.amount_%d" % longest, "p.items_%d" % longest) }} / ({{ store_price }}) AS price_to_store_{{ longest }}{% endif %}
  {%- if n_categories %}{% for days in windows %},
  {% if has_many_categories %}{{ of_snapshot("f.kinds_%d_" ~ days) }}{% else %}p.kinds_{{ days }}{% endif %} AS categories_{{ days }}{% endfor %},
  CASE
    {%- for snapshot in snapshots %}
    WHEN p.snapshot = {{ snapshot.number }} AND f.best_{{ snapshot.number }} >= {{ n_categories }} THEN {{ n_categories - 1 }} - f.best_{{ snapshot.number }} % {{ n_categories }}
    {%- endfor %}
  END AS favourite_category,
  p.snapshot - {{ at_snapshot("f.newest_%d") }} AS days_since_new_category{% endif %}
  {%- if has_discount %}{% for days in windows %},
  {{ ratio("(p.promo_%d & %d)" % (days, discount_shift - 1), "(p.promo_%d >> 31)" % days) }} AS promo_share_{{ days }}{% endfor %}{% endif %}
  {%- if has_discount and store_promo %},
  {{ ratio("(p.promo_%d & %d)" % (longest, discount_shift - 1), "(p.promo_%d >> 31)" % longest) }} / ({{ store_promo }}) AS promo_to_store_{{ longest }}{% endif %}
  {%- if "minutes" in optional_sums %}{% for days in windows %},
  CAST(p.minutes_{{ days }} AS DOUBLE) / 100 AS minutes_{{ days }}{% endfor %}{% endif %}
  {%- if "contacts" in optional_sums %}{% for days in windows %},
  p.contacts_{{ days }}{% endfor %}{% endif %}
FROM eligibility AS p
{%- if n_categories %}
LEFT JOIN favourites AS f ON f.customer = p.customer
{%- endif %}
{%- if has_target %}
WHERE p.reason = 0
{%- endif %}
