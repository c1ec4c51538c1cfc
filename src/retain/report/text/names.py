"""Display names of runs, config values, metrics and features on the page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from retain.record.approval_document import ApprovalRow
from retain.record.campaign_document import CampaignDocument
from retain.record.estimates import DisplayName
from retain.record.segments_document import SegmentInfo
from retain.report.text.numbers import NARROW
from retain.report.text.words import LANGUAGES, Message, format_name, has_text, message
from retain.schema.names import Translated
from retain.verdict.config_keys import label_run
from retain.wording import format_value

Row = Mapping[str, Any]
"""A row of the leaderboard."""
SPACES = f"\u00a0{NARROW}"
"""Non-breaking spaces in numbers."""


def run_label(row: Row, keys: Sequence[str]) -> str:
    """Return the label of a run among others, on one line.

    >>> run_label({"features.site": True, "model": "svc", "model.C": 2.0},
    ...           ["model", "model.C", "features.site"])
    'svc · model.C=2.0 · features.site=true'
    """
    return label_run(row, keys, " · ")


def metric_name(name: str) -> Message:
    """Return the display name of a metric; one without a text keeps its key.

    >>> metric_name("lift_10").key, dict(metric_name("lift_10").values)
    ('measure.lift', {'top': '10'})
    """
    match = re.fullmatch(r"(lift|captured_profit)_([\d.]+)", name)
    if match:
        return message(f"measure.{match[1]}", top=match[2])
    return (
        message(f"metric.{name}")
        if has_text(f"metric.{name}")
        else message("measure.other", key=name)
    )


def group_name(name: str) -> Message:
    """Return the display name of a feature group; one without a text keeps its key."""
    if has_text(f"group.{name}"):
        return message(f"group.{name}")
    return message("measure.other", key=DisplayName(name, name))


def name_in_all_languages(name: DisplayName | Translated) -> Markup:
    """Return a name or a text in every language, once if it is the same in all.

    >>> print(name_in_all_languages(DisplayName("Pages", "Pages")))
    <bdi class="name">Pages</bdi>
    """
    texts = {language: format_name(name, language) for language in LANGUAGES}
    if len(set(texts.values())) == 1:
        return texts[LANGUAGES[0]]
    return Markup("").join(
        Markup('<span class="{0}" lang="{0}">{1}</span>').format(*one) for one in texts.items()
    )


def run_name(name: str, identity: str) -> Markup:
    """Return a run's name and id for a sentence."""
    return Markup('<b class="name">{}</b> <code>{}</code>').format(name, identity)


def code(value: Any) -> Markup:
    """Return a config key or value as code."""
    return Markup("<code>{}</code>").format(format_value(value))


def printable(text: str) -> str:
    """Return a text for a picture: on one line, without control characters."""
    return "".join(one if one.isprintable() or one in SPACES else "\ufffd" for one in text)


def segment_label(one: SegmentInfo | ApprovalRow) -> DisplayName:
    """Return the display name of a segment."""
    return DisplayName(one.segment, one.segment) if one.label is None else one.label


def offer_label(campaign: CampaignDocument, name: str) -> DisplayName:
    """Return the display name of an offer; one not in the campaign keeps its name."""
    labels = {one.name: one.label for one in campaign.offers}
    return labels.get(name, DisplayName(name, name))


def unit_label(campaign: CampaignDocument) -> DisplayName:
    """Return the display name of the unit of money."""
    return DisplayName.of(campaign.profit_unit)


def channel(name: str) -> Message:
    """Return the display name of a channel; one that is not known keeps its name."""
    key = f"channel.{name}"
    return message(key) if has_text(key) else message("measure.other", key=DisplayName(name, name))
