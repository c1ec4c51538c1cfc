"""Outcomes of a campaign or of scores from a newer purchase log, read as the study read its own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
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
from retain.workflows.campaign_files import read_campaign_id

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


@dataclass(frozen=True)
class ReadoutSpan:
    """The days from which on outcomes of a campaign or of scores count.

    Attributes
    ----------
    of
        What is read out, such as ``campaign 0a1b2c3d``, for messages.
    start
        The first day (YYYY-MM-DD), None if nobody wrote it down.
    snapshot
        The day of the customers' features, before which nothing is an outcome; None if unknown.
    months
        Of the amounts that were planned; None without a plan.
    """

    of: str
    start: str | None
    snapshot: str | None
    months: float | None = None


def read_newer_log(
    node: Mapping[str, Any], span: ReadoutSpan, min_known_share: float | None
) -> NewerLog:
    """Read the outcomes of a horizon from a purchase log that knows a share of the customers.

    The ``snapshot`` of the node is the first day of the horizon, if it has one, or else the start
    of the span.

    Raises
    ------
    RetainError
        The source is no log, no day is known, it is before the span, or as in
        ``read_log_outcomes``.
    """
    if node.get("_target_") != PURCHASES:
        problem = f"it is {node.get('name')!r}, which holds no purchases"
        raise RetainError.at("data", problem, "expected data=purchases data.path=LOG")
    build_source(node)  # raises for keys that are none of the reader's
    day = parse_day(node.get("snapshot") or span.start, "data.snapshot")
    if day is None:
        raise RetainError(
            f"nothing says on which day {span.of} began, from which on outcomes count; type "
            "data.snapshot=DAY, such as data.snapshot=2027-02-01."
        )
    _check_not_before(day, span)
    with capture_log() as messages:
        outcomes = read_log_outcomes(node, day)
    outcomes = replace(outcomes, min_known_share=min_known_share)
    return NewerLog(outcomes, tuple(messages))


def _check_not_before(day: date, span: ReadoutSpan) -> None:
    """Raise if a horizon begins before the campaign does, or before the customers' features."""
    days = {
        span.start: f"the day on which {span.of} began",
        span.snapshot: f"the day of the customers' features of {span.of}",
    }
    for text, what in days.items():
        first = parse_day(text, what)
        if first is not None and day < first:
            raise RetainError.at(
                "data.snapshot",
                f"{day} is before {first}, {what}: what came before is no outcome",
                f"expected that day or a later one, such as data.snapshot={first}",
            )


def campaign_span(campaign: CampaignDirectory) -> ReadoutSpan:
    """Return the days and months of a campaign."""
    settings = read_campaign_json(campaign.path).settings
    if settings is None:
        raise ValueError("campaign.json has settings")  # read_campaign_json says so
    return ReadoutSpan(
        of=f"campaign {campaign.path.name}",
        start=settings.campaign.start,
        snapshot=_find_snapshot(campaign),
        months=settings.assumptions.horizon.value,
    )


def scores_span(scores: ScoreDirectory) -> ReadoutSpan:
    """Return the days of scores, which begin with that of the customers' features."""
    snapshot = read_document(ScoreDocument, scores.score_json, within=scores.path)[1].data.snapshot
    return ReadoutSpan("these scores", snapshot, snapshot)


def _find_snapshot(campaign: CampaignDirectory) -> str | None:
    """Return the day of the features that a campaign was planned with, None if nothing says so.

    The verdict or the scores that point to the campaign do. It may have been copied out of its
    study, or another plan have taken its place.
    """
    study = StudyDirectory.around(campaign.path)
    if study is None:
        return None
    for path in study.results:
        with suppress(RetainError, OSError):  # whoever reads the document itself is told
            if read_campaign_id(path) != campaign.path.name:
                continue
            if path != study.verdict_json:
                return read_document(ScoreDocument, path)[1].data.snapshot
            return read_document(VerdictDocument, path)[1].split.sealed_snapshot
    return None
