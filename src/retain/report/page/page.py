"""The page: one HTML file that opens from disk and asks nothing of any network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from markupsafe import Markup

from retain.report.charts.tornado import swings
from retain.report.page.embedded_data import compare_command, page_json
from retain.report.page.leaderboard import CHOICES, LONG, PAGE, choices, columns, rows
from retain.report.render import CURVES, render_charts
from retain.report.text.answer import answer, describe_accesses, sentence
from retain.report.text.campaign import (
    CONSENT,
    assumption,
    assumptions,
    cautions,
    fixed_assumptions,
    limits,
    plan_quality_text,
    sampled_assumptions,
    summary,
)
from retain.report.text.captions import caption, channel
from retain.report.text.explanations import (
    direction,
    driver_words,
    explanation_sentences,
    explanation_text,
    label_audit_text,
    source,
)
from retain.report.text.names import (
    Tree,
    code,
    format_level,
    format_name,
    group_name,
    metric_name,
    offer_label,
    run_name,
)
from retain.report.text.numbers import Number, count_path, money_form
from retain.report.text.segments import (
    contrast_message,
    measure,
    segment_named,
    segment_sentences,
    stability_message,
)
from retain.report.text.words import (
    LANGUAGES,
    Label,
    has_text,
    interval,
    message,
    render_all_languages,
    words,
)
from retain.report.tree import (
    METRIC,
    by_name,
    campaign_or_none,
    column_values,
    fill_defaults,
    flatten,
    has_profit,
    left_out,
    measured_levels,
    n_skipped,
)
from retain.wording import format_value

if TYPE_CHECKING:
    from jinja2 import Environment

_REASONING: dict[str, Any] = {
    "why": explanation_sentences,
    "explained": explanation_text,
    "source": source,
    "direction": direction,
    "driver_words": driver_words,
    "by_name": by_name,
    "audited": label_audit_text,
    "PAIRS": 10,
}
"""What the templates of the reasons may call besides."""
_CAMPAIGN: dict[str, Any] = {
    "summary": summary,
    "campaign_cautions": cautions,
    "limits": limits,
    "trusted": plan_quality_text,
    "assumption": assumption,
    "control_drawn": sampled_assumptions,
    "offer_label": offer_label,
    "fixed": fixed_assumptions,
    "offer_named": lambda campaign, name: format_level(offer_label(campaign, name)),
    "segment_named": lambda tree, name: format_level(segment_named(tree, name)),
    "apart": contrast_message,
    "stable": stability_message,
    "segments_told": segment_sentences,
    "measure": measure,
    "swings": swings,
    "assumptions": assumptions,
    "channel": channel,
    "called": lambda text: Label(text, text),
    "with_money": has_profit,
    "CONSENT": CONSENT,
}
"""What the templates of segments and campaign may call besides."""
HERE = Path(__file__).parent
SCRIPT = ("numbers", "words", "cells", "leaderboard", "pairs", "tables", "spots", "start")
"""Files of ``script/``, in the order in which one builds on another."""


def page(tree: Tree, language: str) -> str:
    """Return the page of a verdict as HTML.

    Parameters
    ----------
    tree
        As ``verdict.json`` has it.
    language
        The one shown first, ``en`` or ``ru``; the page holds both.
    """
    verdict = fill_defaults(tree)
    drawn = render_charts(verdict)
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
            raced=any(row.get("stopped_early") for row in verdict["leaderboard"]),
            left_out=left_out(verdict),
            opened=None if verdict["sealed_test"] is None else describe_accesses(verdict),
            campaign=campaign_or_none(verdict),
            compare=compare_command(verdict),
            island=page_json(verdict, numbers, drawn.charts),
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
    """Return the functions that templates may call."""

    def number(value: float | None, form: str) -> Markup:
        return Number(value, form).html(language)

    def span(low: float | None, high: float | None, form: str) -> Markup:
        said = interval(low, high, form)
        alike = said.key == "interval.plain"  # in all languages: the script rewrites its numbers
        text = words(language).html(said) if alike else render_all_languages(said)
        return Markup('<span class="range">{}</span>').format(text)

    def count(things: Any, path: str) -> Markup:
        size = things if isinstance(things, int) else len(things)
        return count_path(size, path).html(language)

    return {
        "t": lambda key, /, **values: render_all_languages(message(key, **values)),
        "say": render_all_languages,
        "sentence": sentence,
        "label": partial(_label, language),
        "number": number,
        "span": span,
        "count": count,
        "code": code,
        "counted": count_path,
        "amount": Number,
        "money_form": money_form,
        "column": column_values,
        "metric": lambda name: render_all_languages(metric_name(name)),
        "run_name": run_name,
        "format_value": format_value,
        "measured": measured_levels,
        "flat": flatten,
        "known": has_text,
        "aside": n_skipped,
        "named": format_name,
        "group": lambda name: render_all_languages(group_name(name)),
        "yaml": _yaml,
        "is_number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
        "METRIC": METRIC,
        "PAGE": PAGE,
        "LONG": LONG,
        "CHOICES": CHOICES,
    }


def _label(language: str, attribute: str, key: str) -> Markup:
    """Return an attribute in the language shown, with what the script puts there in the others."""
    texts = {name: words(name).plain(message(key)) for name in LANGUAGES}
    kept = Markup(" ").join(
        Markup('data-{}-{}="{}"').format(attribute, name, text) for name, text in texts.items()
    )
    return Markup('{}="{}" data-label="{}" {}').format(attribute, texts[language], attribute, kept)


def _yaml(tree: Mapping[str, Any]) -> str:
    """Return a config as its file would have it."""
    return yaml.safe_dump(dict(tree), allow_unicode=True, sort_keys=False)


def _script() -> Markup:
    """Return the script, one piece that leaves no name behind."""
    parts = [_own(f"script/{name}.js") for name in SCRIPT]
    return Markup('\n(() => {{\n"use strict";\n{}\n}})();\n').format(Markup("\n").join(parts))


def _own(name: str) -> Markup:
    """Return a file of this room, as it is."""
    return Markup((HERE / name).read_text(encoding="utf-8"))  # noqa: S704 - ours


def _hash(script: Markup) -> str:
    """By which the page's policy knows its one script, and lets no other run."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")
