"""The page of a randomised campaign: one HTML file that loads nothing from a network."""

from __future__ import annotations

from retain.record.effects_document import EffectsDocument
from retain.record.trial_document import TrialDocument
from retain.report.charts.canvas import Labels, chart_style
from retain.report.charts.trial_charts import (
    effect_calibration,
    subgroup_effects,
    trial_effects,
    value_by_share,
)
from retain.report.page.embedded_data import trial_json
from retain.report.page.page import environment, hash_script, join_script, read_asset
from retain.report.render import Drawings
from retain.report.text.subgroups import (
    MAX_ROWS,
    beyond_sentence,
    subgroup_rows,
    subgroup_sentences,
)
from retain.report.text.trial import (
    level,
    name,
    net_form,
    outcome_form,
    plan_mark,
    plan_name,
    plans_form,
    plans_unit,
    trial_cautions,
    trial_checks,
    trial_summary,
)
from retain.report.text.words import LANGUAGES, Message, message

SCRIPT = ("numbers", "words", "cells", "tables", "spots", "frame", "start_trial")
"""Files of ``script/`` in order of dependency."""


def trial_page(trial: TrialDocument, effects: EffectsDocument | None, language: str) -> str:
    """Return the page of a randomised campaign as HTML.

    Parameters
    ----------
    trial
        The content of ``trial.json``.
    effects
        That of ``effects.json``; None if no effects were learned.
    language
        The language shown first, ``en`` or ``ru``; the page holds both.
    """
    rendered = render_trial_charts(trial, effects)
    outcome = name(trial.outcomes[0].name)
    script = join_script(SCRIPT)
    return (
        environment(language)
        .get_template("trial.html.j2")
        .render(
            trial=trial,
            effects=effects,
            language=language,
            summary=[*trial_summary(trial, effects), *subgroup_sentences(trial)],
            subgroups=subgroup_rows(trial),
            max_subgroups=MAX_ROWS,
            beyond=beyond_sentence(trial),
            warnings=trial_cautions(trial),
            checks=trial_checks(trial),
            share_heading=_share_heading(trial),
            level=level(trial),
            outcome=outcome,
            outcome_form=outcome_form,
            net_form=net_form(trial),
            plans_form=None if effects is None else plans_form(effects),
            plans_unit=None if effects is None else plans_unit(effects),
            plan_name=plan_name,
            plan_mark=plan_mark,
            pictures=rendered.pictures,
            captions={
                "trial_effects": message("caption.trial_effects", outcome=outcome),
                "subgroup_effects": message("caption.subgroup_effects", outcome=outcome),
                "value_by_share": message("caption.value_by_share"),
                "effect_calibration": message("caption.effect_calibration"),
            },
            island=trial_json(rendered.charts),
            style=read_asset("style.css"),
            script=script,
            script_hash=hash_script(script),
        )
    )


def _share_heading(trial: TrialDocument) -> Message:
    """Return the heading of the arms' shares, which were found unless some were planned."""
    is_planned = trial.checks.sample_ratio.against == "typed"
    return message("trial.column.planned_share" if is_planned else "trial.column.share")


def render_trial_charts(trial: TrialDocument, effects: EffectsDocument | None) -> Drawings:
    """Render every chart of a randomised campaign in every language."""
    drawings = Drawings()
    with chart_style():
        for language in LANGUAGES:
            charts = [draw(trial, Labels(language)) for draw in (trial_effects, subgroup_effects)]
            if effects is not None:
                charts.append(value_by_share(effects, Labels(language)))
                charts.append(effect_calibration(trial, effects, Labels(language)))
            for chart in charts:
                if chart is not None:
                    drawings.add(chart, language)
    return drawings
