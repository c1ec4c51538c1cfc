"""A trial from a table with a row per customer: arms, planned shares, strata and covariates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retain.campaign.trial.names import (
    Named,
    as_tuple,
    find_arm,
    find_arms,
    find_columns,
    find_named,
)
from retain.campaign.trial.outcome_columns import check_magnitude, parse_outcome, parse_yes_no
from retain.campaign.trial.propensity import planned_shares, shares_found
from retain.campaign.trial.trial import Outcome, Trial
from retain.customers.cells.numbers import truncate
from retain.customers.customers import Customers
from retain.errors import RetainError, did_you_mean, examples, type_value
from retain.schema.readout import Answer, TrialKeys

MAX_ARMS = 20
MIN_STRATUM_MEAN = 10
"""Customers of a stratum on average, below which it is no stratum of a design."""
"""Distinct values above which a column is not one of arms."""


@dataclass(frozen=True)
class TrialTable:
    """A trial, and what else its table and the user say about it.

    Attributes
    ----------
    shares_are_typed
        Whether ``propensity`` was typed, and is not the shares that were found.
    value
        Money that one of an outcome is worth, by the outcomes of which that is known.
    cost
        Cost in money of assigning a customer to each arm, shape (arms,).
    contacted
        1 for customers who were really contacted, 0 for others, NaN if unknown; None without a
        column.
    typed_outcomes
        Names of the outcomes' columns in the file.
    labels
        Names of covariates in the file, by canonical name.
    n_without_arm
        Rows left out, as they name no arm.
    small_arms
        Arms left out, as few customers were assigned to them.
    dates
        Covariates that are dates, in days since 1970.
    """

    trial: Trial
    shares_are_typed: bool
    value: Mapping[str, float]
    cost: np.ndarray
    contacted: np.ndarray | None
    typed_outcomes: tuple[str, ...]
    labels: Mapping[str, str]
    n_without_arm: int
    small_arms: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()


def named_columns(keys: TrialKeys) -> dict[str, tuple[str, ...]]:
    """Return the columns that the keys name, by key.

    Raises
    ------
    RetainError
        A column is named by two keys.
    """
    shares = keys.propensity.values() if isinstance(keys.propensity, dict) else ()
    named = {
        "treatment": as_tuple(keys.treatment),
        "outcome": as_tuple(keys.outcome),
        "strata": as_tuple(keys.strata),
        "contacted": as_tuple(keys.contacted),
        "propensity": tuple(one for one in shares if isinstance(one, str)),
    }
    seen: dict[str, str] = {}
    for key, columns in named.items():
        for column in columns:
            if column in seen:
                raise RetainError.at(
                    key, f"{column!r} is named by {seen[column]} too", "expected one role a column"
                )
            seen[column] = key
    return named


def build_trial(customers: Customers, keys: TrialKeys) -> TrialTable:
    """Return the trial in a table that was read with ``named_columns``.

    Raises
    ------
    RetainError
        A key is missing, or a column does not fit what it is said to mean.
    """
    treatment = _find_treatment(customers, keys)
    others = {
        key: find_columns(customers, named_columns(keys)[key], key)
        for key in ("strata", "contacted", "propensity")
    }
    has_arm = customers.features[treatment.key].notna().to_numpy()
    features = customers.features.loc[has_arm]
    arms, arm = _code_arms(features[treatment.key], keys.control, treatment.label)
    outcomes = _find_outcomes(customers, keys)
    stratum = _code_strata(features[[one.key for one in others["strata"]]])
    parsed = [parse_outcome(features[one.key], one.label, keys) for one in outcomes]
    value = _parse_values(keys, outcomes, parsed)
    cost = _parse_costs(keys, arms)
    used = [treatment, *outcomes, *others["contacted"], *others["propensity"]]
    covariates = features.drop(columns=[one.key for one in used])
    for name, cells in covariates.select_dtypes("number").items():
        check_magnitude(cells.to_numpy(dtype=float), str(name))
    trial = Trial(
        ids=features.index,
        arms=arms,
        arm=arm,
        propensity=_read_shares(keys, arms, arm, stratum, features, others["propensity"]),
        stratum=stratum,
        outcomes={one.name: one for one in parsed},
        covariates=covariates,
        cost=cost_in_outcome(cost, value, parsed[0]),
    )
    _check_arms_are_observed(trial, outcomes[0].label)
    contacted = [parse_yes_no(features[one.key], one.label) for one in others["contacted"]]
    return TrialTable(
        trial=trial,
        shares_are_typed=keys.propensity is not None,
        value=value,
        cost=cost,
        contacted=contacted[0] if contacted else None,
        typed_outcomes=tuple(one.label for one in outcomes),
        labels={str(name): customers.columns[str(name)].en for name in covariates},
        n_without_arm=int((~has_arm).sum()),
        dates=tuple(_find_dates(customers, covariates)),
    )


def _find_dates(customers: Customers, covariates: pd.DataFrame) -> Iterator[str]:
    for name in map(str, covariates):
        source = customers.columns[name].source
        if source is not None and source.is_date:
            yield name


# --- columns -------------------------------------------------------------------------------------


def _find_treatment(customers: Customers, keys: TrialKeys) -> Named:
    if keys.treatment is None:
        few = [
            column.en
            for name, column in customers.columns.items()
            if 2 <= customers.features[name].nunique() <= MAX_ARMS
        ]
        listed = examples(map(truncate, few), limit=20)
        problem = "it does not say who was assigned to which arm"
        raise RetainError.at(
            "treatment", problem, f"expected treatment=COLUMN; columns of few values are {listed}"
        )
    return find_columns(customers, (keys.treatment,), "treatment")[0]


def _find_outcomes(customers: Customers, keys: TrialKeys) -> list[Named]:
    if not as_tuple(keys.outcome):
        expected = "expected outcome=COLUMN or outcome=[COLUMN,COLUMN], the primary one first"
        raise RetainError.at("outcome", "it does not say what came of the campaign", expected)
    outcomes = find_columns(customers, as_tuple(keys.outcome), "outcome")
    named: dict[str, tuple[str, ...]] = {
        "kind": tuple(keys.kind),
        "positive": tuple(keys.positive),
        "value": tuple(keys.value),
        "lower_is_better": as_tuple(keys.lower_is_better),
    }
    labels = {one.key: one.label for one in outcomes}
    for key, names in named.items():
        for name in names:
            if find_named(name, labels) is None:
                hint = did_you_mean(name, [*labels.values()])
                expected = f"expected one of {examples(labels.values(), 10)}"
                raise RetainError(f"{key}: {name!r} is no outcome; {expected}.{hint}")
    return outcomes


# --- arms ----------------------------------------------------------------------------------------


def _code_arms(cells: pd.Series, control: Answer, label: str) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the arms, the control arm first and the others by name, and that of each customer."""
    counts = cells.value_counts().sort_index()
    arms = [str(arm) for arm in counts.index]
    if not 2 <= len(arms) <= MAX_ARMS:
        problem = f"column {label!r} has {len(arms):,} values"
        raise RetainError.at("treatment", problem, f"expected arms, 2 to {MAX_ARMS}")
    if control is None:
        choices = "; ".join(
            f"{type_value('control', arm)} ({n:,})" for arm, n in zip(arms, counts, strict=True)
        )
        problem = f"it does not say which of {len(arms)} arms is the control group"
        raise RetainError.at("control", problem, f"expected one of {choices}")
    first = find_arm(control, arms, "control")
    ordered = (first, *(arm for arm in arms if arm != first))
    return ordered, pd.Index(ordered).get_indexer(pd.Index(cells))


