"""The page: one HTML file that opens from disk and asks nothing of any network.

May import: report.*.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from markupsafe import Markup

from retain.report.answer import answer, opened, sentence
from retain.report.campaign import CONSENT, cautions, limits, summary
from retain.report.campaign_captions import channel, offer_label
from retain.report.captions import caption
from retain.report.charts import CURVES
from retain.report.contents import METRIC, flat, left_out, planned, whole
from retain.report.drawings import drawings
from retain.report.effects import measured
from retain.report.features import by_name
from retain.report.island import compare_command, island
from retain.report.label_audit import audited
from retain.report.leaderboard import CHOICES, LONG, PAGE, choices, columns, rows
from retain.report.names import (
    Tree,
    code,
    group_name,
    metric_name,
    named,
    run_name,
    shown,
    value_text,
)
from retain.report.numbers import Number, counted
from retain.report.out_of_fold import aside
from retain.report.segment_rows import with_money
from retain.report.segments import apart, measure, segment_named, stable, told
from retain.report.tornado import swings
from retain.report.trust import assumption, assumptions, drawn, fixed, trusted
from retain.report.why import direction, driver_words, explained, source, why
from retain.report.words import LANGUAGES, Label, both, known, phrase, words

if TYPE_CHECKING:
    from jinja2 import Environment

_REASONING: dict[str, Any] = {
    "why": why,
    "explained": explained,
    "source": source,
    "direction": direction,
    "driver_words": driver_words,
    "by_name": by_name,
    "audited": audited,
    "PAIRS": 10,
}
"""What the templates of the reasons may call besides."""
_CAMPAIGN: dict[str, Any] = {
    "summary": summary,
    "campaign_cautions": cautions,
    "limits": limits,
    "trusted": trusted,
    "assumption": assumption,
    "control_drawn": drawn,
    "offer_label": offer_label,
    "fixed": fixed,
    "offer_named": lambda campaign, name: shown(offer_label(campaign, name)),
    "segment_named": lambda tree, name: shown(segment_named(tree, name)),
    "apart": apart,
    "stable": stable,
    "segments_told": told,
    "measure": measure,
    "swings": swings,
    "assumptions": assumptions,
    "channel": channel,
    "called": lambda text: Label(text, text),
    "with_money": with_money,
    "CONSENT": CONSENT,
}
"""What the templates of segments and campaign may call besides."""
HERE = Path(__file__).parent
SCRIPT = ("numbers", "words", "cells", "leaderboard", "pairs", "tables", "spots", "start")
"""Files of ``script/``, in the order in which one builds on another."""


def page(tree: Tree, language: str) -> str:
    """The page of a verdict as HTML.

    Parameters
    ----------
    tree
        As ``verdict.json`` has it.
    language
        The one shown first, ``en`` or ``ru``; the page holds both.
    """
    verdict = whole(tree)
    drawn = drawings(verdict)
    numbers = columns(verdict)
    script = _script()
    return (
        _environment(language)
        .get_template("page.html.j2")
        .render(
            verdict=verdict,
            language=language,
            answer=answer(verdict),
            pictures=drawn.pictures,
            captions={name: caption(name, verdict) for name in drawn.pictures},
            curves=[name for name in CURVES if name in drawn.pictures],
            columns=numbers,
            rows=rows(verdict, numbers),
            choices=choices(verdict),
            raced=any(row.get("stopped") for row in verdict["leaderboard"]),
            left_out=left_out(verdict),
            opened=None if verdict["sealed_test"] is None else opened(verdict),
            campaign=planned(verdict),
            compare=compare_command(verdict),
            island=island(verdict, numbers, drawn.charts),
            style=_own("style.css"),
            script=script,
            script_hash=_hash(script),
        )
    )


@cache
def _environment(language: str) -> Environment:
    """Jinja with everything escaped and nothing undefined; it parses each template once."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= _vocabulary(language) | _REASONING | _CAMPAIGN
    return environment


def _vocabulary(language: str) -> dict[str, Any]:
    """What templates may call."""

    def number(value: float | None, form: str) -> Markup:
        return Number(value, form).html(language)

    def count(things: Any, path: str) -> Markup:
        size = things if isinstance(things, int) else len(things)
        return counted(size, path).html(language)

    return {
        "t": lambda key, /, **values: both(phrase(key, **values)),
        "say": both,
        "sentence": sentence,
        "label": partial(_label, language),
        "number": number,
        "count": count,
        "code": code,
        "counted": counted,
        "amount": Number,
        "metric": lambda name: both(metric_name(name)),
        "run_name": run_name,
        "value_text": value_text,
        "measured": measured,
        "flat": flat,
        "known": known,
        "aside": aside,
        "named": named,
        "group": lambda name: both(group_name(name)),
        "yaml": _yaml,
        "is_number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
        "METRIC": METRIC,
        "PAGE": PAGE,
        "LONG": LONG,
        "CHOICES": CHOICES,
    }


def _label(language: str, attribute: str, key: str) -> Markup:
    """An attribute in the language shown, with what the script puts there in the others."""
    texts = {name: words(name).plain(phrase(key)) for name in LANGUAGES}
    kept = Markup(" ").join(
        Markup('data-{}-{}="{}"').format(attribute, name, text) for name, text in texts.items()
    )
    return Markup('{}="{}" data-label="{}" {}').format(attribute, texts[language], attribute, kept)


def _yaml(tree: Mapping[str, Any]) -> str:
    """A config as its file would have it."""
    return yaml.safe_dump(dict(tree), allow_unicode=True, sort_keys=False)


def _script() -> Markup:
    """The script, one piece that leaves no name behind."""
    parts = [_own(f"script/{name}.js") for name in SCRIPT]
    return Markup('\n(() => {{\n"use strict";\n{}\n}})();\n').format(Markup("\n").join(parts))


def _own(name: str) -> Markup:
    """A file of this room, as it is."""
    return Markup((HERE / name).read_text(encoding="utf-8"))  # noqa: S704 - ours


def _hash(script: Markup) -> str:
    """By which the page's policy knows its one script, and lets no other run."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")
