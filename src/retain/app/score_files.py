"""What a scoring leaves: one folder, whole or not at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from retain.campaign.drift import told
from retain.errors import RetainError
from retain.record import ScoreDirectory, replacing_folder, write_text
from retain.verdict.export import write_csv, write_many

if TYPE_CHECKING:
    from retain.app.score import Scored

SCHEMA = 1
NO_DRIVERS = (
    "Drivers are not computed for new customers, so offers tied to drivers go by their rules alone."
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
            write_many(scores(found), there.scores)
            write_csv(found.new.not_scored, there.not_scored)
            write_csv(found.drift, there.drift)
            text = json.dumps(document(found), ensure_ascii=False, allow_nan=False, indent=1)
            write_text(there.score_json, text + "\n")
    except OSError as error:
        raise RetainError.unwritable(home.path, error, "outputs=FOLDER") from None


def scores(found: Scored) -> pd.DataFrame:
    """A row a customer: ``customer_id, segment, score, risk`` and, with profit, the money."""
    audience = found.audience
    table = audience.table.drop(columns="origin")
    table.insert(0, "segment", pd.Series(audience.segments, index=table.index, dtype="str"))
    return table.reset_index(names="customer_id")


def document(found: Scored) -> dict[str, Any]:
    """``score.json``: what was scored by what, whom not, drift and segments, in plain values.

    schema                  counts up when the meaning of a key changes
    winner, model           the run that scored, SHA-256 of its file
    data                    fingerprint and counts of the new customers; ``known`` are those whose
                            ids the comparison had too
    drift                   customers then and now, the PSI of the score, features by shift
    segments                customers, mean risk and profit at risk of each
    profit_unit             what money is measured in; null without profit
    cautions                what a reader should know
    """
    saved, new = found.saved, found.new
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
        "segments": segments(found).to_dict("records"),
        "profit_unit": found.audience.profit_unit,
        "cautions": cautions(found),
    }


def segments(found: Scored) -> pd.DataFrame:
    """Customers, mean risk and, with profit, the profit at risk of each segment, most of it first.

    A segment of the comparison in which no new customer lies is not there.
    """
    audience = found.audience
    grouped = audience.table.groupby(np.asarray(audience.segments, dtype=object), sort=True)
    table = pd.DataFrame({"customers": grouped.size(), "risk": grouped["risk"].mean()})
    by = "risk"
    if audience.with_profit:
        by = "profit_at_risk"
        table[by] = grouped[by].sum()
    ordered = table.sort_values(by, ascending=False, kind="stable")
    return ordered.reset_index(names="segment")


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
