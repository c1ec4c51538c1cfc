"""``score_readout.json``: earlier scores held against what came."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from retain.record.comparison_document import GateResult
from retain.record.documents import Sha256
from retain.record.estimates import Estimate
from retain.record.outcomes_log import OutcomesLogInfo
from retain.schema.parsing import Config

SCORE_READOUT_SCHEMA: Final = 1
"""Of ``score_readout.json``; counts up when the meaning of a key changes."""


class ObservedShare(Config):
    """The share expected to decline beside the one that did.

    ``p`` is the probability of so large a difference if the risks were right.
    """

    n_customers: int
    expected: float
    observed: Estimate
    p: float


class ObservedMoney(Config):
    """The profit at risk beside the profit lost, both over the horizon.

    The interval of ``at_risk`` holds ``lost`` in 95 of 100 cases if the risks were right.
    """

    unit: str
    at_risk: Estimate
    lost: float


class ScoreReadoutDocument(Config):
    """The content of ``score_readout.json``.

    Attributes
    ----------
    score_sha256, scores_sha256, outcomes_sha256
        Of ``score.json``, of ``scores.csv`` and of the declines in the order of the scores. The
        second is None where ``score.json`` does not hold it, so that nobody can tell an edit.
    n_scored, n_observed
        Customers scored, and those of them with a known outcome that no campaign changed.
    n_contacted, n_control
        Customers of the scoring's own campaign with a known outcome: those to contact are left
        out, and the control group stands for them.
    n_contacted_by_others
        More customers left out: those whom other campaigns were to contact in the horizon.
    unreadable_campaigns
        Paths of campaigns that cannot be read, so that nobody knows whom they contacted.
    bands
        Customers by like risk, the lowest first.
    log
        The purchase log that the outcomes are of; None for a file of outcomes.
    """

    schema_: Literal[1] = Field(default=SCORE_READOUT_SCHEMA, alias="schema")
    score_sha256: Sha256
    scores_sha256: Sha256 | None = None
    outcomes_sha256: Sha256
    campaign_id: str | None
    n_scored: int
    n_observed: int
    n_contacted: int
    n_control: int
    n_contacted_by_others: int = 0
    unreadable_campaigns: tuple[str, ...] = ()
    roc_auc: Estimate
    overall: ObservedShare
    bands: tuple[ObservedShare, ...]
    money: ObservedMoney | None
    gate: tuple[GateResult, ...]
    log: OutcomesLogInfo | None = None
