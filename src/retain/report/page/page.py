"""The page: one HTML file that opens from disk and loads nothing from a network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from markupsafe import Markup

from retain.record.verdict_document import VerdictDocument
from retain.report.charts.tornado import swings
from retain.report.page.embedded_data import compare_command, page_json
from retain.report.page.leaderboard import (
    MAX_FILTER_VALUES,
    ROWS_PER_PAGE,
    WRAP_LENGTH,
    choices,
    columns,
    rows,
)
from retain.report.render import CURVES, render_charts
from retain.report.text.answer import answer, describe_accesses, sentence
from retain.report.text.approval import is_counted, pays_if, plan_notes, why
from retain.report.text.calibration import gap_conclusion
from retain.report.text.campaign import (
    CONSENT,
    assumption,
    assumptions,
    fixed_assumptions,
    limits,
    plan_quality_text,
    sampled_assumptions,
    scenario,
    seen_campaigns,
    summary,
)
from retain.report.text.captions import caption, channel
from retain.report.text.cautions import no_campaign
from retain.report.text.checks import check_message, question, step_message
from retain.report.text.explanations import (
    direction,
    driver_words,
    explanation_sentences,
    explanation_text,
    label_audit_text,
    missing_ablation,
    source,
)
from retain.report.text.label import label_sentences
from retain.report.text.names import (
    code,
    format_level,
    format_name,
    group_name,
    metric_name,
    offer_label,
    run_name,
    segment_label,
)
from retain.report.text.numbers import Number, count_path, money_form
from retain.report.text.overview import (
    choice_contacts,
    horizon,
    overview,
    warnings,
)
from retain.report.text.segments import (
    band_sentence,
    contrast_message,
    dominant_caution,
    measure,
    segment_named,
    segment_sentences,
    stability_message,
)
from retain.report.text.turnover import naming_money
from retain.report.text.words import (
    LANGUAGES,
    Label,
    Message,
    has_text,
    interval,
    message,
    render_all_languages,
    words,
)
from retain.report.tree import (
    METRIC,
    by_name,
    column_values,
    flatten,
    has_observed_profit,
    has_profit,
    left_out,
    n_skipped,
)
from retain.wording import format_value

if TYPE_CHECKING:
    from jinja2 import Environment

_REASONING: dict[str, object] = {
    "why": explanation_sentences,
    "explained": explanation_text,
    "source": source,
    "direction": direction,
    "driver_words": driver_words,
    "by_name": by_name,
    "audited": label_audit_text,
    "missing_ablation": missing_ablation,
    "PAIRS": 10,
}
"""Further functions of the templates of explanations."""
_CAMPAIGN: dict[str, object] = {
    "summary": summary,
    "no_campaign": no_campaign,
    "overview": overview,
    "horizon": horizon,
    "scenario": scenario,
    "contacts": choice_contacts,
    "why_offer": why,
    "pays_if": pays_if,
    "is_counted": is_counted,
    "plan_notes": plan_notes,
    "limits": limits,
    "trusted": plan_quality_text,
    "assumption": assumption,
    "control_drawn": sampled_assumptions,
    "seen_campaigns": seen_campaigns,
    "offer_label": offer_label,
    "fixed": fixed_assumptions,
    "offer_named": lambda campaign, name: format_level(offer_label(campaign, name)),
    "segment_name": lambda segment: format_level(segment_label(segment)),
    "segment_named": lambda tree, name: format_level(segment_named(tree, name)),
    "apart": contrast_message,
    "stable": stability_message,
    "segments_told": segment_sentences,
    "band_sentence": band_sentence,
    "dominant_caution": dominant_caution,
    "check_message": check_message,
    "step_message": step_message,
    "label_sentences": label_sentences,
    "measure": measure,
    "swings": swings,
    "assumptions": assumptions,
    "channel": channel,
    "called": lambda text: Label(text, text),
    "gap_conclusion": gap_conclusion,
    "with_money": has_profit,
    "with_observed_money": has_observed_profit,
    "CONSENT": CONSENT,
}
"""Further functions of the templates of segments and campaign."""
HERE = Path(__file__).parent
SCRIPT = ("numbers", "words", "cells", "leaderboard", "pairs", "tables", "spots", "start")
"""Files of ``script/`` in order of dependency."""


def page(verdict: VerdictDocument, language: str) -> str:
    """Return the page of a verdict as HTML.

    Parameters
    ----------
    verdict
        The verdict.
    language
        The language shown first, ``en`` or ``ru``; the page holds both.
    """
    with naming_money(verdict):
        return _render_page(verdict, language)


def _render_page(verdict: VerdictDocument, language: str) -> str:
    rendered = render_charts(verdict)
    numbers = columns(verdict)
    script = _script()
    return (
        _environment(language)
        .get_template("page.html.j2")
        .render(
            verdict=verdict,
            language=language,
            answer=answer(verdict),
            warnings=warnings(verdict),
            pictures=rendered.pictures,
            captions={name: caption(name, verdict) for name in rendered.pictures},
            curves=[name for name in CURVES if name in rendered.pictures],
            columns=numbers,
            rows=rows(verdict, numbers),
            choices=choices(verdict),
            raced=any(row.get("stopped_early") for row in verdict.leaderboard),
            left_out=left_out(verdict),
            opened=None if verdict.sealed_test is None else describe_accesses(verdict),
            campaign=verdict.planned_campaign,
            compare=compare_command(verdict),
            question=question(verdict.question),
            island=page_json(verdict, numbers, rendered.charts),
            style=_read_asset("style.css"),
            script=script,
            script_hash=_hash(script),
        )
    )


@cache
def _environment(language: str) -> Environment:
    """Return Jinja's environment, strict and escaping; cached, so templates are parsed once."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= _template_functions(language) | _REASONING | _CAMPAIGN
    return environment


