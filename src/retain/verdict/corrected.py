"""The winner's means, corrected for its choice among the candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from retain.record.comparison_document import CorrectedMeans, CorrectionMethod
from retain.record.document import MetricSummary, Record
from retain.record.estimates import Estimate
from retain.verdict.paired import METRIC
from retain.verdict.placements import Placements
from retain.verdict.selection import correct_for_selection, count_resamples
from retain.wording import describe_count, format_ci


def correct_means(
    winner: Record, candidates: Sequence[Record], placements: Placements | None
) -> CorrectedMeans:
    """Return the winner's means, corrected for its choice among candidates, the best first.

    ROC-AUC is corrected by BBC-CV. Every other metric is the mean over folds, each measured for the
    run with the best ROC-AUC on the other folds. A winner other than the best keeps its own mean
    where that is the worse of the two.
    """
    whole = [one for one in candidates if not one.stopped_early]
    if len(whole) < 2:
        own = {name: _as_mean(metric) for name, metric in winner.metrics.items()}
        return _describe("one_candidate", len(whole), None, own)
    means = {name: _correct_by_folds(whole, name) for name in winner.metrics}
    scored = placements if placements is not None and len(placements.ids) > 1 else None
    if scored is not None:
        by_id = {one.id: one.metrics[METRIC].value for one in whole}
        auc = np.array([by_id[id_] for id_ in scored.ids])
        means[METRIC] = Estimate(*correct_for_selection(scored, auc))
    if winner.id != whole[0].id:
        means = {name: _worse(mean, winner.metrics[name]) for name, mean in means.items()}
    return _describe("folds" if scored is None else "bbc_cv", len(whole), scored, means)


def _describe(
    method: CorrectionMethod,
    n_candidates: int,
    scored: Placements | None,
    means: dict[str, Estimate],
) -> CorrectedMeans:
    n_scored = 0 if scored is None else len(scored.ids)
    return CorrectedMeans(
        method=method,
        n_candidates=n_candidates,
        n_scored=n_scored,
        n_resamples=0 if scored is None else count_resamples(len(scored.declined)),
        metrics=means,
        message=_correction_message(method, n_candidates, n_scored, means),
    )


def _correction_message(
    method: CorrectionMethod, n_candidates: int, n_scored: int, means: Mapping[str, Estimate]
) -> str:
    """Return the corrected mean ROC-AUC as a sentence, empty without a choice."""
    if method == "one_candidate":
        return ""
    mean = means[METRIC]
    interval = format_ci(mean.low, mean.high)
    choice = f"for its choice among {describe_count(n_candidates, 'run')}"
    how = {
        "bbc_cv": f"BBC-CV over the scores of {n_scored}",
        "folds": "each fold measured for the best run on the others",
    }[method]
    return f"Corrected {choice}, ROC-AUC is {mean.value:.3f} ({interval}; {how})."


def _as_mean(metric: MetricSummary) -> Estimate:
    return Estimate(metric.value, metric.low, metric.high)


def _worse(mean: Estimate, own: MetricSummary) -> Estimate:
    is_worse = own.value < mean.value if own.higher_is_better else own.value > mean.value
    return _as_mean(own) if is_worse else mean


def _correct_by_folds(candidates: Sequence[Record], metric: str) -> Estimate:
    """Return the corrected mean of the best candidate, with its own interval moved along."""
    own = candidates[0].metrics[metric]
    value = measure_left_out_folds(candidates, metric)
    shift = value - own.value
    return Estimate(value, max(own.low + shift, 0.0), own.high + shift)


def measure_left_out_folds(records: Sequence[Record], metric: str) -> float:
    """Return a metric's mean over folds, each measured for the run best on the others.

    For each fold the run with the best mean ROC-AUC over the other folds of its repeat is chosen,
    and ``metric`` of that run on the fold is taken: no fold takes part in the choice it measures.
    All records have all folds.
    """
    folds = records[0].split.n_folds
    ranks, values = (
        np.array([record.metrics[name].fold_values for record in records])
        for name in (METRIC, metric)
    )
    ranks = ranks.reshape(len(records), -1, folds)
    others = ranks.sum(axis=2, keepdims=True) - ranks
    best = others.argmax(axis=0).ravel()
    return float(values[best, np.arange(values.shape[1])].mean())
