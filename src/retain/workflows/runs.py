"""Which runs a comparison is about: those of a study, of several, or of any folder."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from retain.errors import RetainError, did_you_mean
from retain.learning.score_file import read_scores
from retain.learning.scores import Scores
from retain.record import BrokenRun, Record, RecordChecker, RunDirectory, StudyDirectory
from retain.schema import Compare
from retain.storage.paths import check_name, is_inside, parse_path


@dataclass(frozen=True)
class RunSelection:
    """Finished runs of one or several studies, and where the verdict over them is written.

    Attributes
    ----------
    output_dir
        The study's folder; that of several has a name of its own beside them.
    studies
        Their names.
    runs
        Every run with a record that can be believed.
    broken
        Every other run with a record, and what is wrong with it.
    n_unfinished
        How many have none, and nobody is doing them.
    n_running
        How many are being done now.
    """

    output_dir: StudyDirectory
    studies: tuple[str, ...]
    runs: tuple[tuple[RunDirectory, Record], ...]
    broken: tuple[BrokenRun, ...]
    n_unfinished: int
    n_running: int

    @property
    def records(self) -> list[Record]:
        """The records alone."""
        return [record for _, record in self.runs]

    @property
    def n_repeated(self) -> int:
        """How many runs stand in several studies; each is compared once."""
        return len(self.runs) - len({record.id for record in self.records})

    def find_directory(self, record: Record) -> RunDirectory:
        """Where a record was read."""
        return next(run for run, other in self.runs if other is record)

    def find_run(self, text: str) -> tuple[RunDirectory, Record]:
        """The run that ``text`` means: an id, the name of a run directory, or its path.

        Raises
        ------
        RetainError
            When it means none, or one that is not done.
        """
        for run, record in self.runs:
            if text in (record.id, run.path.name):
                return _check_done(run, record)
        return read_run(text, [record.id for record in self.records])


def read_run(text: str, known: Sequence[str]) -> tuple[RunDirectory, Record]:
    """The finished run in the folder ``text``."""
    run = RunDirectory(Path(text))
    record = run.read()
    if record is None:
        hint = did_you_mean(text, known)
        raise RetainError(
            f"diff: {text!r} is no run: expected its id, or a folder with record.json.{hint}"
        )
    return _check_done(run, record)


def _check_done(run: RunDirectory, record: Record) -> tuple[RunDirectory, Record]:
    if record.state != "done":
        raise RetainError(f"diff: {run.path} is {record.state.replace('_', ' ')}, not done.")
    return run, record


def diff_pair(config: Compare, selection: RunSelection | None) -> list[tuple[RunDirectory, Record]]:
    """The two runs that ``diff`` names, among those compared or anywhere in ``outputs``."""
    if config.diff is None:
        return []
    if len(config.diff) != 2:
        raise RetainError(f"diff names {len(config.diff)} runs; expected two: diff=[ONE,OTHER].")
    if selection is None:
        outputs = parse_path("outputs", config.outputs)
        studies = sorted(path for path in outputs.iterdir()) if outputs.is_dir() else []
        runs = tuple(run for path in studies for run in StudyDirectory(path).runs())
        by_name = {run.path.name: run for run in runs}
        texts = [_find_path(text, by_name) for text in config.diff]
        return [read_run(text, [*by_name]) for text in texts]
    return [selection.find_run(text) for text in config.diff]


def _find_path(text: str, by_name: dict[str, RunDirectory]) -> str:
    """The folder of a run told by its id or its folder's name; any other text as it is."""
    found = [run for name, run in by_name.items() if text == name or name.endswith(f"-{text}")]
    return str(found[0].path) if found else text


def select_runs(config: Compare) -> RunSelection:
    """The runs of the studies a config names; those that are broken stand apart.

    Raises
    ------
    RetainError
        When a study is not there, or nothing but broken runs.
    """
    found = [_open_study(config, name) for name in _study_names(config)]
    checker, named = RecordChecker(), config.study.name is not None
    runs = [
        (
            run,
            _check_record(run, record, checker, named=named)
            if isinstance(record, Record)
            else record,
        )
        for study in found
        for run, record in study.read()
    ]
    whole = tuple((run, record) for run, record in runs if isinstance(record, Record))
    broken = tuple(record for _, record in runs if isinstance(record, BrokenRun))
    check_any_readable(broken, len(whole))
    unfinished = [run for run, record in runs if record is None]
    busy = sum(run.busy for run in unfinished)
    names = tuple(study.path.name for study in found)
    home = found[0] if len(found) == 1 else StudyDirectory(Path(config.outputs) / "+".join(names))
    return RunSelection(home, names, whole, broken, len(unfinished) - busy, busy)


