"""``retain-compare``: from finished runs to verdict and page, sealed test, segments, campaign.

Exit codes: 0 done, 1 some run is broken and was left out, 2 config, runs or data refused, the
verdict stays with its campaign, or memory or a disk ran out, 3 a gate was not met, 70 a bug of
retain.
"""

from __future__ import annotations

import gc
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from retain.cli.overrides import Arguments
from retain.cli.run import answer
from retain.cli.terminal.output import write_json
from retain.errors import RetainError
from retain.storage.reading import MAX_TABLE_BYTES, read_json_object

if TYPE_CHECKING:
    from retain.record import StudyDirectory
    from retain.schema import Compare
    from retain.verdict.gate import GateResult
    from retain.workflows.compare import DiffRuns
    from retain.workflows.runs import RunSelection


BROKEN, MISSED = 1, 3
"""Exit codes where some run is broken, and where a gate was not met."""
EXPLAINING = ("retain.workflows.explanation_jobs", "phik.phik", "shap")
"""What workers need to find reasons."""


def main() -> None:
    """Run the console command ``retain-compare``."""
    code = answer(compare, sys.argv[1:], "compare")
    gc.freeze()  # nothing is looked through for garbage on the way out
    sys.exit(code)


def compare(line: Arguments) -> int:
    """Read the records, judge them, carry the winner on, and write the verdict."""
    from retain.execution.worker import start_forkserver

    with suppress(OSError):  # a worker that cannot start says so
        start_forkserver(
            *(() if "explain=none" in line.overrides else EXPLAINING)
        )  # while this one reads
    with gc_paused():
        return _select_and_compare(line)


@contextmanager
def gc_paused() -> Iterator[None]:
    """No search for garbage meanwhile: among thousands of records, all wanted, it costs a half."""
    searched = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searched:
            gc.enable()


def _select_and_compare(line: Arguments) -> int:
    from retain.cli.catalogue import compose_compare, drop_offer_overrides
    from retain.cli.terminal.comparison import print_diff
    from retain.cli.terminal.console import console, literal
    from retain.cli.unexpected import logged_beside
    from retain.verdict.difference import compare_pair
    from retain.workflows.compare import try_read_scores
    from retain.workflows.explanations import check_explain_keys
    from retain.workflows.mlflow import check_tracking, log_runs
    from retain.workflows.runs import diff_pair, select_runs

    config = compose_compare(drop_offer_overrides(line))
    if config.study.name is None and config.runs is None and config.diff is not None:
        ((one, a), (other, b)) = diff_pair(config, None)
        diff = compare_pair(
            a, b, (try_read_scores(one, a), try_read_scores(other, b)), requested=True
        )
        print_diff(console(), diff)
        if line.json:
            write_json(diff)
        return 0
    check_tracking(config.tracking)
    check_explain_keys(config.explain)
    if config.gate_only and not config.gate:
        raise RetainError("gate_only=true needs a gate; type gate.METRIC=VALUE.")
    found = select_runs(config)
    with logged_beside(found.output_dir.path):
        code = _compare_runs(line, config, found, diff_pair(config, found))
    if told := log_runs(found.runs, config.tracking, Path(config.outputs)):
        console().print(literal(told), soft_wrap=True, highlight=False)
    return code


def _compare_runs(line: Arguments, config: Compare, found: RunSelection, asked: DiffRuns) -> int:
    """Judge the runs, write what was found, and print it."""
    from retain.cli.catalogue import campaign_settings
    from retain.cli.terminal.comparison import print_comparison, print_files, print_gate
    from retain.cli.terminal.console import console
    from retain.cli.terminal.progress import show_progress
    from retain.verdict.gate import check_gate
    from retain.workflows.compare import Comparison, select_winner, write_comparison
    from retain.workflows.training_data import relocate_data

    home = found.output_dir
    found, verdict, scores = select_winner(found, config.selection)
    checks = check_gate(verdict.winner, config.gate)
    code = _exit_code(checks, found)
    if config.gate_only:
        print_gate(console(), checks)
        if line.json:
            write_json({"gate": [asdict(check) for check in checks]})
        return code
    config = _with_sealed_test(relocate_data(config, verdict.winner), found)
    settings = campaign_settings(line, config, verdict.winner)
    comparison = Comparison(
        line.words, config, found, verdict, settings, checks, asked, scores, show_progress
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
    if line.json:
        write_json(read_json_object(home.verdict_json, max_bytes=MAX_TABLE_BYTES))
    return code


def _exit_code(checks: Sequence[GateResult], found: RunSelection) -> int:
    """Return the exit code of a comparison that ends well."""
    if not all(check.passed for check in checks):
        return MISSED
    return BROKEN if found.broken else 0


def _with_sealed_test(config: Compare, found: RunSelection) -> Compare:
    """Return the settings with the sealed test closed while runs may still change the winner.

    Looked at before the last run has ended, it would be looked at again for another winner.
    """
    if config.sealed_test != "auto":
        return config
    return config.model_copy(update={"sealed_test": "closed" if found.n_running else "open"})


def say_waiting(study: StudyDirectory) -> None:
    """Say that another command is at the study."""
    from retain.cli.terminal.console import console, literal

    message = f"waiting for another command that is at {literal(study.path)}"
    console().print(message, soft_wrap=True, highlight=False)
