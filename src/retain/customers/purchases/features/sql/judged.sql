-- The same rows with what is asked of them: 0 = regular, 1 = too new, 2 = not active, 3 = no rate
-- of its own, 4 = never bought; and whether the activity declined.
SELECT
  p.*,
  CASE
    WHEN p.first_day IS NULL THEN 4
    WHEN p.snapshot - p.first_day < {{ history }} THEN 1
    WHEN p.active < {{ periods }} THEN 2
    WHEN p.{{ past }} <= 0 THEN 3
    ELSE 0
  END AS reason
  {%- if declined %},
  {{ declined }} AS declined
  {%- endif %}
FROM pairs AS p
