"""``retain``: one run, or with ``-m`` a sweep.

Exit codes: 0 all done, 1 a run failed, 2 config or data refused before any fit, 130 interrupted,
143 and 129 asked to end by SIGTERM and SIGHUP.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from retain.app.command_line import VERSION_BASE, Line, conf_dir, read
from retain.app.endings import SIGNALLED, AskedToEnd, end_on_request
from retain.errors import RetainError

if TYPE_CHECKING:
    from rich.console import Console

    from retain.app.configs import Composed
    from retain.app.engines import Engine
    from retain.app.seen import Surveyed

Command = Callable[[Line], int]


def main() -> None:
    """The console command ``retain``."""
    end_on_request()
    code = answer(run, sys.argv[1:], "run")
    if code > SIGNALLED:  # a second Ctrl-C would only break the interpreter's own tidying
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


def answer(command: Command, arguments: Sequence[str], primary: str) -> int:
    """The exit code of a command; what the user can mend is told without a traceback."""
    try:
        line = read(arguments)
        if line.help:
            from retain.app.help import shown

            sys.stdout.write(shown(primary))
            return 0
        if line.to_hydra:
            return _hydra(primary)
        return command(line)
    except RetainError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except AskedToEnd as asked:
        sys.stderr.write(f"ended by {asked}\n")
        return SIGNALLED + asked.number
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return SIGNALLED + signal.SIGINT


def _hydra(primary: str) -> int:
    """Hydra's own flags (--cfg, --info, --hydra-help …) are Hydra's to answer."""
    import hydra

    @hydra.main(version_base=VERSION_BASE, config_path=str(conf_dir()), config_name=primary)
    def nothing(_: object) -> None:
        """Hydra answers these flags before it would call this."""

    nothing()
    return 0


def run(line: Line) -> int:
    """Compose, check, and do what is not done yet."""
    from retain.app.scratch import scratch
    from retain.app.workers import warm_up

    with scratch() as folder:
        if line.multirun:
            with suppress(OSError):  # a worker that cannot start says so
                warm_up()  # it imports while this process composes
        from rich.console import Console

        from retain.app.configs import Composer
        from retain.app.engines import Local, chosen

        with Composer(line, "run") as composer:
            composed = composer.runs()
        engine = chosen(composed[0])
        here = isinstance(engine, Local) and not line.multirun and not composed[0].run.limits.any
        return _run(Console(), composed, folder, None if here else engine)


def _run(
    console: Console, composed: Sequence[Composed], folder: Path, engine: Engine | None
) -> int:
    """Do the runs in an engine's processes, or without one in this process."""
    from retain.app.plan import plan
    from retain.app.sweep import sweep
    from retain.app.view import listed, sources_told, summary

    rows = folder / "rows"
    rows.mkdir()
    planned = plan(composed, _surveyed(composed, folder if engine else None), rows)
    sources_told(console, planned)
    if composed[0].run.dry_run:
        listed(console, planned)
        return 0
    for one in planned.runs:
        if one.told is not None:
            console.print(f"{planned.name(one.task)}: {one.told}", soft_wrap=True, markup=False)
    records = sweep(console, planned, composed[0].run, engine)
    summary(console, planned, records, len(planned.runs) - len(planned.to_do))
    return 1 if any(record.state == "failed" for record in records) else 0


def _surveyed(composed: Sequence[Composed], folder: Path | None) -> Surveyed:
    """What was seen of customers and components; in a process of its own if runs are done apart."""
    runs = [one.run for one in composed]
    if folder is not None:
        from retain.app.apart import apart

        with apart("survey", runs, folder / "customers", does="reads the data") as surveyed:
            seen: Surveyed = surveyed()
        return seen
    from retain.app.prepared import forget
    from retain.app.survey import survey

    forget()
    return survey(runs)


if __name__ == "__main__":
    main()
