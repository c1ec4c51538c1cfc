"""Allocation of offers under limits.

`problem` → `customer_pool` (the arrays) → `prices` (a box of them from samples, one pass over all
customers that fixes most, and the `dual` of the others) → `ties` (shared out) → `allocate` (the
plan, brought within its limits) → `exact` (HiGHS: the customers nearest to their margin, or all
that is left of a small problem).
"""
