"""The readout of a randomised campaign in a table, as ``trial.json`` has it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from retain.campaign.readout.arm_effects import compare_all_arms, propensity_varies
from retain.campaign.readout.gatekeeping import conclude_arms
from retain.campaign.readout.subgroups import estimate_subgroups
from retain.campaign.readout.trial_looks import TrialMonitor
from retain.campaign.trial.checks import check_trial, run_checks
from retain.campaign.trial.covariate_checks import describe_balance
from retain.campaign.trial.covariates import encode_covariates
from retain.campaign.trial.from_table import TrialTable
from retain.record.documents import CautionInfo, SavedFile, content_id, to_tree
from retain.record.estimates import Estimate
from retain.record.looks_document import Look
from retain.record.trial_document import (
    ArmEffect,
    ArmInfo,
    ArmNet,
    CovariateBalance,
    TrialDocument,
    TrialOutcome,
)

MAX_LARGEST_SHARE = 0.05
"""Share of the variance in one customer's hands above which a mean is said to rest on few."""


@dataclass(frozen=True)
class TrialResult:
    """The document of a trial, and the balance of all covariates."""

    document: TrialDocument
    balance: tuple[CovariateBalance, ...]


@dataclass(frozen=True)
class TrialSettings:
    """Settings of a readout besides its table.

    Attributes
    ----------
    looks
        All looks, this one last.
    n_planned
        Customers planned in all.
    expected_effect
        The effect on the primary outcome that is hoped for; None if nobody said.
    cautions
        Warnings of what changed since earlier looks.
    refuse
        False for a campaign whose arms retain drew itself: a failed check is a caution.
    """

    name: str
    treatment: str
    alpha: float
    power: float
    looks: tuple[Look, ...]
    n_planned: int
    expected_effect: float | None = None
    refuse: bool = True
    cautions: tuple[CautionInfo, ...] = ()


def build_trial_readout(
    table: TrialTable, settings: TrialSettings, saved: SavedFile
) -> TrialResult:
    """Check a trial, and return its readout; the same inputs give the same result.

    Raises
    ------
    RetainError
        The trial fails a check.
    """
    trial, encoded = table.trial, encode_covariates(table.trial.covariates)
    checks = (check_trial if settings.refuse else run_checks)(table, encoded)
    monitor = TrialMonitor(trial, settings.looks, settings.n_planned, settings.alpha)
    rows = compare_all_arms(trial, encoded, monitor, settings.power)
    effects = conclude_arms(monitor.correct(rows), settings.alpha)
    document = TrialDocument(
        name=settings.name,
        table=saved,
        treatment=settings.treatment,
        n_customers=len(trial.ids),
        n_without_arm=table.n_without_arm,
        small_arms=table.small_arms,
        arms=tuple(_describe_arms(table)),
        outcomes=tuple(
            TrialOutcome(
                name=one.name,
                kind=one.kind,
                value=table.value.get(one.name),
                is_reversed=one.is_reversed,
            )
            for one in trial.outcomes.values()
        ),
        covariates=dict(table.labels),
        alpha=settings.alpha,
        power=settings.power,
        n_planned=settings.n_planned,
        n_looks=len(settings.looks),
        looks=settings.looks,
        look_correction=monitor.summarise(rows, settings.expected_effect, settings.power),
        expected_effect=settings.expected_effect,
        estimator="doubly_robust" if propensity_varies(trial) else "stratified",
        checks=checks,
        effects=effects,
        net=estimate_net(table, effects),
        subgroups=estimate_subgroups(trial, encoded, monitor.whole, table.dates),
    )
    cautions = (*settings.cautions, *monitor.cautions(rows), *find_trial_cautions(document))
    document = document.model_copy(update={"cautions": cautions})
    document = document.model_copy(update={"id": content_id(to_tree(document))})
    return TrialResult(document, tuple(describe_balance(trial, encoded)))


def _describe_arms(table: TrialTable) -> Iterator[ArmInfo]:
    trial = table.trial
    for index, name in enumerate(trial.arms):
        rows = trial.arm == index
        yield ArmInfo(
            name=name,
            n_customers=int(rows.sum()),
            share=float(trial.propensity[:, index].mean()),
            cost=float(table.cost[index]),
            n_missing={
                outcome.name: int(np.isnan(np.compress(rows, outcome.values)).sum())
                for outcome in trial.outcomes.values()
            },
            n_contacted=None
            if table.contacted is None
            else int((np.compress(rows, table.contacted) == 1).sum()),
        )


