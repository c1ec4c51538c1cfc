"""How unevenly orders came, as two whole numbers of which the feature is the quotient.

May import: nothing of the package.
"""

from __future__ import annotations

from itertools import pairwise
from math import lcm


def spread(windows: tuple[int, ...]) -> tuple[str, str] | None:
    """Numerator and denominator of the squared variation of the rate between rings of windows.

    With x orders in a ring of d days, X in all D days: D · Σ x²/d / X² − 1, of which every term is
    multiplied by a common multiple of the days. None where one window is the only ring.

    >>> above, below = spread((30, 60))
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
    whole = lcm(*(high - low for low, high in rings))
    orders = [f"(p.orders_{b} - p.orders_{a})" if a else f"p.orders_{b}" for a, b in rings]
    weights = [whole // (high - low) * longest for low, high in rings]
    terms = [f"{w} * {x} * {x}" for w, x in zip(weights, orders, strict=True)]
    squared = f"{whole} * p.orders_{longest} * p.orders_{longest}"
    return f"({' + '.join(terms)} - {squared})", f"({squared})"
