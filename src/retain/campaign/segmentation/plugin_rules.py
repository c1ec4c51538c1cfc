"""Rules and segments by functions of other packages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from pandas.arrays import BooleanArray

from retain.campaign.audience import Audience
from retain.errors import RetainError
from retain.plugins.registry import require
from retain.schema.campaign import Segmentation, SegmentRule
from retain.schema.parsing import parse


def evaluate_plugin(name: str, audience: Audience, where: str = "plugin") -> BooleanArray:
    """Return where a registered rule is true, missing where it cannot be said, shape (n,).

    Raises
    ------
    RetainError
        It is not registered, or does not say true or false of each customer.
    """
    function = require("offer rule", name, where).target
    found = function(*_arguments(audience))
    expected = f"expected True, False or None for each of {len(audience)} customers"
    try:
        truth = pd.array(np.asarray(found, dtype=object), dtype="boolean")
    except (TypeError, ValueError):
        raise RetainError(f"the offer rule {name!r} gives other values; {expected}.") from None
    if len(truth) != len(audience):
        raise RetainError(f"the offer rule {name!r} gives {len(truth)} values; {expected}.")
    return truth


def segments_by_plugin(audience: Audience, segmentation: Segmentation) -> dict[str, SegmentRule]:
    """Return the rules of a registered segmentation by segment.

    Raises
    ------
    RetainError
        It is not registered, or returns no rules.
    """
    name = str(segmentation.plugin)
    function = require("segmentation", name, "segmentation.plugin").target
    found = function(*_arguments(audience), **segmentation.parameters)
    if not isinstance(found, Mapping) or not found:
        raise RetainError(
            f"the segmentation {name!r} returns a {type(found).__name__}; "
            "expected {SEGMENT: {when: RULE}}."
        )
    return {
        str(segment): parse(SegmentRule, rule, f"segmentation {name}.{segment}")
        for segment, rule in found.items()
    }


def _arguments(audience: Audience) -> tuple[Any, ...]:
    """Return copies of the features, and risk and profit, each of shape (n,)."""
    table = audience.table
    missing = pd.Series(np.nan, index=table.index)
    profit = table.get("profit", missing)
    return (
        audience.features.copy(),
        table["risk"].to_numpy(dtype=float, copy=True),
        profit.to_numpy(dtype=float, copy=True),
    )
