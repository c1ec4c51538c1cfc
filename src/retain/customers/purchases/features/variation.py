"""The variation of a customer's rate between windows, in exact integers."""

from __future__ import annotations

from itertools import pairwise
from math import lcm


def rate_variation_sql(windows: tuple[int, ...]) -> tuple[str, str] | None:
    """Return numerator and denominator of the squared variation of the rate between windows.

    The windows cut the days into rings. With x orders in a ring of d days and X in all D days it is
    D · Σ x²/d / X² − 1; every term is multiplied by a common multiple of the days. None for a
    single window.

    >>> above, below = rate_variation_sql((30, 60))
    >>> above
    '(60 * p.orders_30 * p.orders_30 + 60 * (p.orders_60 - p.orders_30) * \
(p.orders_60 - p.orders_30) - 30 * p.orders_60 * p.orders_60)'
    >>> below
    '(30 * p.orders_60 * p.orders_60)'
    """
    rings = tuple(pairwise((0, *windows)))
    if len(rings) == 1:
        return None
    longest = windows[-1]
    multiple = lcm(*(high - low for low, high in rings))
    orders = [f"(p.orders_{b} - p.orders_{a})" if a else f"p.orders_{b}" for a, b in rings]
    weights = [multiple // (high - low) * longest for low, high in rings]
    terms = [f"{w} * {x} * {x}" for w, x in zip(weights, orders, strict=True)]
    squared = f"{multiple} * p.orders_{longest} * p.orders_{longest}"
    return f"({' + '.join(terms)} - {squared})", f"({squared})"
