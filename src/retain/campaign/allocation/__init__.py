"""Allocation of offers under limits.

`problem` → `pool` (the arrays) → `dual_solution` (prices from samples, then one pass over all
customers that fixes most) → `annealing` of the `dual` (prices for the rest) → `partial_plan` (ties
sampled from the shares) → `repair` (within the limits, and better) → `exact` (HiGHS for what is
left of a small problem).
"""
