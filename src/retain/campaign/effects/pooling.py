"""Several trials as one: customers are compared with the control group of their own trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from retain.campaign.assignment_table import CONTROL
from retain.campaign.trial.arm_sizes import MIN_ARM_CUSTOMERS, find_small_arms
from retain.campaign.trial.names import find_named
from retain.campaign.trial.trial import Outcome, Trial
from retain.errors import RetainError, examples


@dataclass(frozen=True)
class NamedTrial:
    """A trial and its name.

    Attributes
    ----------
    value
        Money that one of its first outcome is worth, None if unknown.
    left_out
        Arms of too few customers, who are not in the trial.
    """

    name: str
    trial: Trial
    value: float | None
    left_out: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """The kind of its first outcome: ``declines``, ``money``, or neither."""
        if self.trial.outcome.is_stay:
            return "declines"
        return "other" if self.value is None else "money"


@dataclass(frozen=True)
class PooledTrial:
    """Trials as one, with an arm for each offer of a catalogue that was tried.

    Attributes
    ----------
    customers
        Id of each customer in the trial they were in, by that in the pooled one.
    value
        Money that one of the outcome is worth; 1 for declines.
    small_offers
        Offers that were tried on too few customers to learn from, who are left out.
    unknown_arms
        Arms that are no offer, whose customers are left out.
    unshared
        Covariates of some of the trials only, which are left out.
    """

    trial: Trial
    customers: pd.Series
    value: float
    small_offers: tuple[str, ...]
    unknown_arms: tuple[str, ...]
    unshared: tuple[str, ...]


def pool_trials(trials: Sequence[NamedTrial], offers: Sequence[str]) -> PooledTrial:
    """Return trials as one, with the offers of a catalogue as arms.

    Assignment was random in each of them and independent between them, so that customers who stand
    in several may count in each. Strata and probabilities are those of their own trial. What is
    learned from one trial whose arms are all offers is what its own readout learned.

    Raises
    ------
    RetainError
        Outcomes are of different kinds or of unknown worth, no arm is an offer, all have few
        customers, or trials share no covariates.
    """
    _check_units(trials)
    named = [(*one.trial.arms[1:], *one.left_out) for one in trials]
    matched = [_match_arms(arms, offers) for arms in named]
    large = [_drop_small(one, found) for one, found in zip(trials, matched, strict=True)]
    tried = _list_offers(large, offers)
    small = tuple(name for name in _list_offers(matched, offers) if name not in tried)
    arms = [arm for one in named for arm in one]
    if not tried and small:
        raise RetainError(
            f"effects.from: no offer was tried on {MIN_ARM_CUSTOMERS} customers with an outcome, "
            f"beside {MIN_ARM_CUSTOMERS} of the control group: {examples(small)} on fewer; "
            "expected larger campaigns."
        )
    if not tried:
        raise RetainError(
            f"effects.from: no arm is an offer of this catalogue: the arms are {examples(arms)}, "
            f"the offers {examples(offers, 20)}; expected the same names, or other offers=NAME."
        )
    shared, unshared = _share_covariates([one.trial.covariates for one in trials])
    if unshared and not shared:
        names = examples(unshared, 20)
        raise RetainError(f"effects.from: the campaigns share no covariates: {names}.")
    value = _find_value(trials)
    parts = [
        _with_offers(one, found, tried, shared, value)
        for one, found in zip(trials, large, strict=True)
    ]
    titles = [one.name for one in trials]
    known = {arm for found in matched for arm in found}
    unknown = tuple(dict.fromkeys(arm for arm in arms if arm not in known))
    trial, customers = _concatenate(parts, titles)
    return PooledTrial(trial, customers, value, small, unknown, unshared)


def _find_value(trials: Sequence[NamedTrial]) -> float:
    """Return what one of the pooled outcome is worth; 1 where outcomes are turned into money."""
    first, *_ = trials
    kinds = {(one.trial.outcome.kind, one.value) for one in trials}
    return (first.value or 1.0) if first.unit == "money" and len(kinds) == 1 else 1.0


def find_folds(pooled: pd.Index, fold: np.ndarray, customers: pd.Index) -> np.ndarray:
    """Return the fold of customers in the last trial that they were in, −1 for others, (n,).

    ``pooled`` are ids in their own trials, ``fold`` their folds.

    >>> find_folds(pd.Index(["7", "8", "8"]), np.array([0, 1, 2]), pd.Index([8, 9])).tolist()
    [2, -1]
    """
    last = dict(zip(pooled.astype(str), fold.tolist(), strict=True))
    return np.array([last.get(str(one), -1) for one in customers], dtype=np.intp)


def _check_units(trials: Sequence[NamedTrial]) -> None:
    units = [one.unit for one in trials]
    for one in trials:
        if one.unit == "other":
            name = one.trial.outcome.name
            raise RetainError(
                f"effects.from: {one.name} has the outcome {name!r}, of which it is not known what "
                f"one is worth; read it out again with value.OUTCOME=MONEY, or if less of it is "
                f"better with lower_is_better=OUTCOME"
            )
    if len(set(units)) > 1:
        listed = ", ".join(f"{one.name} {one.unit}" for one in trials)
        raise RetainError(f"effects.from: campaigns measured different things: {listed}.")


def _match_arms(arms: Sequence[str], offers: Sequence[str]) -> dict[str, str]:
    """Return the offer of each arm that has one.

    >>> _match_arms(["Mens E-Mail", "call"], ["mens_e_mail", "gift"])
    {'Mens E-Mail': 'mens_e_mail'}
    """
    labels = {name: name for name in offers}
    found = {arm: find_named(arm, labels) for arm in arms}
    matched = {arm: one.key for arm, one in found.items() if one is not None}
    if len(set(matched.values())) < len(matched):
        names = examples(matched)
        raise RetainError(f"effects.from: several arms are one offer: {names}; expected one each.")
    return matched


def _drop_small(one: NamedTrial, found: Mapping[str, str]) -> dict[str, str]:
    """Return the offers of the arms with enough customers to learn from."""
    small = {*one.left_out, *find_small_arms(one.trial)}
    return {arm: offer for arm, offer in found.items() if arm not in small}


def _list_offers(found: Sequence[Mapping[str, str]], offers: Sequence[str]) -> list[str]:
    return [name for name in offers if any(name in one.values() for one in found)]


def _share_covariates(tables: Sequence[pd.DataFrame]) -> tuple[list[str], tuple[str, ...]]:
    """Return covariates of all tables, with the same kind of cells, and the others."""
    kinds = [
        {str(name): pd.api.types.is_numeric_dtype(cells) for name, cells in table.items()}
        for table in tables
    ]
    names = list(dict.fromkeys(name for one in kinds for name in one))
    shared = [name for name in names if len({one.get(name) for one in kinds}) == 1]
    return shared, tuple(name for name in names if name not in shared)


def _with_offers(
    one: NamedTrial,
    found: Mapping[str, str],
    tried: Sequence[str],
    covariates: Sequence[str],
    value: float,
) -> Trial:
    """Return a trial with the arms that are offers, as if there had been no others.

    One of its outcome is then worth ``value``.
    """
    trial, kept = one.trial, [0, *(one.trial.arms.index(arm) for arm in found)]
    place = np.full(len(trial.arms), -1)
    place[kept] = [0, *(1 + tried.index(offer) for offer in found.values())]
    rows = np.flatnonzero(place[trial.arm] >= 0)
    propensity = np.zeros((len(rows), 1 + len(tried)))
    propensity[:, place[kept]] = trial.propensity[rows][:, kept]
    outcome = replace(trial.outcome, values=trial.y[rows])
    if one.unit == "declines":
        outcome = replace(outcome, name="no decline")
    elif one.value != value:
        money = trial.y[rows] * (one.value or 1.0)
        outcome = Outcome(outcome.name, "money", money)
    return Trial(
        ids=trial.ids[rows],
        arms=(CONTROL, *tried),
        arm=place[trial.arm[rows]],
        propensity=propensity / propensity.sum(axis=1, keepdims=True),
        stratum=trial.stratum[rows],
        outcomes={outcome.name: outcome},
        covariates=trial.covariates[list(covariates)].iloc[rows],
        cost=np.zeros(1 + len(tried)),
    )


def _concatenate(parts: Sequence[Trial], names: Sequence[str]) -> tuple[Trial, pd.Series]:
    """Return trials as one, and the ids of their own; of several trials, names go before ids."""
    first, *others = parts
    customers = [str(customer) for one in parts for customer in one.ids]
    if not others:
        return first, pd.Series(customers, index=first.ids)
    starts = np.cumsum([0, *(int(one.stratum.max(initial=0)) + 1 for one in parts[:-1])])
    ids = [f"{name}:{id_}" for name, one in zip(names, parts, strict=True) for id_ in one.ids]
    values = np.concatenate([one.y for one in parts])
    trial = replace(
        first,
        ids=pd.Index(ids),
        arm=np.concatenate([one.arm for one in parts]),
        propensity=np.concatenate([one.propensity for one in parts]),
        stratum=np.concatenate(
            [one.stratum + start for one, start in zip(parts, starts, strict=True)]
        ),
        outcomes={first.outcome.name: replace(first.outcome, values=values)},
        covariates=pd.concat([one.covariates for one in parts]).set_axis(ids),
    )
    return trial, pd.Series(customers, index=ids)
