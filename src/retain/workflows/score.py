"""New customers through a saved winner: scores, segments, offers, and the files of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from retain.campaign.drift import drift_warnings
from retain.record import ScoreDirectory
from retain.storage.writing import write_text
from retain.verdict.export import write_csv

if TYPE_CHECKING:
    import pandas as pd

    from retain.campaign.audience import Audience, CampaignSettings
    from retain.learning.scores import Scores
    from retain.schema import Score
    from retain.workflows.campaign import CampaignFiles
    from retain.workflows.new_customers import NewCustomers
    from retain.workflows.saved_winner import LoadedWinner


@dataclass(frozen=True)
class ScoreResult:
    """New customers scored, placed and offered something, and held against training.

    Attributes
    ----------
    offered
        Segments and campaign, as trees and tables.
    drift
        As ``campaign.drift`` tells it.
    """

    saved: LoadedWinner
    new: NewCustomers
    offered: CampaignFiles
    drift: pd.DataFrame


def score_customers(
    config: Score, saved: LoadedWinner, settings: CampaignSettings, new: NewCustomers
) -> ScoreResult:
    """The new customers through the saved winner and into a campaign.

    Raises
    ------
    RetainError
        When the model is not the verdict's, or offers or limits mean nothing for these customers.
    """
    from threadpoolctl import threadpool_limits

    from retain.campaign.campaign import apply_to_new_customers
    from retain.campaign.drift import drift
    from retain.workflows.campaign import to_campaign_files

    scores = _scores(config, saved, new)
    with threadpool_limits(config.threads):
        moved = drift(saved.reference, new.table, scores.table["probability"].to_numpy())
        people = _people(saved, settings, new, scores)
        made = apply_to_new_customers(people, saved.calibration, settings)
        found = to_campaign_files(made, settings, saved.calibration, config.report.language, None)
    return ScoreResult(saved, new, found, moved)


def _scores(config: Score, saved: LoadedWinner, new: NewCustomers) -> Scores:
    """What the saved model, in a process of its own, makes of the new customers."""
    from retain.execution.executor import run_in_subprocess
    from retain.execution.shared_memory import launch_dir, share

    model = (saved.folder / saved.file.file, saved.file.sha256)
    with launch_dir() as folder:
        table = share(new.table, folder / "table")
        job = (*model, table, config.rows, config.threads)
        with run_in_subprocess("score", *job, does="scores the customers") as scoring:
            scores: Scores = scoring()
    return scores


def _people(
    saved: LoadedWinner, settings: CampaignSettings, new: NewCustomers, scores: Scores
) -> Audience:
    """The customers with risk and money; of categories also the levels the comparison met."""
    from retain.campaign.value.value import build_audience
    from retain.workflows.new_customers import with_levels

    found = build_audience(
        [scores],
        new.customers,
        saved.calibration,
        settings.assumptions,
        consent=settings.planning.consent,
    )
    return replace(found, columns=with_levels(found.columns, saved))


def merge_settings(config: Score, saved: LoadedWinner) -> CampaignSettings:
    """What the comparison assumed, offered and allowed, with what was typed.

    An option of a group that was chosen counts as it is. Segments, and the offers unless others
    were chosen, have the cut-offs of the comparison.
    """
    from retain.campaign.audience import CampaignSettings
    from retain.schema import parse
    from retain.schema.parsing import deep_merge
    from retain.schema.scoring import SavedSettings

    tree = {**saved.settings.model_dump(by_alias=True), **saved.cuts.model_dump(by_alias=True)}
    for key in ("assumptions", "offers", "campaign"):
        typed = getattr(config, key)
        if typed is not None:
            tree[key] = typed if "name" in typed else deep_merge(tree[key], typed)
    found = parse(SavedSettings, tree)
    return CampaignSettings(found.segmentation, found.assumptions, found.offers, found.campaign)


SCHEMA = 3
NO_DRIVERS = (
    "Drivers are not computed for new customers: offers tied to drivers go by their rules alone."
)


def write(made: ScoreDirectory, found: ScoreResult) -> None:
    """Write everything into a new folder."""
    found.offered.write(made)
    write_csv(found.new.not_scored, made.not_scored)
    write_csv(found.drift, made.drift)
    text = json.dumps(document(found), ensure_ascii=False, allow_nan=False, indent=1)
    write_text(made.score_json, text + "\n")


def document(found: ScoreResult) -> dict[str, Any]:
    """``score.json``: what was scored by what, whom not, drift and segments, in plain values.

    schema                  counts up when the meaning of a key changes
    winner, model_sha256    the run that scored, SHA-256 of its file
    data                    fingerprint and counts of the new customers; ``n_in_comparison`` are
                            those whose ids the comparison had too
    drift                   training customers, the PSI of the score, features by shift
    segments, settings      as in verdict.json
    campaign_id             of the campaign, which lies in campaigns/; null where there is none
    campaign_sha256         of its campaign.json
    cautions                what a reader should know
    """
    saved, new, tree = found.saved, found.new, found.offered.tree
    return {
        "schema": SCHEMA,
        "winner": {"id": saved.winner.id, "name": saved.winner.name},
        "model_sha256": saved.file.sha256,
        "data": {
            "fingerprint": new.customers.fingerprint,
            "n_customers": len(new.table),
            "n_not_scored": len(new.not_scored),
            "n_in_comparison": new.known,
        },
        "drift": _drift(found),
        "segments": tree["segments"],
        "settings": tree["settings"],
        "campaign_id": (tree["campaign"] or {}).get("id"),
        "campaign_sha256": tree["campaign_sha256"],
        "cautions": cautions(found),
    }


def cautions(found: ScoreResult) -> list[str]:
    """Sentences a reader should know: drift, customers the winner knows, what is not computed."""
    said = drift_warnings(found.drift)
    if known := found.new.known:
        said.append(
            f"{known} of these ids are in the comparison too: where their rows are the same as "
            "there, the model has seen them, and their scores are surer than they should be."
        )
    return [*said, NO_DRIVERS]


def _drift(found: ScoreResult) -> dict[str, Any]:
    features = found.drift[found.drift["kind"] == "feature"]
    shifts = {
        shift: features.loc[features["shift"] == shift, "name"].tolist()
        for shift in ("strong", "moderate", "chance")
    }
    return {
        "n_training_customers": found.saved.reference.n_training_customers,
        "score_psi": float(found.drift["psi"].iloc[0]),
        **shifts,
    }
