"""Outcomes of a campaign or of scores from a newer purchase log, read as the study read its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from retain.campaign.assignment import read_campaign_json
from retain.customers.purchases.outcomes import LogOutcomes, read_log_outcomes
from retain.customers.purchases.source import parse_day
from retain.errors import RetainError
from retain.execution.dataset import capture_log
from retain.learning.components import build_source
from retain.record.directory import CampaignDirectory, ScoreDirectory
from retain.record.documents import read_document
from retain.record.score_document import ScoreDocument
from retain.record.study import StudyDirectory
from retain.record.verdict_document import VerdictDocument
from retain.schema.parsing import Node

PURCHASES = "retain.customers.purchases.source.read"
"""The reader of purchase logs, as configs name it."""


@dataclass(frozen=True)
class NewerLog:
    """The outcomes in a log, and what its reader said."""

    outcomes: LogOutcomes
    messages: tuple[str, ...]


def find_recorded_log(study: StudyDirectory) -> Node | None:
    """Return how the winner of a study read its purchase log; None if no verdict says so.

    Raises
    ------
    RetainError
        This version cannot read the verdict.
    """
    if not study.verdict_json.is_file():
        return None
    verdict = read_document(VerdictDocument, study.verdict_json, within=study.path)[1]
    node = verdict.winner.config.get("data")
    return node if isinstance(node, dict) and node.get("_target_") == PURCHASES else None


def read_newer_log(node: Mapping[str, Any], start: str | None, of: str) -> NewerLog:
    """Read the outcomes of a horizon from a purchase log.

    Parameters
    ----------
    node
        The source. Its ``snapshot`` is the first day of the horizon, if it has one.
    start
        The first day otherwise (YYYY-MM-DD), None if nobody wrote it down.
    of
        What is read out, such as ``campaign 0a1b2c3d``, for messages.

    Raises
    ------
    RetainError
        The source is no log, no day is known, or as in ``read_log_outcomes``.
    """
    if node.get("_target_") != PURCHASES:
        problem = f"it is {node.get('name')!r}, which holds no purchases"
        raise RetainError.at("data", problem, "expected data=purchases data.path=LOG")
    build_source(node)  # raises for keys that are none of the reader's
    day = parse_day(node.get("snapshot") or start, "data.snapshot")
    if day is None:
        raise RetainError(
            f"nothing says on which day {of} began, from which on outcomes count; type "
            "data.snapshot=DAY, such as data.snapshot=2027-02-01."
        )
    with capture_log() as messages:
        outcomes = read_log_outcomes(node, day)
    return NewerLog(outcomes, tuple(messages))


def campaign_span(campaign: CampaignDirectory) -> tuple[str | None, float]:
    """Return the first day of a campaign, None if it has none, and the months of its amounts."""
    settings = read_campaign_json(campaign.path).settings
    if settings is None:
        raise ValueError("campaign.json has settings")  # read_campaign_json says so
    return settings.campaign.start, settings.assumptions.horizon.value


def scores_snapshot(scores: ScoreDirectory) -> str | None:
    """Return the day at which customers were scored, None if it is not written down."""
    return read_document(ScoreDocument, scores.score_json, within=scores.path)[1].data.snapshot
