"""Which runs a comparison is about: those of a study, of several, or of any folder."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retain.errors import RetainError, did_you_mean
from retain.learning.scores import Scores
from retain.record import Record, RunDirectory, StudyDirectory
from retain.schema import Compare, Run, parse

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Compared:
    """Finished runs of one or several studies, and where the verdict over them is written.

    Attributes
    ----------
    home
        The study's folder; that of several has a name of its own beside them.
    studies
        Their names.
    runs
        Every run with a record.
    unfinished
        How many have none yet.
    """

    home: StudyDirectory
    studies: tuple[str, ...]
    runs: tuple[tuple[RunDirectory, Record], ...]
    unfinished: int

    @property
    def records(self) -> list[Record]:
        """The records alone."""
        return [record for _, record in self.runs]

    def directory(self, record: Record) -> RunDirectory:
        """Where a record was read."""
        return next(run for run, other in self.runs if other is record)

    def named(self, text: str) -> tuple[RunDirectory, Record]:
        """The run that ``text`` means: an id, the name of a run directory, or its path.

        Raises
        ------
        RetainError
            When it means none, or one that is not done.
        """
        for run, record in self.runs:
            if text in (record.id, run.path.name):
                return _done(run, record)
        return run_at(text, [record.id for record in self.records])


def run_at(text: str, known: Sequence[str]) -> tuple[RunDirectory, Record]:
    """The finished run in the folder ``text``."""
    run = RunDirectory(Path(text))
    record = run.read()
    if record is None:
        hint = did_you_mean(text, known)
        raise RetainError(
            f"diff: {text!r} is no run: expected its id, or a folder with record.json.{hint}"
        )
    return _done(run, record)


def _done(run: RunDirectory, record: Record) -> tuple[RunDirectory, Record]:
    if record.state != "done":
        raise RetainError(f"diff: {run.path} is {record.state.replace('_', ' ')}, not done.")
    return run, record


def pair(config: Compare, compared: Compared | None) -> list[tuple[RunDirectory, Record]]:
    """The two runs that ``diff`` names, among those compared or anywhere in ``outputs``."""
    if config.diff is None:
        return []
    if len(config.diff) != 2:
        raise RetainError(f"diff names {len(config.diff)} runs; expected two: diff=[ONE,OTHER].")
    if compared is None:
        outputs = Path(config.outputs)
        studies = sorted(path for path in outputs.iterdir()) if outputs.is_dir() else []
        runs = tuple(run for path in studies for run in StudyDirectory(path).runs())
        by_name = {run.path.name: run for run in runs}
        texts = [_path(text, by_name) for text in config.diff]
        return [run_at(text, [*by_name]) for text in texts]
    return [compared.named(text) for text in config.diff]


def _path(text: str, by_name: dict[str, RunDirectory]) -> str:
    """The folder of a run told by its id or its folder's name; any other text as it is."""
    found = [run for name, run in by_name.items() if text == name or name.endswith(f"-{text}")]
    return str(found[0].path) if found else text


def compared(config: Compare) -> Compared:
    """The runs of the studies a config names, each record checked.

    Raises
    ------
    RetainError
        When a study is not there, or a record is no record.
    """
    found = [_study(config, name) for name in _names(config)]
    runs = [(run, record) for study in found for run, record in study.read()]
    finished = [(run, record) for run, record in runs if record is not None]
    _check((run, record) for run, record in finished if record.state == "done")
    names = tuple(study.path.name for study in found)
    home = found[0] if len(found) == 1 else StudyDirectory(Path(config.outputs) / "+".join(names))
    return Compared(home, names, tuple(finished), len(runs) - len(finished))


def _names(config: Compare) -> tuple[str | None, ...]:
    """The studies named; None stands for the folder that ``runs`` names."""
    named = config.study.name
    if (named is None) == (config.runs is None):
        raise RetainError("name what to compare: study=NAME, or runs=DIR (one of the two).")
    if isinstance(named, tuple):
        if not named:
            raise RetainError("study=[] names no study; expected study=[ONE,OTHER].")
        return tuple(dict.fromkeys(named))
    return (named,)


def _study(config: Compare, name: str | None) -> StudyDirectory:
    if name is None:
        study = StudyDirectory(Path(str(config.runs)))
        if not study.path.is_dir():
            raise RetainError(f"runs={config.runs} is no folder.")
        return study
    outputs = Path(config.outputs)
    study = StudyDirectory(outputs / name)
    if not study.path.is_dir():
        known = [p.name for p in outputs.iterdir() if p.is_dir()] if outputs.is_dir() else []
        listed = ", ".join(sorted(known)) or "nothing"
        hint = did_you_mean(name, known)
        raise RetainError(
            f"there are no runs of study {name!r}: {outputs} holds {listed}.{hint} "
            f"To launch it: retain -m study={name}"
        )
    return study


def _check(runs: Iterable[tuple[RunDirectory, Record]]) -> None:
    """Hold each record's config against the types, nodes that many records share only once.

    All but the data, which only a winner needs.
    """
    checked: dict[str, set[int]] = {}
    for run, record in runs:
        config = {**record.config, "data": {}}
        new = [key for key, node in record.config.items() if id(node) not in checked.get(key, ())]
        if new or config.keys() != checked.keys():
            parse(Run, config, f"{run.record}: config")
            for key, node in record.config.items():
                checked.setdefault(key, set()).add(id(node))


def scores_of(run: RunDirectory) -> Scores:
    """The out-of-fold scores a run wrote.

    Raises
    ------
    RetainError
        When the file is no table of scores.
    """
    import pandas as pd

    try:
        return Scores(pd.read_parquet(run.scores), "out_of_fold")
    except (OSError, ValueError) as error:
        raise RetainError(f"{run.scores} cannot be read as scores: {error}.") from None


def commands(compared: Compared, typed: Sequence[str]) -> tuple[str, ...]:
    """What to type to have these runs and this comparison again."""
    told = [*_launches(compared), shlex.join(["retain-compare", *typed])]
    return tuple(told)


def _launches(compared: Compared) -> Iterator[str]:
    """One line a study, with every value that was typed or swept.

    Where its runs are no full product of these, with what was typed for all: a study of several
    sweeps needs no more.
    """
    for name in compared.studies:
        records = [r for run, r in compared.runs if run.path.parent.name == name]
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