def estimate_net(table: TrialTable, effects: Sequence[ArmEffect]) -> tuple[ArmNet, ...] | None:
    """Return gain and net value of each arm; None if the primary outcome's worth is unknown.

    That an arm paid is concluded only if it helped, and that a free one lost only if it harmed, so
    that money adds no false findings.
    """
    value = table.value.get(table.trial.outcome.name)
    if value is None:
        return None
    rows = []
    for row in effects:
        if row.role != "primary" or row.tested_difference is None:
            continue
        index = table.trial.arms.index(row.arm)
        cost, n = float(table.cost[index]), int((table.trial.arm == index).sum())
        gain = _scale(row.tested_difference, value, 0.0)
        net = _scale(row.tested_difference, value, cost)
        is_lost = net.high < 0 and (row.conclusion == "harmed" or cost > 0)
        paid = "paid" if net.low > 0 and row.conclusion == "helped" else "inconclusive"
        rows.append(
            ArmNet.model_validate(
                {
                    "arm": row.arm,
                    "gain": gain,
                    "cost": cost,
                    "net": net,
                    "n_customers": n,
                    "total_net": _scale(net, n, 0.0),
                    "conclusion": "lost" if is_lost else paid,
                }
            )
        )
    return tuple(rows)


def _scale(estimate: Estimate, times: float, cost: float) -> Estimate:
    ends = (estimate.value, estimate.low, estimate.high)
    return Estimate(*(end * times - cost for end in ends))


# --- cautions ------------------------------------------------------------------------------------


def find_trial_cautions(document: TrialDocument) -> Iterator[CautionInfo]:
    """Yield the warnings about a trial, each with its code and numbers."""
    yield from _check_cautions(document)
    for row in document.effects:
        if row.conclusion == "harmed":
            yield CautionInfo.of("harm", arm=row.arm, versus=row.versus, outcome=row.outcome)
        if row.robust is not None and row.robust.largest_share > MAX_LARGEST_SHARE:
            yield CautionInfo.of(
                "heavy_tail", arm=row.arm, outcome=row.outcome, share=row.robust.largest_share
            )
    yield from _more_but_no_money(document)


def _check_cautions(document: TrialDocument) -> Iterator[CautionInfo]:
    checks, arms = document.checks, document.arms
    ratio, balance, missing = checks.sample_ratio, checks.balance, checks.missing
    if ratio.outcome == "caution":
        yield CautionInfo.of("sample_ratio", p=ratio.p)
    elif ratio.outcome == "not_tested":
        counts = {arm.name: arm.n_customers for arm in arms}
        yield CautionInfo.of("shares_unknown", p=ratio.p, counts=counts)
    if balance.outcome == "caution":
        yield CautionInfo.of("balance", p=balance.p, auc=balance.auc)
    primary = document.outcomes[0].name
    counts = {arm.name: arm.n_missing[primary] for arm in arms}
    if missing.outcome == "caution":
        yield CautionInfo.of("missing_differs", outcome=primary, counts=counts, p=missing.p)
    elif missing.p is not None:
        yield CautionInfo.of("missing", outcome=primary, counts=counts)
    if arms[0].n_contacted:
        yield CautionInfo.of("against_plan", arm=arms[0].name, n_contacted=arms[0].n_contacted)
    if document.n_without_arm:
        yield CautionInfo.of("without_arm", n_customers=document.n_without_arm)
    if document.net and not any(arm.cost for arm in arms):
        yield CautionInfo.of("no_cost")


def _more_but_no_money(document: TrialDocument) -> Iterator[CautionInfo]:
    """Yield arms that raise the share who buy, or another outcome, and not the money."""
    kinds = {outcome.name: outcome.kind for outcome in document.outcomes}
    rows = [row for row in document.effects if row.role != "between" and row.p is not None]
    for money in rows:
        if kinds[money.outcome] != "money" or _is_more(money, document):
            continue
        others = [row for row in rows if row.arm == money.arm and kinds[row.outcome] != "money"]
        more = {row.outcome: row.p for row in others if _is_more(row, document)}
        robust = money.robust
        if robust is not None and robust.above_zero.low > 0:
            more.setdefault("buyers", robust.above_zero_p)
        if more:
            yield CautionInfo.of("more_but_no_money", arm=money.arm, money=money.outcome, more=more)


def _is_more(row: ArmEffect, document: TrialDocument) -> bool:
    is_found = row.p is not None and row.p < document.alpha
    return row.tested_difference is not None and row.tested_difference.value > 0 and is_found
