"""Earlier scores held against the outcomes that came, and the file this leaves.

scores/<id>/readout/
  score_readout.json   the results, for programs; see record/score_readout_document.py
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from retain.campaign.assignment import Assignment, read_assignment
from retain.campaign.assignment_table import unescape_formulas
from retain.campaign.readout.log_outcomes import OutcomesSource, observe
from retain.campaign.readout.outcomes import OutcomeCustomers, Outcomes, hash_outcomes
from retain.campaign.readout.score_readout import (
    ObservedScores,
    compare_bands,
    compare_money,
    compare_shares,
    estimate_roc_auc,
)
from retain.campaign.value.value import value_at_stake
from retain.customers.purchases.source import parse_day
from retain.errors import NotApplicable, RetainError
from retain.record.comparison_document import GateResult
from retain.record.directory import ScoreDirectory
from retain.record.documents import read_document, write_document
from retain.record.estimates import Estimate
from retain.record.score_document import ScoreDocument
from retain.record.score_readout_document import ScoreReadoutDocument
from retain.record.study import StudyDirectory
from retain.storage.pinned import read_pinned
from retain.storage.reading import MAX_TABLE_BYTES, read_bytes
from retain.storage.writing import hash_file
from retain.verdict.export import parse_exported, read_exported
from retain.wording import format_ci
from retain.workflows.open_campaigns import Overlapping, Period, find_overlapping

ROC_AUC = "roc_auc"


def read_out_scores(
    scores: ScoreDirectory,
    outcomes: OutcomesSource,
    gate: Mapping[str, float],
    *,
    on_wait: Callable[[StudyDirectory], None] = lambda _: None,
) -> ScoreReadoutDocument:
    """Hold earlier scores against outcomes, and write the result beside them.

    Customers to contact in the scoring's own campaign, or in another one of this folder of outputs
    that was open in the horizon, are left out: the campaign may have changed what they did. The
    control group stands for them.

    Raises
    ------
    RetainError
        The scores, their campaign, the outcomes or the gate are invalid, too few customers have an
        outcome, or the folder is not writable.
    """
    for name in gate:
        if name != ROC_AUC:
            raise RetainError.unknown("gate: metric", name, [ROC_AUC])
    study, subfolder = StudyDirectory.to_lock(scores.path, scores.readout.parent)
    document = read_document(ScoreDocument, scores.score_json, within=scores.path)[1]
    table = _read_scores(scores, document)
    customers = OutcomeCustomers(table["customer_id"], "scores", scores.path.name)
    found = observe(outcomes, customers)
    own, others = _read_campaign(scores, document), _find_others(scores, document, found)
    sha256 = hash_file(scores.score_json)
    try:
        result = _hold(table, document, found, (own, others.assignments), sha256)
    except NotApplicable as reason:
        raise RetainError(f"{scores.path} cannot be read out: {reason}.") from None
    checks = tuple(_check(result.roc_auc, least) for least in gate.values())
    scores_sha256 = (document.files or {}).get(scores.customers.name)
    more = {"scores_sha256": scores_sha256, "unreadable_campaigns": others.unreadable}
    result = result.model_copy(update={"gate": checks, **more})
    with study.rewriting(lambda: on_wait(study), "scores=COPY of the folder") as staging:
        write_document(result, staging.add(subfolder) / scores.readout.name)
    return result


def _read_scores(scores: ScoreDirectory, document: ScoreDocument) -> pd.DataFrame:
    """Return id, score, risk and, if there is any, profit of the scored customers."""
    raw = _read_scores_csv(scores, document.files)
    try:
        cells = read_exported(raw)
        table = pd.DataFrame({"customer_id": unescape_formulas(cells["customer_id"])})
        for name in ("score", "risk", "profit"):
            if name in cells or name != "profit":
                table[name] = parse_exported(cells[name])
    except (ValueError, KeyError) as error:
        problem = f"it cannot be read: {error}"
        raise RetainError.at(str(scores.customers), problem, "put back what was written") from None
    in_range = table[["score", "risk"]].apply(lambda column: column.between(0, 1)).to_numpy()
    if not in_range.all() or table["customer_id"].duplicated().any():
        problem = "a score or risk is not a probability, or an id is repeated"
        raise RetainError.at(str(scores.customers), problem, "put back what was written")
    return table


def _read_scores_csv(scores: ScoreDirectory, files: Mapping[str, str] | None) -> bytes:
    """Return ``scores.csv``, which must be the one of ``score.json`` if that holds hashes."""
    path, home = scores.customers, scores.path
    if files is None:
        return read_bytes(path, max_bytes=MAX_TABLE_BYTES, within=home)
    expected, name = files.get(path.name, "nothing"), scores.score_json.name
    return read_pinned(path, expected, name, max_bytes=MAX_TABLE_BYTES, within=home)


def _read_campaign(scores: ScoreDirectory, document: ScoreDocument) -> Assignment | None:
    """Return who was to be contacted after the scoring; None if no campaign was planned."""
    if document.campaign_id is None:
        return None
    study = StudyDirectory(scores.path.absolute().parents[1])
    campaign = study.campaign(document.campaign_id)
    assignment = read_assignment(campaign.path)
    if hash_file(campaign.campaign_json) != document.campaign_sha256:
        problem = f"{campaign.path} is not the campaign that these scores were planned with"
        raise RetainError.at(str(scores.score_json), problem, "put back what was written")
    return assignment


def _find_others(
    scores: ScoreDirectory, document: ScoreDocument, outcomes: Outcomes
) -> Overlapping:
    """Return the other campaigns in the horizon of outcomes; none if nothing says when that was."""
    settings, log = document.settings, outcomes.log
    begun = parse_day(document.data.snapshot or settings.campaign.start, "data.snapshot")
    if log is not None:
        after = date.fromisoformat(log.last_day) + timedelta(days=1)
        period = Period(date.fromisoformat(log.first_day), after)
    elif begun is not None:
        period = Period.of(begun, settings.assumptions.horizon.value)
    else:
        return Overlapping()
    study = StudyDirectory(scores.path.absolute().parents[1])
    found = find_overlapping(study, period, settings.campaign, scores.score_json)
    others = tuple(one for one in found.assignments if one.id != document.campaign_id)
    return replace(found, assignments=others)


@dataclass(frozen=True)
class _ScoredArms:
    """The contacted and the control customers among those scored, and the weight of these.

    A control customer stands for the contacted ones of the same chance to be in that group.
    """

    is_treated: np.ndarray
    is_control: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, ids: pd.Series, assignment: Assignment | None) -> _ScoredArms:
        """Return the arms of customers in a campaign; None is one of nobody."""
        is_treated, is_control = np.zeros((2, len(ids)), dtype=bool)
        weight = np.ones(len(ids))
        if assignment is not None:
            row = pd.Index(assignment.table["customer_id"]).get_indexer(pd.Index(ids))
            chosen = row >= 0
            is_treated[chosen] = assignment.is_treated[row[chosen]]
            is_control = chosen & ~is_treated
            weight[is_control] = 1 / (1 - assignment.propensity[row[is_control]])
        return cls(is_treated, is_control, weight)


def _hold(
    table: pd.DataFrame,
    document: ScoreDocument,
    outcomes: Outcomes,
    campaigns: tuple[Assignment | None, tuple[Assignment, ...]],
    score_sha256: str,
) -> ScoreReadoutDocument:
    """Return the readout of scores beside their own campaign, and beside others."""
    if outcomes.declined is None:
        raise NotApplicable("the outcomes do not say who declined (outcomes.declined=COLUMN)")
    assignment, ids = campaigns[0], table["customer_id"]
    own, others = (
        _ScoredArms.of(ids, assignment),
        [_ScoredArms.of(ids, one) for one in campaigns[1]],
    )
    known = np.isfinite(outcomes.declined)
    by_others = np.any([np.zeros(len(ids), bool), *(one.is_treated for one in others)], axis=0)
    weight = np.prod([own.weight, *(one.weight for one in others)], axis=0)
    rows = known & ~own.is_treated & ~by_others
    value = None
    if "profit" in table:
        value = value_at_stake(table["profit"].to_numpy(dtype=float), document.settings.assumptions)
    observed = ObservedScores(
        score=table["score"].to_numpy(dtype=float)[rows],
        risk=table["risk"].to_numpy(dtype=float)[rows],
        declined=outcomes.declined[rows],
        value=None if value is None else value[rows],
        weight=weight[rows],
    )
    return ScoreReadoutDocument(
        score_sha256=score_sha256,
        outcomes_sha256=hash_outcomes(outcomes),
        campaign_id=document.campaign_id,
        n_scored=len(table),
        n_observed=int(rows.sum()),
        n_contacted=int((known & own.is_treated).sum()),
        n_control=int((known & own.is_control).sum()),
        n_contacted_by_others=int((known & by_others & ~own.is_treated).sum()),
        roc_auc=estimate_roc_auc(observed),
        overall=compare_shares(observed),
        bands=compare_bands(observed),
        money=compare_money(observed, "" if assignment is None else assignment.unit),
        gate=(),
        log=outcomes.log,
    )


def _check(found: Estimate, least: float) -> GateResult:
    missed = max(least - found.value, 0.0)
    said = f"{ROC_AUC} is {found.value:.4f} ({format_ci(found.low, found.high, '.4f')})"
    end = f"missed by {missed:.4f}" if missed else "reached"
    return GateResult(
        name=ROC_AUC,
        threshold=least,
        value=found.value,
        missed_by=missed,
        passed=not missed,
        message=f"{said}, the threshold is at least {least:g}: {end}.",
    )


def find_scores(text: str, outputs: Path) -> ScoreDirectory:
    """Return scored customers by their id or folder.

    Raises
    ------
    RetainError
        There are none, or several with this id.
    """
    from retain.storage.paths import parse_path

    path = parse_path("scores", text)
    found = [path] if path.exists() else sorted(outputs.glob(f"*/scores/{path.name}"))
    directories = [ScoreDirectory(one) for one in found if ScoreDirectory(one).score_json.is_file()]
    if len(directories) == 1:
        return directories[0]
    known = sorted(one.parent.name for one in outputs.glob("*/scores/*/score.json"))
    problem = f"{len(directories)} folders of scores are there" if directories else "none is there"
    holds = f"; {outputs} holds {', '.join(known)}" if known else ""
    expected = "expected the id or folder of a scoring, outputs/NAME/scores/ID"
    raise RetainError.at(f"scores {text}", f"{problem}{holds}", expected)
