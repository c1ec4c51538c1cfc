"""Findings in the values that JSON has.

May import: customers; reasons.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from retain.customers.customers import Label

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def label_told(label: Label | None) -> dict[str, str] | None:
    """A label in both languages."""
    return None if label is None else asdict(label)


def plain(found: DataclassInstance | None) -> dict[str, Any] | None:
    """A finding by the names of its parts."""
    return None if found is None else asdict(found)


def number_told(value: Any) -> float | None:
    """A number that JSON can hold; None for one that is not known.

    >>> number_told(1), number_told(float("nan"))
    (1.0, None)
    """
    return float(value) if np.isfinite(value) else None
