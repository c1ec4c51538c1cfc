"""Segments from a small tree on profit at risk; each leaf becomes a readable rule.

The tree splits only on features, not on computed quantities, so leaves describe customers. Missing
values go to the side that fits them better.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from retain.campaign.audience import Audience
from retain.customers.customers import Column
from retain.record.estimates import DisplayName
from retain.schema.campaign import Condition, Rule, Segmentation, SegmentRule
from retain.schema.names import RESERVED, RULE_WORDS, Translated


@dataclass(frozen=True)
class FeatureBounds:
    """The bounds of one feature in a leaf.

    Attributes
    ----------
    low, high
        A number is above ``low`` and at most ``high``.
    level, others
        A category is ``level``, or none of ``others``.
    observed, missing
        True if the leaf takes observed values, and missing ones.
    has_missing
        True if the feature has missing values, so that the leaf's name must mention them.
    """

    low: float | None = None
    high: float | None = None
    level: str | None = None
    others: tuple[str, ...] = ()
    observed: bool = True
    missing: bool = True
    has_missing: bool = False

    @property
    def condition(self) -> Condition:
        """The condition on observed values; without bounds it is ``observed``."""
        if not self.observed:
            return Condition(observed=False)
        if self.level is not None:
            return Condition(one_of=(self.level,))
        if self.others:
            return Condition(none_of=self.others)
        if self.low is None and self.high is None:
            return Condition(observed=True)
        return Condition(above=self.low, at_most=self.high)

    def rule(self, name: str) -> Rule:
        """Return the rule of these bounds."""
        message = Rule.model_validate({name: self.condition})
        if not (self.observed and self.missing):
            return message
        return Rule(any=(message, Rule.model_validate({name: Condition(observed=False)})))


def name_leaf(
    path: Mapping[str, FeatureBounds], columns: Mapping[str, Column]
) -> tuple[str, SegmentRule]:
    """Return a leaf's name, such as ``pages ≤ 5 & level = premium``, and its rule.

    >>> path = {"pages": FeatureBounds(low=3.0, high=5.5), "level": FeatureBounds(level="premium")}
    >>> pages = Column("pages", "site", "number", "Pages", "Страниц")
    >>> name, leaf = name_leaf(path, {"pages": pages})
    >>> name, leaf.label.ru
    ('3 < pages ≤ 5.5 & level = premium', '3 < Страниц ≤ 5,5 · level: premium')
    """
    if not path:
        everybody = Rule.model_validate({"risk": Condition(at_least=0)})
        return "everybody", SegmentRule(label=Translated(en="Everybody", ru="Все"), when=everybody)
    parts = [_describe_side(name, side, columns.get(name)) for name, side in path.items()]
    label = Translated(
        en=" · ".join(label.en for _, label in parts)[:1000],
        ru=" · ".join(label.ru for _, label in parts)[:1000],
    )
    rule = Rule(all=tuple(side.rule(name) for name, side in path.items()))
    return " & ".join(name for name, _ in parts), SegmentRule(label=label, when=rule)


def _describe_side(
    name: str, side: FeatureBounds, column: Column | None
) -> tuple[str, DisplayName]:
    """Return the text of a side with the feature's name, and its label with display names."""
    column = column or Column(name, "", "number")
    called, either = column.label, side.has_missing and side.observed and side.missing
    if not side.observed or (side.condition.observed and not either):
        state = "known" if side.observed else "unknown"
        state_label = (
            DisplayName("known", "есть данные")
            if side.observed
            else DisplayName("not known", "нет данных")
        )
        return f"{name} {state}", DisplayName(
            f"{called.en}: {state_label.en}", f"{called.ru}: {state_label.ru}"
        )
    describe = _describe_range if side.level is None and not side.others else _describe_levels
    plain, label = describe(name, side, column)
    if not either:
        return plain, label
    return f"{plain} or unknown", DisplayName(
        f"{label.en} or not known", f"{label.ru} или нет данных"
    )


def _describe_levels(name: str, side: FeatureBounds, column: Column) -> tuple[str, DisplayName]:
    levels = side.others if side.level is None else (side.level,)
    messages = [column.level(level) for level in levels]
    english, russian = (
        ", ".join(texts) for texts in zip(*((t.en, t.ru) for t in messages), strict=True)
    )
    sign, nots = ("≠", ("not ", "не ")) if side.level is None else ("=", ("", ""))
    label = DisplayName(
        f"{column.label.en}: {nots[0]}{english}", f"{column.label.ru}: {nots[1]}{russian}"
    )
    return f"{name} {sign} {', '.join(levels)}", label


def _describe_range(name: str, side: FeatureBounds, column: Column) -> tuple[str, DisplayName]:
    english, russian = column.label.en, column.label.ru.replace(".", "\0")
    messages = [_format_range(called, side) for called in (name, english, russian)]
    return messages[0], DisplayName(messages[1], messages[2].replace(".", ",").replace("\0", "."))


def _format_range(name: str, side: FeatureBounds) -> str:
    if side.low is None:
        return name if side.high is None else f"{name} ≤ {_format_digits(side.high)}"
    if side.high is None:
        return f"{name} > {_format_digits(side.low)}"
    return f"{_format_digits(side.low)} < {name} ≤ {_format_digits(side.high)}"


def _format_digits(number: float) -> str:
    """Return all digits of a number, without an exponent."""
    return np.format_float_positional(number, trim="-")


MOST_LEVELS = 30
"""Number of levels of a category available for splits, most frequent first."""

MAX_CUSTOMERS = 50_000
"""Largest number of customers a tree is fitted on; of more, a sample of this size."""

