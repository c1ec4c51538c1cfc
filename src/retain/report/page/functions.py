"""The functions of the page's templates."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import yaml
from markupsafe import Markup

from retain.report.charts.tornado import swings
from retain.report.page.leaderboard import (
    MAX_FILTER_VALUES,
    ROWS_PER_PAGE,
    WRAP_LENGTH,
)
from retain.report.text.answer import sentence
from retain.report.text.approval import approve_label, is_counted, pays_if, plan_notes, why
from retain.report.text.calibration import gap_conclusion
from retain.report.text.campaign import (
    CONSENT,
    assumption,
    assumptions,
    control_saving,
    fixed_assumptions,
    limits,
    plan_quality_text,
    sampled_assumptions,
    scenario,
    seen_campaigns,
    summary,
)
from retain.report.text.cautions import no_campaign
from retain.report.text.checks import check_message, step_message
from retain.report.text.explanations import (
    direction,
    driver_words,
    explanation_sentences,
    explanation_text,
    label_audit_text,
    missing_ablation,
    source,
)
from retain.report.text.exploration import exploration_text
from retain.report.text.label import label_sentences
from retain.report.text.names import (
    channel,
    code,
    group_name,
    metric_name,
    name_in_all_languages,
    offer_label,
    run_name,
    segment_label,
    unit_label,
)
from retain.report.text.numbers import Number, count_path, money_form
from retain.report.text.overview import (
    choice_contacts,
    horizon,
    overview,
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
from retain.report.text.words import (
    LANGUAGES,
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
    n_skipped,
)
from retain.wording import format_value

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
    "approve_label": approve_label,
    "pays_if": pays_if,
    "explored": exploration_text,
    "is_counted": is_counted,
    "plan_notes": plan_notes,
    "limits": limits,
    "trusted": plan_quality_text,
    "assumption": assumption,
    "control_drawn": sampled_assumptions,
    "control_saving": control_saving,
    "seen_campaigns": seen_campaigns,
    "offer_label": offer_label,
    "fixed": fixed_assumptions,
    "offer_named": lambda campaign, name: name_in_all_languages(offer_label(campaign, name)),
    "segment_name": lambda segment: name_in_all_languages(segment_label(segment)),
    "segment_named": lambda tree, name: name_in_all_languages(segment_named(tree, name)),
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
    "unit": unit_label,
    "gap_conclusion": gap_conclusion,
    "with_money": has_profit,
    "with_observed_money": has_observed_profit,
    "CONSENT": CONSENT,
}
"""Further functions of the templates of segments and campaign."""


def template_functions(language: str) -> dict[str, object]:
    """Return the functions of all templates in a language, by name."""

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
        "named": name_in_all_languages,
        "group": lambda name: render_all_languages(group_name(name)),
        "yaml": _to_yaml,
        "is_number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
        "METRIC": METRIC,
        "PAGE": ROWS_PER_PAGE,
        "LONG": WRAP_LENGTH,
        "CHOICES": MAX_FILTER_VALUES,
        **_REASONING,
        **_CAMPAIGN,
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