def _code_strata(columns: pd.DataFrame) -> np.ndarray:
    """Return the stratum of each customer, 0, 1 …, shape (n,).

    Raises
    ------
    RetainError
        There are too many strata to have been randomised in.
    """
    codes = np.zeros(len(columns), dtype=np.int64)
    for name in columns:
        added = pd.factorize(columns[name], use_na_sentinel=False, sort=True)[0]
        codes = np.unique(codes * (added.max(initial=0) + 1) + added, return_inverse=True)[1]
    n_strata = int(codes.max(initial=0)) + 1
    if n_strata > 1 and len(codes) < MIN_STRATUM_MEAN * n_strata:
        problem = f"they divide {len(codes):,} customers into {n_strata:,} strata"
        expected = "expected columns such as a region, within which customers were randomised"
        raise RetainError.at("strata", problem, expected)
    return codes


def _read_shares(  # noqa: PLR0913, PLR0917 - the design, and columns that may hold it
    keys: TrialKeys,
    arms: tuple[str, ...],
    arm: np.ndarray,
    stratum: np.ndarray,
    features: pd.DataFrame,
    columns: Sequence[Named],
) -> np.ndarray:
    if keys.propensity is None:
        return shares_found(arm, stratum, len(arms))
    typed = named_columns(keys)["propensity"]
    by_typed = {name: one.key for name, one in zip(typed, columns, strict=True)}
    return planned_shares(keys.propensity, arms, features, by_typed)


def _check_arms_are_observed(trial: Trial, label: str) -> None:
    observed = np.bincount(trial.arm[np.isfinite(trial.outcome.values)], minlength=len(trial.arms))
    empty = [arm for arm, n in zip(trial.arms, observed, strict=True) if n == 0]
    if empty:
        problem = f"column {label!r} has no value in arm {examples(empty)}"
        raise RetainError.at("outcome", problem, "expected outcomes of customers in every arm")


# --- money ---------------------------------------------------------------------------------------


def _parse_values(
    keys: TrialKeys, outcomes: Sequence[Named], parsed: Sequence[Outcome]
) -> dict[str, float]:
    """Return the money that one of an outcome is worth, as far as that is known."""
    value = {one.name: 1.0 for one in parsed if one.kind == "money"}
    labels = {one.key: one.label for one in outcomes}
    for typed, worth in keys.value.items():
        named = find_named(typed, labels)
        value |= {
            one.name: worth for one, label in zip(parsed, outcomes, strict=True) if label == named
        }
    return value


def _parse_costs(keys: TrialKeys, arms: tuple[str, ...]) -> np.ndarray:
    """Return the cost of a customer in each arm beyond that of the control group."""
    cost = np.zeros(len(arms))
    for arm, one in find_arms(keys.cost, arms, "cost").items():
        cost[arms.index(arm)] = one
    return np.asarray(cost - cost[0])


def cost_in_outcome(cost: np.ndarray, value: Mapping[str, float], primary: Outcome) -> np.ndarray:
    """Return costs in the unit of the primary outcome.

    Raises
    ------
    RetainError
        There is a cost, and it is not known what the outcome is worth.
    """
    if not cost.any():
        return cost
    if primary.name not in value:
        problem = f"it is money, and the primary outcome {primary.name!r} is not"
        expected = (
            f"expected what one of it is worth: {type_value(f'value.{primary.name}', 'MONEY')}"
        )
        raise RetainError.at("cost", problem, expected)
    return np.asarray(cost / value[primary.name])
