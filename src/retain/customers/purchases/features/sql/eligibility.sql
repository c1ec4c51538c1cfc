-- The rows of pairs with the reason why a customer is not regular (0 = regular, 1 = too new, 2 = not
-- active, 3 = no purchase rate, 4 = never bought) and the label.
SELECT
  p.*,
  CASE
    WHEN p.first_day IS NULL THEN 4
    WHEN p.snapshot - p.first_day < {{ min_history_days }} THEN 1
    WHEN p.active < {{ n_periods }} THEN 2
    WHEN p.{{ past_column }} <= 0 THEN 3
    ELSE 0
  END AS reason
  {%- if declined_sql %},
  {{ declined_sql }} AS declined
  {%- endif %}
FROM pairs AS p
