"""The selection of the runs to compare: of one study, of several, or of any folder."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from retain.errors import RetainError, did_you_mean, type_value
from retain.learning.score_file import read_scores
from retain.learning.scores import Scores
from retain.record.consistency import RecordChecker
from retain.record.directory import RunDirectory
from retain.record.document import Record
from retain.record.study import BrokenRun, StudyDirectory
from retain.schema.compare import Compare
from retain.storage.paths import check_name, conf_dir, is_inside, parse_path
from retain.storage.reading import MissingFileError
from retain.storage.writing import hash_file


@dataclass(frozen=True)
class RunSelection:
    """Finished runs of one or several studies, and the folder of their verdict.

    Attributes
    ----------
    output_dir
        The study's folder; for several studies a folder beside them.
    studies
        Names of the studies.
    runs
        All runs with a valid record.
    broken
        All runs with an invalid record, and the problem.
    n_interrupted
        Number of runs without a record that no process is doing.
    n_running
        Number of runs that a process is doing now.
    """

    output_dir: StudyDirectory
    studies: tuple[str, ...]
    runs: tuple[tuple[RunDirectory, Record], ...]
    broken: tuple[BrokenRun, ...]
    n_interrupted: int
    n_running: int

    @property
    def records(self) -> list[Record]:
        """Records of all runs."""
        return [record for _, record in self.runs]

    @property
    def n_repeated(self) -> int:
        """Number of runs that occur again in another study; each is compared once."""
        return len(self.runs) - len({record.id for record in self.records})

    @property
    def question(self) -> str | dict[str, str] | None:
        """The question of the study, by language or not; None for studies with different ones."""
        first, *rest = (record.config["study"]["question"] for record in self.records)
        return first if all(one == first for one in rest) else None

    def find_directory(self, record: Record) -> RunDirectory:
        """Return the directory of a record, the first one of a run in several studies."""
        return next(run for run, other in self.runs if other.id == record.id)

    def record_of(self, directory: RunDirectory) -> Record:
        """Return the record in a directory."""
        return next(record for run, record in self.runs if run == directory)

    def find_run(self, text: str) -> tuple[RunDirectory, Record]:
        """Return a run by its id, or the name or path of its directory.

        Raises
        ------
        RetainError
            If there is no such run, or it is not done.
        """
        for run, record in self.runs:
            if text in (record.id, run.path.name):
                return _check_done(run, record)
        return read_run(text, [record.id for record in self.records])


def read_run(text: str, names: Sequence[str]) -> tuple[RunDirectory, Record]:
    """Return the finished run in the folder ``text``; ``names`` are suggested if there is none."""
    run = RunDirectory(Path(text))
    record = run.read()
    if record is None:
        hint = did_you_mean(text, names)
        raise RetainError(
            f"diff: {text!r} is not a run; expected its id, or a folder with record.json.{hint}"
        )
    return _check_done(run, record)


def _check_done(run: RunDirectory, record: Record) -> tuple[RunDirectory, Record]:
    if record.state != "done":
        raise RetainError(f"diff: {run.path} is {record.state.replace('_', ' ')}, not done.")
    return run, record


def diff_pair(config: Compare, selection: RunSelection | None) -> list[tuple[RunDirectory, Record]]:
    """Return the two runs of ``diff``, from the selection or anywhere in ``outputs``."""
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
    """Return the folder of a run by its id or its folder's name, or else the text itself."""
    found = [run for name, run in by_name.items() if text == name or name.endswith(f"-{text}")]
    return str(found[0].path) if found else text


def select_runs(config: Compare) -> RunSelection:
    """Return the runs of the studies of a config, broken ones apart.

    Raises
    ------
    RetainError
        If a study does not exist, or all runs are broken.
    """
    studies = [_open_study(config, name) for name in _study_names(config)]
    checker, by_name = RecordChecker(), config.study.name is not None
    runs = [
        (run, check_record(run, record, checker, by_name=by_name))
        for study in studies
        for run, record in study.read()
    ]
    valid = tuple((run, record) for run, record in runs if isinstance(record, Record))
    broken = tuple(record for _, record in runs if isinstance(record, BrokenRun))
    check_any_readable(broken, len(valid))
    unfinished = [run for run, record in runs if record is None]
    n_running = sum(run.busy for run in unfinished)
    names = tuple(study.path.name for study in studies)
    output_dir = StudyDirectory(Path(config.outputs) / "+".join(names))
    if len(studies) == 1:
        output_dir = studies[0]
    return RunSelection(output_dir, names, valid, broken, len(unfinished) - n_running, n_running)


