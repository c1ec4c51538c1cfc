"""One round of a work: every contestant in turn, and what else is asked of retain on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contestants import CONTESTANTS, Scores, one_plain_run, retain
from measuring import Measured, measure
from stage import Stage
from works import AGAIN, DRY, FIRST, MEMORY

from retain.record.study import StudyDirectory


@dataclass
class Round:
    """The figures of each contestant, by name (seconds, MiB, a difference)."""

    taken: dict[str, Measured] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)


def one_round(stage: Stage, folder: Path, keys: Sequence[str]) -> Round:
    """Time each contestant in turn, and compare its ROC-AUCs with retain's.

    Raises
    ------
    RuntimeError
        When one fails, or has not done all the runs.
    """
    done = Round()
    scores = {key: _turn(stage, folder / key, key, done) for key in keys}
    if "retain" in scores:
        _finished_study(stage, folder, done)
        _cuts(folder / "retain" / stage.work.name, done)
    if MEMORY in stage.work.targets:
        _memory(stage, folder, done)
    for key in keys:
        if key != "retain" and "retain" in scores:
            name = f"largest difference of a fold's ROC-AUC between retain and {key}"
            done.figures[name] = _difference(scores["retain"], scores[key])
    return done


def _turn(stage: Stage, out: Path, key: str, done: Round) -> Scores:
    one, work = CONTESTANTS[key], stage.work
    records = out / work.name if key == "retain" else None
    taken = measure(one.command(stage, out), out, records=records, memory=MEMORY in work.targets)
    scores = one.scores(stage, out)
    print(f"  {one.told}: {taken.seconds:.1f} s", flush=True)
    if len(scores) != len(work.runs):
        raise RuntimeError(f"{key} has done {len(scores)} of {len(work.runs)} runs.")
    done.taken[key] = taken
    if taken.first is not None:
        done.figures[FIRST] = taken.first
    return scores


def _finished_study(stage: Stage, folder: Path, done: Round) -> None:
    """Run the same line again where the work asks for it: nothing is left to do."""
    line = retain(stage, folder / "retain")
    for name, words in ((AGAIN, []), (DRY, ["dry_run=true"])):
        if name in stage.work.targets:
            done.figures[name] = measure([*line, *words], folder / name).seconds


def _cuts(study: Path, done: Round) -> None:
    """Tell of each model that has any how many runs were not fitted."""
    records = [record for run in StudyDirectory(study).runs() if (record := run.read())]
    runs = Counter(record.config["model"]["name"] for record in records)
    cut = Counter(record.config["model"]["name"] for record in records if record.is_cut)
    for model, count in cut.items():
        name = f"share of the runs of {model} that were cut from the fits of longer ones"
        done.figures[name] = count / runs[model]


def _memory(stage: Stage, folder: Path, done: Round) -> None:
    """Peaks of all, and of one run of each model by itself under plain Hydra."""
    for key, taken in done.taken.items():
        done.figures[f"peak memory of the process tree of {key}, MiB"] = taken.peak or 0.0
    models = reversed(stage.work.models.items())
    firsts = {base: option for option, (base, _) in models}
    alone = []
    for base, option in firsts.items():
        out = folder / f"one-{base}"
        taken = measure(one_plain_run(stage, out, option), out, memory=True)
        alone.append(taken.peak or 0.0)
        done.figures[f"peak memory of one run of a, {base}, MiB"] = alone[-1]
    if "retain" in done.taken:
        done.figures[MEMORY] = (done.taken["retain"].peak or 0.0) / max(alone)


def _difference(ours: Scores, theirs: Scores) -> float:
    pairs = ((a, b) for run in ours for a, b in zip(ours[run], theirs[run], strict=True))
    return max(abs(a - b) for a, b in pairs)