MAX_VALUE = float(np.finfo(np.float32).max)
"""Largest value of the tree, which uses single precision."""

RESERVED_NAMES = (*RESERVED, *RULE_WORDS)
"""Names that have another meaning in a rule."""


def leaf_rules(audience: Audience, segmentation: Segmentation) -> dict[str, SegmentRule]:
    """Return a rule for each leaf by name; exactly one of them is true for any customer.

    A regression tree (squared error; Breiman et al. 1984) of at most ``segmentation.max_depth`` on
    profit at risk, or on risk without profit. Each leaf has at least the share
    ``segmentation.min_leaf_fraction`` of the customers the tree is fitted on, and at least
    ``segmentation.min_size`` of them. The tree is deterministic for the same order of customers.
    Cut-offs are the roundest numbers that give the same split.
    """
    audience = _sample_rows(audience)
    splits = _split_matrix(audience.features)
    paths: list[dict[str, FeatureBounds]] = [{}]
    if splits:
        money = "profit_at_risk" if "profit_at_risk" in audience.table else "risk"
        target = audience.table[money].to_numpy(dtype=float)
        tree = _fit_tree(np.column_stack([one.numbers for one in splits]), target, segmentation)
        paths = list(_paths(tree, splits, 0, np.arange(len(audience)), {}))
    return dict(name_leaf(path, audience.columns) for path in paths)


@dataclass(frozen=True)
class _Split:
    """A split by a number, or by one level."""

    feature: str
    level: str | None
    numbers: np.ndarray

    def sides(
        self, before: FeatureBounds, low: float | None, *, left: bool
    ) -> tuple[FeatureBounds, FeatureBounds]:
        """Return the sides below and above ``low``; None separates observed and missing values.

        ``left``: missing values go to the side below.
        """
        missing = (before.missing and left, before.missing and not left)
        if low is None:
            below, above = before, replace(before, observed=False)
        elif self.level is None:
            below, above = replace(before, high=low), replace(before, low=low)
        else:
            below = replace(before, others=(*before.others, self.level))
            above = replace(before, level=self.level, others=())
        return replace(below, missing=missing[0]), replace(above, missing=missing[1])


def _sample_rows(audience: Audience) -> Audience:
    if len(audience) <= MAX_CUSTOMERS:
        return audience
    rows = np.random.default_rng(0).choice(len(audience), MAX_CUSTOMERS, replace=False)
    return audience.rows(np.sort(rows))


def _split_matrix(features: pd.DataFrame) -> list[_Split]:
    splits = []
    for name in features:
        if name not in RESERVED_NAMES:
            splits += list(_splits_of(str(name), features[name]))
    return splits


def _splits_of(name: str, values: pd.Series) -> Iterator[_Split]:
    if pd.api.types.is_numeric_dtype(values):
        yield _Split(name, None, np.clip(values.to_numpy(dtype=float), -MAX_VALUE, MAX_VALUE))
        return
    codes, levels = pd.factorize(values, sort=True)
    counts = np.bincount(codes[codes >= 0], minlength=len(levels))
    frequent = np.argsort(-counts, kind="stable")[:MOST_LEVELS]
    if len(levels) <= 2:  # a split by the second of two levels is the same as by the first
        frequent = frequent[1:]
    for code in frequent:
        yield _Split(name, str(levels[code]), np.where(codes < 0, np.nan, codes == code))


def _fit_tree(matrix: np.ndarray, target: np.ndarray, segmentation: Segmentation) -> Any:
    from sklearn.tree import DecisionTreeRegressor

    fewest = max(math.ceil(segmentation.min_leaf_fraction * len(target)), segmentation.min_size)
    tree = DecisionTreeRegressor(
        max_depth=segmentation.max_depth, min_samples_leaf=fewest, random_state=0
    )
    return tree.fit(matrix, target).tree_


def _paths(
    tree: Any, splits: list[_Split], node: int, rows: np.ndarray, path: dict[str, FeatureBounds]
) -> Iterator[dict[str, FeatureBounds]]:
    """Yield the bounds of each leaf below a node, by feature; ``rows`` are those of the node."""
    if tree.children_left[node] < 0:
        yield path
        return
    split, bound = splits[tree.feature[node]], float(tree.threshold[node])
    left = bool(tree.missing_go_to_left[node])
    numbers = split.numbers[rows]
    missing = np.isnan(numbers)
    before = path.get(split.feature, FeatureBounds(has_missing=bool(np.isnan(split.numbers).any())))
    below = np.where(missing, left, numbers.astype(np.float32) <= bound)
    cut = _round_threshold(numbers[below & ~missing], numbers[~below & ~missing])
    sides = split.sides(before, cut, left=left)
    children = (tree.children_left[node], tree.children_right[node])
    for child, side, mask in zip(children, sides, (below, ~below), strict=True):
        yield from _paths(tree, splits, child, rows[mask], {**path, split.feature: side})


def _round_threshold(below: np.ndarray, above: np.ndarray) -> float | None:
    """Return the number with the fewest digits that is ≥ all ``below`` and < all ``above``.

    None if ``above`` is empty, when the split separates observed and missing values.

    >>> _round_threshold(np.array([1.0, 5.0]), np.array([6.0]))
    5.0
    >>> _round_threshold(np.array([0.3312]), np.ones(1))
    0.4
    """
    if len(above) == 0:
        return None
    low, high = float(below.max()), float(above.min())
    first = -math.floor(math.log10(abs(low))) if low else 0
    for digits in range(first, first + 16):
        scale = 10.0**digits
        threshold = math.ceil(low * scale) / scale + 0.0  # no negative zero
        if low <= threshold < high:
            return threshold
    return low
