"""``retain``: one run, or with ``-m`` a sweep.

Exit codes: 0 all done, 1 a run failed, 2 config or data are invalid, or memory or disk is full,
70 a bug of retain, 130 interrupted, 143 and 129 ended by SIGTERM and SIGHUP, 141 the output pipe
is closed.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from retain.cli.garbage import gc_paused
from retain.cli.overrides import FOLDER_KEYS, Arguments, find_report, parse_args
from retain.cli.signals import (
    SIGNALLED,
    SIGPIPE,
    TerminationRequested,
    install_signal_handlers,
)
from retain.cli.terminal.output import (
    flush_output,
    safe_terminal,
    silent_output,
    write_error,
    write_json,
    write_output,
)
from retain.errors import RetainError
from retain.execution.shortage import describe_shortage

if TYPE_CHECKING:
    from rich.console import Console

    from retain.execution.backends.config import Backend
    from retain.execution.inputs import Preflight
    from retain.execution.plan import RunConfig, SweepPlan
    from retain.record.document import Record


Command = Callable[[Arguments], int]
OTHERS = ("compare", "score", "readout", "simulate", "verify", "clean", "dashboard")
NAMES = {"run": "retain", **{name: f"retain-{name}" for name in OTHERS}}
"""Commands by their primary config."""
FLAG_WORDS = {("clean", "--yes"): "remove=true"}
"""What a flag of one command stands for, by its primary config and the flag."""
SAFE_PATH_VARIABLE = "PYTHONSAFEPATH"
"""See ``execution.worker_start``, which sets it for workers."""


def main() -> None:
    """Run the console command ``retain``."""
    install_signal_handlers()
    code = run_command(run, sys.argv[1:], "run")
    if code > SIGNALLED:  # a second Ctrl-C would only break the interpreter's cleanup
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


def run_command(command: Command, arguments: Sequence[str], primary: str) -> int:
    """Run a command, print an error in one sentence, and return the exit code.

    2 for errors that the user can fix, full memory and disks included; 70 for unexpected ones,
    whose traceback goes to a log (``cli.unexpected``); 128 plus the signal's number.
    """
    with safe_terminal(), _safe_path():
        try:
            try:
                line = _parse(arguments, primary)
            except RetainError as error:
                find_report(arguments).write(NAMES[primary], str(error))
                raise
            try:
                code = _run_parsed(command, line, primary)
            except RetainError as error:
                line.report.write(NAMES[primary], str(error))
                raise
            line.report.write(NAMES[primary])
            flush_output()
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last door
            return _report_error(error, arguments, primary)
        return code


@contextmanager
def _safe_path() -> Iterator[None]:
    """Keep started processes from importing modules of the working directory."""
    before = os.environ.get(SAFE_PATH_VARIABLE)
    os.environ.setdefault(SAFE_PATH_VARIABLE, "1")
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(SAFE_PATH_VARIABLE, None)


def _parse(arguments: Sequence[str], primary: str) -> Arguments:
    """Return the command line that was typed."""
    for word in arguments:
        if not word.isascii() and any("\ud800" <= sign <= "\udfff" for sign in word):
            raise RetainError(
                f"{word!r} is not text in the encoding of this terminal; type it in that encoding, "
                "or begin with PYTHONUTF8=1 where it is UTF-8."
            )
    words = [FLAG_WORDS.get((primary, word), word) for word in arguments]
    return parse_args(words, FOLDER_KEYS.get(primary))


def _run_parsed(command: Command, line: Arguments, primary: str) -> int:
    """Run the command, and return the exit code."""
    if line.help:
        from retain.cli.help import format_help

        write_output(format_help(primary))
        return 0
    if line.version:
        write_output(f"retain {metadata.version('retain')}\n")
        return 0
    if line.to_hydra:
        from retain.cli.compose import answer_hydra_flags

        answer_hydra_flags(primary)
        return 0
    with silent_output() if line.quiet or line.json else nullcontext():
        return command(line)


def _report_error(
    error: Exception | KeyboardInterrupt, arguments: Sequence[str], primary: str
) -> int:
    """Print the error that ended a command, and return its exit code."""
    if isinstance(error, TerminationRequested):
        if error.number != SIGPIPE:  # silent, as any command in a pipe
            write_error(f"ended by {error}\n")
        return SIGNALLED + error.number
    if isinstance(error, KeyboardInterrupt):
        write_error("interrupted\n")
        return SIGNALLED + signal.SIGINT
    fixable = error if isinstance(error, RetainError) else describe_shortage(error, primary)
    if fixable is not None:
        write_error(f"{fixable}\n")
        return 2
    from retain.cli.unexpected import report_unforeseen

    return report_unforeseen(error, arguments)


def run(line: Arguments) -> int:
    """Compose, check, and do the pending runs."""
    from retain.execution.shared_memory import launch_dir
    from retain.execution.worker import start_forkserver

    with launch_dir() as folder:
        if line.multirun:
            with suppress(OSError):  # reported when a worker starts
                start_forkserver()  # it imports while this process composes
        with gc_paused():
            from retain.cli.ci_sections import add_sweep
            from retain.cli.compose import Composer
            from retain.cli.launcher import choose_backend
            from retain.cli.terminal.console import console
            from retain.execution.backends.config import Local

            with Composer(line, "run") as composer:
                composed = composer.runs()
        if composed[0].run.describe:
            return _describe(console(), composed[0])
        engine = choose_backend(composed[0])
        here = isinstance(engine, Local) and not line.multirun and not composed[0].run.limits.any
        processes = None if here else engine
        planned, records = _run(console(), composed, folder, processes, multirun=line.multirun)
        add_sweep(line.report, planned, records)
        if line.json:
            write_json(_summary(planned, records))
        return 1 if any(record.state == "failed" for record in records) else 0


def _describe(console: Console, first: RunConfig) -> int:
    """Print what was read of the first run's data."""
    from retain.cli.terminal.data import print_columns, print_reading
    from retain.execution.dataset import clear_cache, describe_source

    clear_cache()
    seen = describe_source(first.run)
    print_reading(console, seen.messages, seen.funnel, seen.dropped_examples)
    print_columns(console, seen.columns)
    return 0


