"""What a scoring leaves: one folder, whole or not at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from retain.campaign.drift import told
from retain.errors import RetainError
from retain.record import ScoreDirectory
from retain.storage.writing import replacing_folder, write_text
from retain.verdict.export import write_csv

if TYPE_CHECKING:
    from retain.app.score import Scored

SCHEMA = 1
NO_DRIVERS = (
    "Drivers are not computed for new customers: offers tied to drivers go by their rules alone."
)


def write(home: ScoreDirectory, found: Scored) -> None:
    """Write everything into a folder that replaces an earlier one when it is whole.

    Raises
    ------
    RetainError
        When it cannot be written.
    """
    try:
        with replacing_folder(home.path) as folder:
            there = ScoreDirectory(folder)
            found.offered.write(there)
            write_csv(found.new.not_scored, there.not_scored)
            write_csv(found.drift, there.drift)
            text = json.dumps(document(found), ensure_ascii=False, allow_nan=False, indent=1)
            write_text(there.score_json, text + "\n")
    except OSError as error:
        raise RetainError.unwritable(home.path, error, "outputs=FOLDER") from None


def document(found: Scored) -> dict[str, Any]:
    """``score.json``: what was scored by what, whom not, drift and segments, in plain values.

    schema                  counts up when the meaning of a key changes
    winner, model           the run that scored, SHA-256 of its file
    data                    fingerprint and counts of the new customers; ``known`` are those whose
                            ids the comparison had too
    drift                   training customers, the PSI of the score, features by shift
    segments, settings      as in verdict.json; the campaign itself stands in campaign.json
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
