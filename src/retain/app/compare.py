"""``retain-compare``: from finished runs to the verdict, the sealed test and the segments.

Exit codes: 0 done, 2 config, runs or data refused.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from retain.app.command_line import Line
from retain.app.run import answer
from retain.errors import RetainError

if TYPE_CHECKING:
    from retain.app.prepared import Prepared
    from retain.record import DataFacts, Record, StudyDirectory
    from retain.schema import Compare


def main() -> None:
    """The console command ``retain-compare``."""
    sys.exit(answer(compare, sys.argv[1:], "compare"))


def compare(line: Line) -> int:
    """Read the records, judge them, carry the winner on, and write the verdict."""
    from rich.console import Console

    from retain.app.board import report
    from retain.app.prepared import forget
    from retain.app.tracking import refuse_untrackable, track
    from retain.app.winner import carry, write
    from retain.record import write_text
    from retain.verdict.export import write_csv
    from retain.verdict.verdict import as_json, judge

    forget()
    config = _config(line)
    refuse_untrackable(config.tracking)
    study = _study(config)
    records, unfinished = _records(study)
    verdict = judge(records)
    prepared, missing = _data(config, verdict.winner)
    try:
        carried = None if prepared is None else carry(config, study, verdict.winner, prepared)
        sealed, further = (None, {}) if carried is None else (carried.sealed, carried.as_json())
        write_csv(verdict.table, study.leaderboard)
        write(study, carried)
        write_text(study.verdict_json, as_json(verdict, sealed, further))
    except OSError as error:
        raise RetainError(f"{study.verdict} cannot be written: {error}.") from None
    report(Console(), study, verdict, carried, unfinished=unfinished, missing=missing)
    runs = [(run, record) for run in study.runs() if (record := run.read()) is not None]
    if told := track(runs, config.tracking, Path(config.outputs)):
        Console().print(told, soft_wrap=True, markup=False, highlight=False)
    return 0


def _config(line: Line) -> Compare:
    """The tree of ``compare.yaml``; ``study=NAME`` stands for ``study.name=NAME``."""
    from retain.app.configs import Composer
    from retain.schema import Compare, parse

    overrides = [
        f"study.name={text.removeprefix('study=')}" if text.startswith("study=") else text
        for text in line.overrides
    ]
    with Composer(replace(line, overrides=tuple(overrides)), "compare") as composer:
        return parse(Compare, composer.one())


def _study(config: Compare) -> StudyDirectory:
    from retain.errors import did_you_mean
    from retain.record import StudyDirectory

    if (config.study.name is None) == (config.runs is None):
        raise RetainError("name what to compare: study=NAME, or runs=DIR (one of the two).")
    if config.runs is not None:
        study = StudyDirectory(Path(config.runs))
        if not study.path.is_dir():
            raise RetainError(f"runs={config.runs} is no folder.")
        return study
    outputs = Path(config.outputs)
    study = StudyDirectory(outputs / str(config.study.name))
    if not study.path.is_dir():
        known = (
            [path.name for path in outputs.iterdir() if path.is_dir()] if outputs.is_dir() else []
        )
        listed = ", ".join(sorted(known)) or "nothing"
        hint = did_you_mean(study.path.name, known)
        raise RetainError(
            f"there are no runs of study {study.path.name!r}: {outputs} holds {listed}.{hint} "
            f"To launch it: retain -m study={study.path.name}"
        )
    return study


def _records(study: StudyDirectory) -> tuple[list[Record], int]:
    """All records of a study, and how many runs have none yet."""
    from retain.schema import Run, parse

    found = [(run, run.read()) for run in study.runs()]
    records = [record for _, record in found if record is not None]
    for run, record in found:
        if record is not None and record.state == "done":
            parse(Run, record.config, f"{run.record}: config")
    return records, len(found) - len(records)


def _data(config: Compare, winner: Record) -> tuple[Prepared | None, str | None]:
    """The winner's customers, or a sentence that asks for them.

    Data that are given must be the very same; data that are only recorded may have moved.
    """
    from retain.app.prepared import prepare
    from retain.schema import Run, parse

    given = config.data is not None
    run = parse(Run, {**winner.config, **({"data": config.data} if given else {})})
    try:
        prepared = prepare(run)
        _refuse_other(prepared, winner)
    except RetainError as error:
        if given:
            raise
        ask = f"The sealed test and the segments need the {_told(winner.data)}: "
        return None, f"{error}\n{ask}data=NAME data.dir=PATH"
    return prepared, None


def _refuse_other(prepared: Prepared, winner: Record) -> None:
    """Refuse customers or splits that are not those the winner learnt from."""
    if prepared.data.fingerprint != winner.data.fingerprint:
        raise RetainError(
            f"these runs learnt from {_told(winner.data)}; found {_told(prepared.data)}."
        )
    if prepared.split.fingerprint != winner.split.fingerprint:
        raise RetainError("the splits of these runs cannot be made again with this version.")


def _told(data: DataFacts) -> str:
    return f"customers with fingerprint {data.fingerprint[:12]} ({data.rows} rows)"
