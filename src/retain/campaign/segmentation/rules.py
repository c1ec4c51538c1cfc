"""Rules over features, risk and profit: checks and evaluation.

Rules use Kleene's three-valued logic, as SQL does: a condition on a missing value is neither true
nor false, and so is its ``not``; a rule selects customers for whom it is true. Missing values
therefore satisfy only conditions with ``observed``, and de Morgan's laws hold.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_

import numpy as np
import pandas as pd
from pandas.arrays import BooleanArray

from retain.campaign.audience import Audience
from retain.campaign.segmentation.plugin_rules import evaluate_plugin
from retain.errors import RetainError, did_you_mean, examples
from retain.plugins.registry import find, not_registered
from retain.schema.names import RESERVED
from retain.schema.rules import Condition, Rule

BOUNDS = {
    "at_least": np.greater_equal,
    "above": np.greater,
    "at_most": np.less_equal,
    "below": np.less,
}
NUMBER = (*BOUNDS, "top", "bottom")
CATEGORY = ("one_of", "none_of")


def values_of(name: str, audience: Audience) -> pd.Series:
    """Return a feature, risk or money by name; money is missing if the source has none."""
    if name in RESERVED and name not in audience.table:
        return pd.Series(np.nan, index=audience.table.index, name=name)
    return audience.values_of(name)


def evaluate_condition(condition: Condition, values: pd.Series) -> BooleanArray:
    """Return where a condition is true, shape (n,).

    For a missing value it is neither true nor false, except with ``observed``.

    >>> values = pd.Series([1.0, 3.0, np.nan])
    >>> evaluate_condition(Condition(above=2), values).tolist()
    [False, True, <NA>]
    """
    numbers = values.to_numpy() if values.dtype == np.float64 else None
    observed = values.notna().to_numpy() if numbers is None else ~np.isnan(numbers)
    true, false = np.ones(len(values), dtype=bool), np.zeros(len(values), dtype=bool)
    for part in _evaluate_parts(resolve_quantiles(condition, values), values):
        true &= part & observed
        false |= ~part & observed
    if condition.observed is not None:
        true &= observed == condition.observed
        false |= observed != condition.observed
    return BooleanArray(true, ~(true | false))


def resolve_quantiles(condition: Condition, values: pd.Series) -> Condition:
    """Return the condition with ``top`` and ``bottom`` as bounds among these values.

    >>> resolve_quantiles(Condition(top=0.5), pd.Series([1.0, 2.0, 3.0, 4.0])).at_least
    3.0
    """
    if condition.top is None and condition.bottom is None:
        return condition
    numbers, bounds = values.to_numpy(dtype=float), dict[str, float]()
    if condition.top is not None:
        low = -_quantile_bound(-numbers, condition.top)
        bounds["at_least"] = low if condition.at_least is None else max(low, condition.at_least)
    if condition.bottom is not None:
        high = _quantile_bound(numbers, condition.bottom)
        bounds["at_most"] = high if condition.at_most is None else min(high, condition.at_most)
    return condition.model_copy(update={"top": None, "bottom": None, **bounds})


def _evaluate_parts(condition: Condition, values: pd.Series) -> list[np.ndarray]:
    """Return masks of the parts of a condition except ``observed``, arbitrary where missing."""
    parts = []
    if condition.one_of is not None:
        parts.append(values.isin(condition.one_of).to_numpy())
    if condition.none_of is not None:
        parts.append(~values.isin(condition.none_of).to_numpy())
    bounds = [(compare, getattr(condition, key)) for key, compare in BOUNDS.items()]
    bounds = [(compare, bound) for compare, bound in bounds if bound is not None]
    if bounds:
        numbers = values.to_numpy(dtype=float)
        parts += [compare(numbers, bound) for compare, bound in bounds]
    return parts


def _quantile_bound(numbers: np.ndarray, share: float) -> float:
    """Return the upper bound of the lowest ``share`` of the observed numbers.

    For an empty share it is the lowest float, as JSON has no infinity.
    """
    observed = numbers[~np.isnan(numbers)]
    count = math.ceil(share * len(observed) - 1e-9)  # .1 of 30 is 3, despite rounding
    return float(np.partition(observed, count - 1)[count - 1]) if count else -sys.float_info.max


def find_rule_problems(rule: Rule, audience: Audience, where: str) -> Iterator[str]:
    """Yield each problem of a rule as a message with its config key."""
    if not (rule.conditions or rule.all or rule.any or rule.not_ is not None or rule.plugin):
        yield f"{where} is empty; expected a condition such as risk: {{at_least: 0.5}}."
    for name, condition in rule.conditions.items():
        yield from _find_condition_problems(name, condition, audience, where)
    for key, rules in (("all", rule.all), ("any", rule.any)):
        for index, one in enumerate(rules):
            yield from find_rule_problems(one, audience, f"{where}.{key}.{index}")
    if rule.plugin is not None and find("offer rule", rule.plugin) is None:
        yield str(not_registered("offer rule", rule.plugin, f"{where}.plugin"))
    if rule.not_ is not None:
        yield from find_rule_problems(rule.not_, audience, f"{where}.not")


def _find_condition_problems(
    name: str, condition: Condition, audience: Audience, where: str
) -> Iterator[str]:
    """Yield the problems of a condition: of its name, else of its kind, else of its bounds."""
    if name in RESERVED and name in audience.features:
        yield (
            f"{where}: {name!r} is a feature of these customers and what rules call their "
            f"{name.replace('_', ' ')}; the feature needs another name in the data."
        )
    elif name not in RESERVED and name not in audience.features:
        names = [*RESERVED, *(str(feature) for feature in audience.features)]
        yield f"{where}: feature {name!r} {_unknown_feature(name, names)}"
    elif not _describe_bounds(condition):
        every = ", ".join((*NUMBER, *CATEGORY, "observed"))
        yield f"{where}.{name} says nothing; expected one of {every}."
    else:
        wrong = list(_wrong_kind(name, condition, audience, where))
        yield from wrong or _contradictions(condition, f"{where}.{name}")
        yield from _not_a_share(condition, f"{where}.risk") if name == "risk" else ()


def _unknown_feature(name: str, names: Sequence[str]) -> str:
    listed = ", ".join(names) if len(names) <= 30 else examples(names)
    return f"is not one of {listed}.{did_you_mean(name, names)}"


def _wrong_kind(name: str, condition: Condition, audience: Audience, where: str) -> Iterator[str]:
    values = values_of(name, audience)
    number = pd.api.types.is_numeric_dtype(values)
    kind, fits, others = ("number", NUMBER, CATEGORY) if number else ("category", CATEGORY, NUMBER)
    if wrong := [key for key in others if getattr(condition, key) is not None]:
        yield (
            f"{where}.{name} is a {kind}, of which {' and '.join(wrong)} cannot be said; "
            f"expected {', '.join(fits)} or observed."
        )
    elif not number:
        yield from _unknown_levels(name, condition, audience, f"{where}.{name}")


def _unknown_levels(
    name: str, condition: Condition, audience: Audience, where: str
) -> Iterator[str]:
    named = audience.columns[name].levels if name in audience.columns else {}
    levels = list(
        dict.fromkeys([*named, *sorted(map(str, audience.features[name].dropna().unique()))])
    )
    for key in CATEGORY:
        for level in getattr(condition, key) or ():
            if level not in levels:
                yield f"{where}.{key}: {level!r} {_unknown_feature(level, levels)}"


def _contradictions(condition: Condition, where: str) -> Iterator[str]:
    for key in BOUNDS:
        bound = getattr(condition, key)
        if bound is not None and not math.isfinite(bound):
            yield f"{where}.{key} is {bound}; expected a finite number."
    for key in CATEGORY:
        if getattr(condition, key) == ():
            yield f"{where}.{key} is empty; expected at least one level."
    if _empty_interval(condition) or _no_level_left(condition):
        message = ", ".join(f"{key}: {value}" for key, value in _describe_bounds(condition).items())
        yield f"{where} contradicts itself, so it holds of nobody: {message}."


def _not_a_share(condition: Condition, where: str) -> Iterator[str]:
    """Yield a problem if bounds of risk are probably percentages."""
    for key in BOUNDS:
        bound = getattr(condition, key)
        if bound is not None and math.isfinite(bound) and not 0 <= bound <= 1:
            yield f"{where}.{key} is {bound:g}; expected a probability, 0 to 1."


def _describe_bounds(condition: Condition) -> dict[str, object]:
    return condition.model_dump(exclude_none=True)


def _empty_interval(condition: Condition) -> bool:
    """Return whether no number is within the bounds."""
    lower, upper = (condition.at_least, condition.above), (condition.at_most, condition.below)
    low = max((bound for bound in lower if bound is not None), default=-math.inf)
    high = min((bound for bound in upper if bound is not None), default=math.inf)
    return low > high or (low == high and (low == condition.above or high == condition.below))


def _no_level_left(condition: Condition) -> bool:
    """Return whether shares, levels or ``observed`` exclude every value."""
    top, bottom, levels = condition.top, condition.bottom, condition.one_of
    return (
        0 in (top, bottom)
        or (top is not None and bottom is not None and top + bottom < 1)
        or (bool(levels) and set(levels or ()) <= set(condition.none_of or ()))
        or (condition.observed is False and len(_describe_bounds(condition)) > 1)
    )


def evaluate_rule(rule: Rule, audience: Audience) -> np.ndarray:
    """Return a mask of the customers for whom a checked rule is true, shape (n,).

    ``top: 0.2`` is true for the highest fifth of the observed values, including ties; ``bottom``
    likewise. Without profit in the source, all profits are missing.

    >>> import pandas as pd
    >>> from retain.schema.rules import Condition
    >>> table = pd.DataFrame({"risk": [0.2, 0.6, 0.9]})
    >>> pages = pd.DataFrame({"pages": [3.0, np.nan, 7.0]})
    >>> audience = Audience(table, pages, {})
    >>> evaluate_rule(Rule(pages=Condition(below=5)), audience).tolist()
    [True, False, False]
    >>> evaluate_rule(Rule(not_=Rule(pages=Condition(below=5))), audience).tolist()
    [False, False, True]
    >>> evaluate_rule(Rule(risk=Condition(top=0.5)), audience).tolist()
    [False, True, True]
    """
    return _evaluate(rule, audience).to_numpy(dtype=bool, na_value=False)


def check_rule(rule: Rule, audience: Audience, where: str) -> None:
    """Raise for a rule that is invalid for these customers.

    Raises
    ------
    RetainError
        One line per problem, with its key below ``where``: an unknown feature or level, a
        condition of the wrong kind, a feature with a reserved name, unsatisfiable bounds, an empty
        rule or condition.
    """
    if problems := list(find_rule_problems(rule, audience, where)):
        raise RetainError("\n".join(problems))


# --- truth ---------------------------------------------------------------------------------------


def _evaluate(rule: Rule, audience: Audience) -> BooleanArray:
    """Return where a rule is true, missing where it is neither true nor false, shape (n,)."""
    known = np.zeros(len(audience), dtype=bool)
    truth = BooleanArray(~known, known)
    for name, condition in rule.conditions.items():
        truth &= evaluate_condition(condition, values_of(name, audience))
    for one in rule.all:
        truth &= _evaluate(one, audience)
    if rule.any:
        truth &= reduce(or_, (_evaluate(one, audience) for one in rule.any))
    if rule.plugin is not None:
        truth &= evaluate_plugin(rule.plugin, audience)
    return truth if rule.not_ is None else truth & ~_evaluate(rule.not_, audience)


# --- bounds --------------------------------------------------------------------------------------


def fit_rules(rule: Rule, audience: Audience) -> Rule:
    """Return the rule with each share of customers replaced by its bound among these.

    The fitted rule applies to other customers, among whom the bound of ``top: 0.2`` may differ.
    """
    changes: dict[str, object] = {
        name: resolve_quantiles(condition, values_of(name, audience))
        for name, condition in rule.conditions.items()
    }
    changes |= {
        "all": tuple(fit_rules(one, audience) for one in rule.all),
        "any": tuple(fit_rules(one, audience) for one in rule.any),
        "not_": None if rule.not_ is None else fit_rules(rule.not_, audience),
    }
    return rule.model_copy(update=changes)
