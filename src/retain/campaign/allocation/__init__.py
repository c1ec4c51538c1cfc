"""How an allocation is found.

`problem` → `cells` (the arrays as given) → `sampling` (prices from samples) → `settling` (one
pass: whose choice is sure) → `cooling` of the `dual` (prices for the rest, over ever fewer) →
`ties` (a plan drawn from the shares) → `repair` (within the limits, and better) → `exact` (HiGHS
on what is left, where the problem is small).
"""