def _check_record(
    run: RunDirectory, record: Record, checker: RecordChecker, *, named: bool
) -> Record | BrokenRun:
    """The record, if it says what it is; in a study that was named, it is one of that study."""
    problem = checker.find_problem(record, run.path)
    if problem is None and named and record.study != run.path.parent.name:
        problem = _other_study_problem(run, record)
    return record if problem is None else BrokenRun(run, f"{run.record}: {problem}.")


def _other_study_problem(run: RunDirectory, record: Record) -> str:
    study = run.path.parent
    found = f"it is of study {record.study!r}, and lies in that of {study.name!r}"
    return f"{found}; to compare a folder of another name: runs={study}"


def check_any_readable(broken: Sequence[BrokenRun], others: int) -> None:
    """Raise a ``RetainError`` that names all broken runs where there are no others."""
    if broken and not others:
        message = "\n".join(run.reason for run in broken)
        raise RetainError(
            f"{message}\nAll {len(broken)} runs are broken; the line that made them does them "
            "again."
        )


def _study_names(config: Compare) -> tuple[str | None, ...]:
    """The studies named; None stands for the folder that ``runs`` names."""
    named = config.study.name
    if (named is None) == (config.runs is None):
        raise RetainError("name what to compare: study=NAME, or runs=DIR (one of the two).")
    if isinstance(named, tuple):
        if not named:
            raise RetainError("study=[] names no study; expected study=[ONE,OTHER].")
        return tuple(dict.fromkeys(named))
    return (named,)


def _open_study(config: Compare, name: str | None) -> StudyDirectory:
    if name is None:
        study = StudyDirectory(parse_path("runs", str(config.runs)))
        if not study.path.is_dir():
            raise RetainError(f"runs={config.runs} is no folder.")
        return study
    outputs = parse_path("outputs", config.outputs)
    study = StudyDirectory(outputs / check_name("study", name))
    if not study.path.is_dir():
        known = [p.name for p in outputs.iterdir() if p.is_dir()] if outputs.is_dir() else []
        listed = ", ".join(sorted(known)) or "nothing"
        hint = did_you_mean(name, known)
        raise RetainError(
            f"there are no runs of study {name!r}: {outputs} holds {listed}.{hint} "
            f"To launch it: retain -m study={name}"
        )
    if not is_inside(study.path, outputs):
        where = study.path.resolve()
        raise RetainError(
            f"{study.path} is a link that leads out of {outputs}, to {where}. To compare what is "
            f"there: runs={where}"
        )
    return study


def read_run_scores(run: RunDirectory, record: Record) -> Scores:
    """The out-of-fold scores a run wrote, as its record tells of them.

    Raises
    ------
    RetainError
        When the file is no table of scores, or not that of the record.
    """
    return read_scores(run.scores, record, within=run.path)


def format_commands(selection: RunSelection, typed: Sequence[str]) -> tuple[str, ...]:
    """What to type to have these runs and this comparison again."""
    messages = [*_iter_launch_commands(selection), shlex.join(["retain-compare", *typed])]
    return tuple(messages)


def _iter_launch_commands(selection: RunSelection) -> Iterator[str]:
    """One line a study, with every value that was typed or swept.

    Where its runs are no full product of these, with what was typed for all: a study of several
    sweeps needs no more.
    """
    for name in selection.studies:
        records = [r for run, r in selection.runs if run.path.parent.name == name]
        values: dict[str, dict[str, None]] = {}
        for record in records:
            for text in record.overrides:
                key, _, value = text.partition("=")
                values.setdefault(key, {})[value] = None
        product = 1
        for found in values.values():
            product *= len(found)
        if product != len(records):
            values = {key: found for key, found in values.items() if len(found) == 1}
        words = [f"{key}={','.join(found)}" for key, found in values.items()]
        yield shlex.join(["retain", *(["-m"] if len(records) > 1 else []), *words])