def _run(
    console: Console,
    composed: Sequence[RunConfig],
    folder: Path,
    engine: Backend | None,
    *,
    multirun: bool,
) -> tuple[SweepPlan, Sequence[Record]]:
    """Do the runs in a backend's processes, or in this one."""
    with gc_paused():
        from retain.cli.callbacks import build_callbacks
        from retain.cli.terminal.console import literal
        from retain.cli.terminal.sweep import SweepView, print_plan, print_sources, print_summary
        from retain.cli.unexpected import logged_beside
        from retain.execution.backends.config import Local
        from retain.execution.families import with_shared_fits
        from retain.execution.plan import plan_runs
        from retain.execution.sweep import sweep

        callbacks = build_callbacks(composed[0], multirun=multirun)
        rows = folder / "rows"
        rows.mkdir()
        planned = plan_runs(composed, _preflight(composed, folder if engine else None), rows)
    if isinstance(engine, Local):  # other backends have no folder that all runs see
        planned = with_shared_fits(planned)
    print_sources(console, planned)
    if composed[0].run.dry_run:
        print_plan(console, planned)
        return planned, ()
    for one in planned.runs:
        if one.rerun_reason is not None:
            console.print(
                literal(f"{planned.format_name(one.task)}: {one.rerun_reason}"), soft_wrap=True
            )
    _write_dropped_rows(planned)
    with logged_beside(planned.study.path):
        watch = callbacks.calling(partial(SweepView, console, planned))
        records = sweep(planned, composed[0].run, engine, watch)
    print_summary(console, planned, records, len(planned.runs) - len(planned.pending))
    return planned, records


def _write_dropped_rows(planned: SweepPlan) -> None:
    """Write the rows that are no customers, and remove an older file where there are none."""
    rows = [row for source in planned.sources for row in source.dropped_rows]
    path = planned.study.dropped_rows
    try:
        if not rows:
            if path.is_file():
                path.unlink()
            return
        from retain.verdict.export import write_dropped_rows

        write_dropped_rows(rows, path)
    except OSError as error:
        raise RetainError.unwritable(planned.study.path, error, "outputs=FOLDER") from None


def _summary(planned: SweepPlan, records: Sequence[Record]) -> dict[str, object]:
    """Return the outcome of each run for ``--json``, its state for a dry run."""
    states = {record.id: record.state for record in records}
    runs = [
        {
            "id": one.task.id,
            "name": planned.format_name(one.task),
            "directory": str(one.task.directory.path),
            "state": states.get(one.task.id, one.state),
        }
        for one in planned.runs
    ]
    return {"study": planned.study.path.name, "runs": runs}


def _preflight(composed: Sequence[RunConfig], folder: Path | None) -> Preflight:
    """Return the preflight, computed in a process of its own if runs are remote."""
    runs = [one.run for one in composed]
    if folder is not None:
        from retain.execution.executor import WorkerExecutor

        with WorkerExecutor(1) as executor:
            seen: Preflight = executor.submit("preflight", runs, folder / "customers").result()
        return seen
    from retain.execution.dataset import clear_cache, preflight

    clear_cache()
    return preflight(runs)


if __name__ == "__main__":
    main()