def check_record(
    run: RunDirectory, record: Record | BrokenRun | None, checker: RecordChecker, *, by_name: bool
) -> Record | BrokenRun | None:
    """Return the record if it is valid and, for studies given by name, of its study."""
    if not isinstance(record, Record):
        return record
    problem = checker.find_problem(record, run.path)
    if problem is None and by_name and record.study != run.path.parent.name:
        problem = _other_study_problem(run, record)
    return record if problem is None else BrokenRun(run, f"{run.record}: {problem}.")


def _other_study_problem(run: RunDirectory, record: Record) -> str:
    study = run.path.parent
    found = f"it is of study {record.study!r}, and lies in that of {study.name!r}"
    return f"{found}; to compare a folder of another name: {type_value('runs', study)}"


def check_any_readable(broken: Sequence[BrokenRun], n_valid: int) -> None:
    """Raise a ``RetainError`` with all broken runs if there are no valid ones."""
    if broken and not n_valid:
        message = "\n".join(run.reason for run in broken)
        raise RetainError(
            f"{message}\nAll {len(broken)} runs are broken; the line that made them does them "
            "again."
        )


def _study_names(config: Compare) -> tuple[str | None, ...]:
    """Return the names of the studies, None for the folder of ``runs``."""
    names = config.study.name
    if (names is None) == (config.runs is None):
        raise RetainError("name what to compare: study=NAME, or runs=DIR (one of the two).")
    if isinstance(names, tuple):
        if not names:
            raise RetainError("study=[] names no study; expected study=[ONE,OTHER].")
        return tuple(dict.fromkeys(names))
    return (names,)


def _open_study(config: Compare, name: str | None) -> StudyDirectory:
    if name is None:
        study = StudyDirectory(parse_path("runs", str(config.runs)))
        if not study.path.is_dir():
            raise RetainError(f"runs={config.runs} is not a folder.")
        return study
    outputs = parse_path("outputs", config.outputs)
    study = StudyDirectory(outputs / check_name("study", name))
    if not study.path.is_dir():
        names = [p.name for p in outputs.iterdir() if p.is_dir()] if outputs.is_dir() else []
        listed = ", ".join(sorted(names)) or "nothing"
        hint = did_you_mean(name, names)
        raise RetainError(
            f"there are no runs of study {name!r}: {outputs} holds {listed}.{hint} "
            f"To launch it: {_launch_command(str(name))}"
        )
    if not is_inside(study.path, outputs):
        real = study.path.resolve()
        raise RetainError(
            f"{study.path} is a link that leads out of {outputs}, to {real}. To compare what is "
            f"there: {type_value('runs', real)}"
        )
    return study


def _launch_command(name: str) -> str:
    """Return the command of a new study; only studies with a config can be chosen by name."""
    if (conf_dir() / "study" / f"{name}.yaml").is_file():
        return f"retain -m study={name}"
    return f"retain -m {type_value('study.name', name)} model=logreg,tree"


def read_run_scores(run: RunDirectory, record: Record) -> Scores:
    """Return the out-of-fold scores of a run.

    Raises
    ------
    RetainError
        If the file is no table of scores, or does not match the record.
    """
    return read_scores(run.scores, record, within=run.path)


def try_read_scores(run: RunDirectory, record: Record) -> Scores | None:
    """Return a run's scores, None if they cannot be read."""
    try:
        return read_run_scores(run, record)
    except RetainError:
        return None


def hash_records(selection: RunSelection) -> dict[str, str]:
    """Return the SHA-256 of the record of each run, by the names of its study and its folder."""
    hashes = {}
    for run, _ in selection.runs:
        with suppress(MissingFileError):  # it is being done again
            name = f"{run.path.parent.name}/{run.path.name}"
            hashes[name] = hash_file(run.record, within=run.path)
    return hashes
