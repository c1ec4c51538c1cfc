"""Seconds of the store's wall clock as SQL.

May import: customers.purchases.quoted.
"""

from __future__ import annotations

from retain.customers.purchases.quoted import literal


def whole_seconds(microseconds: str) -> str:
    """Microseconds as whole seconds, before 1970 too."""
    return floored(microseconds, 10**6)


def local(instant: str, zone: str) -> str:
    """The store's wall clock of an instant, in seconds."""
    if zone == "UTC":
        return whole_seconds(f"epoch_us({instant})")
    return whole_seconds(f"epoch_us(timezone({literal(zone)}, {instant}))")


def floored(value: str, unit: int) -> str:
    """A whole number by ``unit``, floored: ``//`` cuts towards zero.

    >>> floored("x", 10)
    '((x) - CASE WHEN (x) < 0 THEN 9 ELSE 0 END) // 10'
    """
    return f"(({value}) - CASE WHEN ({value}) < 0 THEN {unit - 1} ELSE 0 END) // {unit}"
