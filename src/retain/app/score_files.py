"""What a scoring leaves: one folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from retain.campaign.drift import told
from retain.record import ScoreDirectory
from retain.storage.writing import write_text
from retain.verdict.export import write_csv

if TYPE_CHECKING:
    from retain.app.score import Scored

SCHEMA = 2
NO_DRIVERS = (
    "Drivers are not computed for new customers: offers tied to drivers go by their rules alone."
)


def write(made: ScoreDirectory, found: Scored) -> None:
    """Write everything into a new folder."""
    found.offered.write(made)
    write_csv(found.new.not_scored, made.not_scored)
    write_csv(found.drift, made.drift)
    text = json.dumps(document(found), ensure_ascii=False, allow_nan=False, indent=1)
    write_text(made.score_json, text + "\n")


def document(found: Scored) -> dict[str, Any]:
    """``score.json``: what was scored by what, whom not, drift and segments, in plain values.

    schema                  counts up when the meaning of a key changes
    winner, model           the run that scored, SHA-256 of its file
    data                    fingerprint and counts of the new customers; ``known`` are those whose
                            ids the comparison had too
    drift                   training customers, the PSI of the score, features by shift
    segments, settings      as in verdict.json
    campaign                id of the campaign, which stands in campaigns/; null where there is none
    campaign_sha256         of its campaign.json
    cautions                what a reader should know
    """
    saved, new, tree = found.saved, found.new, found.offered.tree
    return {
        "schema": SCHEMA,
        "winner": {"id": saved.winner.id, "name": saved.winner.name},
        "model": saved.file.sha256,
        "data": {
            "fingerprint": new.customers.fingerprint,
            "scored": len(new.table),
            "not_scored": len(new.not_scored),
            "known": new.known,
        },
        "drift": _drift(found),
        "segments": tree["segments"],
        "settings": tree["settings"],
        "campaign": (tree["campaign"] or {}).get("id"),
        "campaign_sha256": tree["campaign_sha256"],
        "cautions": cautions(found),
    }


def cautions(found: Scored) -> list[str]:
    """Sentences a reader should know: drift, customers the winner knows, what is not computed."""
    said = told(found.drift)
    if known := found.new.known:
        said.append(
            f"{known} of these ids are in the comparison too: where their rows are the same as "
            "there, the model has seen them, and their scores are surer than they should be."
        )
    return [*said, NO_DRIVERS]


def _drift(found: Scored) -> dict[str, Any]:
    features = found.drift[found.drift["what"] == "feature"]
    shifts = {
        shift: features.loc[features["shift"] == shift, "name"].tolist()
        for shift in ("strong", "moderate", "chance")
    }
    return {
        "customers_then": found.saved.reference.customers,
        "score": float(found.drift["psi"].iloc[0]),
        **shifts,
    }
