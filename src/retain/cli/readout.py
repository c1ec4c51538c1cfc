"""``retain-readout``: the measured effect of a campaign against its control group.

The campaign is one that was planned, with a file of outcomes, or any randomised one in a table.
Earlier scores are held against outcomes too.

Exit codes: 0 done, 3 the gate of scores is missed, 2 config, campaign or outcomes are invalid, or
memory or disk is full, 70 a bug of retain.
"""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from retain.cli.ci_sections import add_gate, add_readout
from retain.cli.newer_log import key, log_node, names_log, without_name
from retain.cli.overrides import Arguments, quote_ids
from retain.cli.run import run_command
from retain.cli.terminal.output import write_json
from retain.errors import NotApplicable, RetainError, type_value
from retain.record.documents import to_tree
from retain.record.study import StudyDirectory
from retain.storage.paths import parse_path

if TYPE_CHECKING:
    from retain.record.directory import CampaignDirectory
    from retain.record.effects_document import EffectsDocument
    from retain.schema.parsing import Node
    from retain.schema.readout import Readout
    from retain.workflows.newer_log import NewerLog, ReadoutSpan


MISSED = 3
MIN_KNOWN = "outcomes.min_known_share"
"""The key of outcomes that a purchase log has too."""
SHORTHANDS = {"campaign": "campaign.dir", "scores": "scores.dir", "outcomes": "outcomes.file"}
"""Short keys of the command line and their full keys."""


def main() -> None:
    """Run the console command ``retain-readout``."""
    sys.exit(run_command(readout, sys.argv[1:], "readout"))


def readout(line: Arguments) -> int:
    """Read out a campaign, and print the results."""
    config = _config(without_name(line) if _names_result(line) else line)
    if config.data is not None and not _names_result(line):
        _check_keys(line, "table")
        return _read_out_trial(line, config)
    if config.scores.dir is not None:
        _check_keys(line, "scores")
        return _read_out_scores(line, config, config.scores.dir)
    _check_keys(line, "campaign")
    return _read_out_campaign(line, config)


def _read_out_scores(line: Arguments, config: Readout, named: str) -> int:
    from retain.cli.terminal.console import console, say_waiting
    from retain.cli.terminal.outcomes_log import print_outcomes_log
    from retain.cli.terminal.score_readout import print_score_readout
    from retain.workflows.newer_log import scores_span
    from retain.workflows.score_readout import find_scores, read_out_scores

    scores = find_scores(named, parse_path("outputs", config.outputs))
    study = StudyDirectory(scores.path.absolute().parents[1])
    newer = None
    if names_log(line):
        newer = _read_newer_log(line, config, study, scores_span(scores))
    source = config.outcomes if newer is None else newer.outcomes
    result = read_out_scores(scores, source, config.gate, on_wait=say_waiting)
    if newer is not None and result.log is not None:
        print_outcomes_log(console(), newer, result.log, result.n_scored)
    print_score_readout(console(), result, scores.readout)
    add_gate(line.report, result.gate)
    if line.json:
        write_json(to_tree(result))
    return 0 if all(check.passed for check in result.gate) else MISSED


def _read_out_trial(line: Arguments, config: Readout) -> int:
    from retain.cli.terminal.console import console, say_waiting
    from retain.cli.terminal.trial import print_trial
    from retain.workflows.trial import read_out_trial

    outputs = parse_path("outputs", config.outputs)
    result = read_out_trial(dict(config.data or {}), config, outputs, on_wait=say_waiting)
    print_trial(console(), result)
    add_readout(line.report, result.document)
    if line.json:
        write_json(_with_effects(to_tree(result.document), result.effects))
    return 0


def _read_out_campaign(line: Arguments, config: Readout) -> int:
    from retain.campaign.effects.spec import build_effects_spec
    from retain.cli.terminal.console import console, say_waiting
    from retain.cli.terminal.effects import print_effects
    from retain.cli.terminal.outcomes_log import print_outcomes_log
    from retain.cli.terminal.readout import print_readout
    from retain.workflows.campaign_files import find_campaign
    from retain.workflows.effects import check_learner
    from retain.workflows.newer_log import campaign_span
    from retain.workflows.readout import Learning, read_out_campaign

    if config.campaign.dir is None:
        raise RetainError(
            "no campaign is named; type campaign=ID or campaign=FOLDER, or for a randomised "
            "campaign in a table data=table data.path=FILE, or for earlier scores scores=ID."
        )
    check_learner(config)
    campaign = find_campaign(config.campaign.dir, parse_path("outputs", config.outputs))
    spec = build_effects_spec(config.effects, config.seed, config.threads)
    newer, months = None, None
    if names_log(line):
        study = StudyDirectory(campaign.path.absolute().parents[1])
        span = campaign_span(campaign)
        newer, months = _read_newer_log(line, config, study, span), span.months
    result = read_out_campaign(
        campaign,
        config.outcomes if newer is None else newer.outcomes,
        resamples=config.resamples,
        monitoring=config.monitoring,
        learning=None if spec is None else Learning(spec, config.limits, config.report.language),
        on_wait=say_waiting,
    )
    next_plan = None
    if result.catalogue is not None:
        next_plan = _type_next_plan(campaign, config.outputs, result.catalogue.name)
    if newer is not None and result.document.log is not None:
        n_customers = result.document.n_planned.treatment + result.document.n_planned.control
        print_outcomes_log(console(), newer, result.document.log, n_customers, months)
    print_readout(console(), result.document, campaign.readout.path, next_plan)
    add_readout(line.report, result.document)
    if result.effects is not None:
        print_effects(console(), result.effects)
    if line.json:
        write_json(_with_effects(to_tree(result.document), result.effects))
    return 0