def _template_functions(language: str) -> dict[str, object]:
    """Return the functions of the templates."""

    def number(value: float | None, form: str) -> Markup:
        return Number(value, form).html(language)

    def span(low: float | None, high: float | None, form: str) -> Markup:
        bounds = interval(low, high, form)
        alike = bounds.key == "interval.plain"  # in all languages: the script rewrites its numbers
        text = words(language).html(bounds) if alike else render_all_languages(bounds)
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
        "flat": flatten,
        "known": has_text,
        "aside": n_skipped,
        "named": format_name,
        "group": lambda name: render_all_languages(group_name(name)),
        "yaml": _to_yaml,
        "is_number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
        "METRIC": METRIC,
        "PAGE": ROWS_PER_PAGE,
        "LONG": WRAP_LENGTH,
        "CHOICES": MAX_FILTER_VALUES,
    }


def _label(language: str, attribute: str, key: str | Message) -> Markup:
    """Return an attribute in the language shown, with its texts in every other for the script."""
    text = message(key) if isinstance(key, str) else key
    texts = {name: words(name).plain(text) for name in LANGUAGES}
    kept = Markup(" ").join(
        Markup('data-{}-{}="{}"').format(attribute, name, text) for name, text in texts.items()
    )
    return Markup('{}="{}" data-label="{}" {}').format(attribute, texts[language], attribute, kept)


def _to_yaml(tree: Mapping[str, Any]) -> str:
    """Return a config as YAML."""
    return yaml.safe_dump(dict(tree), allow_unicode=True, sort_keys=False)


def _script() -> Markup:
    """Return the script as one function without global names."""
    parts = [_read_asset(f"script/{name}.js") for name in SCRIPT]
    return Markup('\n(() => {{\n"use strict";\n{}\n}})();\n').format(Markup("\n").join(parts))


def _read_asset(name: str) -> Markup:
    """Return the text of a file in this folder."""
    return Markup((HERE / name).read_text(encoding="utf-8"))  # noqa: S704 - ours


def _hash(script: Markup) -> str:
    """Return the hash that lets the page's content security policy run this script only."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")
