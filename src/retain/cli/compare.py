"""``retain-compare``: from finished runs to verdict and page, sealed test, segments, campaign.

Exit codes: 0 done, 1 a broken run was left out, 2 config, runs or data are invalid, the verdict
still belongs to its campaign, or memory or disk is full, 3 the gate is not met, 70 a bug of retain.
"""

from __future__ import annotations

import gc
import shlex
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from retain.cli.garbage import gc_paused
from retain.cli.overrides import Arguments
from retain.cli.run import run_command
from retain.cli.terminal.output import write_json
from retain.errors import RetainError
from retain.storage.reading import MAX_TABLE_BYTES, read_json_object

if TYPE_CHECKING:
    from retain.record.comparison_document import GateResult
    from retain.schema.compare import Compare
    from retain.workflows.differences import DiffRuns
    from retain.workflows.runs import RunSelection


BROKEN, MISSED = 1, 3
"""Exit codes for a broken run and for a gate that is not met."""
EVALUATING = ("retain.workflows.winner_evaluation", "retain.workflows.campaign")
"""Modules that workers need for the winner."""
EXPLAINING = ("retain.workflows.explanation_jobs", "phik.phik", "shap")
"""Modules that workers need for explanations."""


def main() -> None:
    """Run the console command ``retain-compare``."""
    code = run_command(compare, sys.argv[1:], "compare")
    gc.freeze()  # no garbage collection at exit
    sys.exit(code)


def compare(line: Arguments) -> int:
    """Compare the runs, evaluate the winner, and write the verdict."""
    from retain.execution.worker import start_forkserver

    if any(text.startswith("trees=") for text in line.overrides):  # which needs no worker
        return _select_and_compare(line)
    with suppress(OSError):  # reported when a worker starts
        explaining = () if "explain=none" in line.overrides else EXPLAINING
        start_forkserver(*EVALUATING, *explaining)  # while this one reads
    with gc_paused():
        return _select_and_compare(line)


def _select_and_compare(line: Arguments) -> int:
    from retain.cli.campaign_settings import compose_compare, drop_group_overrides
    from retain.cli.terminal.comparison import print_diff
    from retain.cli.terminal.console import console, literal
    from retain.cli.unexpected import logged_beside
    from retain.record.documents import to_tree
    from retain.verdict.difference import compare_pair
    from retain.workflows.explanations import check_explain_keys
    from retain.workflows.mlflow import check_tracking, log_runs
    from retain.workflows.runs import diff_pair, select_runs, try_read_scores

    config = compose_compare(drop_group_overrides(line))
    if config.trees is not None:
        from retain.cli import trees

        return trees.compare(line, config)
    if config.trees_gate != "none":
        raise RetainError("trees_gate needs two trees; type trees=[MAIN,BRANCH].")
    if config.study.name is None and config.runs is None and config.diff is not None:
        ((one, a), (other, b)) = diff_pair(config, None)
        diff = compare_pair(
            a, b, (try_read_scores(one, a), try_read_scores(other, b)), requested=True
        )
        print_diff(console(), diff)
        if line.json:
            write_json(to_tree(diff))
        return 0
    check_tracking(config.tracking)
    check_explain_keys(config.explain)
    if config.gate_only and not config.gate:
        raise RetainError("gate_only=true needs a gate; type gate.METRIC=VALUE.")
    selection = select_runs(config)
    with logged_beside(selection.output_dir.path):
        code = _compare_runs(line, config, selection, diff_pair(config, selection))
    if message := log_runs(selection.runs, config.tracking, Path(config.outputs)):
        console().print(literal(message), soft_wrap=True, highlight=False)
    return code


def _compare_runs(
    line: Arguments, config: Compare, selection: RunSelection, diff_runs: DiffRuns
) -> int:
    """Compare the runs, write the results, and print them."""
    from retain.cli.campaign_settings import campaign_settings
    from retain.cli.ci_sections import add_gate, add_verdict
    from retain.cli.terminal.comparison import print_comparison, print_files, print_gate
    from retain.cli.terminal.console import console, say_waiting
    from retain.cli.terminal.progress import show_progress
    from retain.record.documents import read_document, to_tree
    from retain.record.verdict_document import VerdictDocument
    from retain.verdict.gate import check_gate
    from retain.workflows.compare import Comparison, select_winner, write_comparison
    from retain.workflows.offer_effects import read_offer_trials
    from retain.workflows.open_campaigns import check_unsent
    from retain.workflows.training_data import relocate_data

    home = selection.output_dir
    selection, verdict, scores = select_winner(selection, config.selection)
    checks = check_gate(verdict, config.gate)
    code = _exit_code(checks, selection)
    add_gate(line.report, checks, selection.broken)
    if config.gate_only:
        print_gate(console(), checks)
        if line.json:
            write_json({"gate": [to_tree(check) for check in checks]})
        return code
    config = _with_sealed_test(relocate_data(config, verdict.winner), selection)
    settings = campaign_settings(line, config, verdict.winner)
    read_offer_trials(
        config.effects, settings, config.seed, config.threads
    )  # refused before anything is fitted
    check_unsent(home, settings)
    comparison = Comparison(
        line.words, config, selection, verdict, settings, checks, diff_runs, scores, show_progress
    )
    try:
        with home.alone(lambda: say_waiting(home)):
            results, repointing, lost = write_comparison(comparison)
    except OSError as error:
        raise RetainError.unwritable(home.path, error, "outputs=FOLDER") from None
    print_comparison(console(), home, verdict, results.extras, missing=results.missing_data_message)
    if repointing is not None:
        raise RetainError(repointing.describe(shlex.join(["retain-compare", *line.words])))
    print_files(console(), home, lost)
    if line.report.markdown is not None:
        add_verdict(line.report, read_document(VerdictDocument, home.verdict_json)[1])
    if line.json:
        write_json(read_json_object(home.verdict_json, max_bytes=MAX_TABLE_BYTES))
    return code


def _exit_code(checks: Sequence[GateResult], selection: RunSelection) -> int:
    """Return the exit code of a finished comparison."""
    if not all(check.passed for check in checks):
        return MISSED
    return BROKEN if selection.broken else 0


def _with_sealed_test(config: Compare, selection: RunSelection) -> Compare:
    """Return the settings, with the sealed test closed while runs may still change the winner."""
    if config.sealed_test != "auto":
        return config
    return config.model_copy(update={"sealed_test": "closed" if selection.n_running else "open"})