def _read_newer_log(
    line: Arguments, config: Readout, study: StudyDirectory, span: ReadoutSpan
) -> NewerLog:
    """Return the outcomes in the purchase log of a line."""
    from retain.workflows.newer_log import read_newer_log

    node = log_node(line, config.data, study, lambda: _config(line).data)
    return read_newer_log(node, span, config.outcomes.min_known_share)


def _with_effects(tree: Node, effects: EffectsDocument | NotApplicable | None) -> Node:
    """Return the tree of a readout with the effects learned, if there are any."""
    return (
        tree
        if effects is None or isinstance(effects, NotApplicable)
        else {**tree, "learned": to_tree(effects)}
    )


def _type_next_plan(campaign: CampaignDirectory, outputs: str, catalogue: str) -> str:
    """Return the command that plans the next campaign with the catalogue of a readout.

    It replaces the campaign that was read out, to which the verdict points. The study of a campaign
    that was copied out of it is not known.
    """
    from retain.workflows.campaign_files import REPLACE_OVERRIDE

    study = StudyDirectory.around(campaign.path)
    if study is None:
        compared = ["study=NAME"]
    elif study.path.parent != Path(outputs).absolute():
        compared = [type_value("runs", os.path.relpath(study.path))]
    else:
        names = study.path.name.split("+")
        compared = [type_value("study", names if len(names) > 1 else names[0])]
        compared += [] if outputs == "outputs" else [type_value("outputs", outputs)]
    words = [*compared, type_value("offers", catalogue), REPLACE_OVERRIDE]
    return " ".join(["retain-compare", *words, "-cd", shlex.quote(str(campaign.readout.path))])


def _names_result(line: Arguments) -> bool:
    """Return whether a line names a campaign or scores, of which a log can hold the outcomes."""
    return any(key(text).split(".")[0] in ("campaign", "scores") for text in line.overrides)


def _config(line: Arguments) -> Readout:
    """Return the tree of ``readout.yaml``; ``campaign=DIR`` means ``campaign.dir=DIR``."""
    from retain.cli.compose import Composer
    from retain.schema.parsing import parse
    from retain.schema.readout import Readout

    overrides = tuple(full_key(text) for text in line.overrides)
    with Composer(replace(line, overrides=overrides), "readout") as composer:
        return parse(Readout, composer.one())


def _check_keys(line: Arguments, kind: Literal["table", "campaign", "scores"]) -> None:
    """Raise for keys that are about another kind of readout."""
    from retain.schema.readout import TrialKeys

    effects = ("effects", "limits", "seed", "threads", "report")
    keys = {
        "table": tuple(TrialKeys.model_fields),
        "campaign": ("campaign", "outcomes", "monitoring", "resamples", *effects),
        "scores": ("scores", "outcomes", "gate"),
    }
    others = {name for one in keys.values() for name in one} - set(keys[kind])
    names = {"table": "a table", "campaign": "a planned campaign", "scores": "scores"}
    for one in map(key, line.overrides):
        name = one.split(".")[0]
        if name in others:
            raise RetainError.at(
                name,
                f"it says nothing of {names[kind]}",
                "expected data=table data.path=FILE, campaign=ID outcomes=FILE, or scores=ID "
                "outcomes=FILE",
            )
        if name == "outcomes" and names_log(line) and one != MIN_KNOWN:
            problem = "there are outcomes of a purchase log already"
            raise RetainError.at(name, problem, "expected outcomes=FILE or data.path=LOG, not both")


def full_key(text: str) -> str:
    """Return an override with its key in full: ``campaign=ID`` sets ``campaign.dir``."""
    key, equals, value = text.partition("=")
    full = f"{SHORTHANDS.get(key, key)}{equals}{value}"
    return quote_ids(full) if key in ("campaign", "scores") else full
