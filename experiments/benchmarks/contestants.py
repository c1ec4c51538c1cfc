"""The contestants: retain and three peers, with their commands and files."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stage import PEERS, Stage

Scores = dict[str, list[float]]
"""ROC-AUC of each fold, by ``model sampler features``."""
RETAIN = str(Path(sys.executable).with_name("retain"))
"""The command as it was installed beside this Python."""


@dataclass(frozen=True)
class Contestant:
    """``command`` is what is typed to do the stage's work with outputs in a folder."""

    key: str
    told: str
    command: Callable[[Stage, Path], list[str]]
    scores: Callable[[Stage, Path], Scores]


def retain(stage: Stage, out: Path) -> list[str]:
    """Return the sweep by retain; the study says what is swept."""
    conf, study = str(stage.retain), f"study={stage.work.name}"
    return [RETAIN, "--config-dir", conf, "-m", study, f"outputs={out}"]


def bare(stage: Stage, out: Path) -> list[str]:
    """Return the list of runs by joblib alone."""
    files = (stage.data, stage.folds, stage.runs, out / "roc_auc.json")
    script = str(PEERS / "bare.py")
    return [sys.executable, script, *map(str, files), "--jobs", str(stage.workers)]


def plain_hydra(stage: Stage, out: Path) -> list[str]:
    """Return the sweep by a plain Hydra script and Hydra's own launcher."""
    axes = [f"{group}={','.join(options)}" for group, options in stage.work.axes.items()]
    return [*_hydra(stage, "-m"), f"hydra.sweep.dir={out}", *axes]


def one_plain_run(stage: Stage, out: Path, model: str) -> list[str]:
    """One run of the plain Hydra script, no sweep."""
    return [*_hydra(stage), f"hydra.run.dir={out / 'run'}", f"model={model}"]


def hydra_joblib(stage: Stage, out: Path) -> list[str]:
    """Return the sweep by the same script under Hydra's joblib launcher."""
    launcher = ["hydra/launcher=joblib", f"hydra.launcher.n_jobs={stage.workers}"]
    return [*plain_hydra(stage, out), *launcher]


def _hydra(stage: Stage, *flags: str) -> list[str]:
    script = [sys.executable, str(PEERS / "plain_hydra.py"), *flags]
    files = [f"data={stage.data}", f"folds={stage.folds}"]
    return [*script, "--config-dir", str(stage.hydra), *files]


def recorded(stage: Stage, out: Path) -> Scores:
    """Return the ROC-AUCs in retain's records; every run must be done."""
    names = {_key(base, setting): name for name, (base, setting) in stage.work.models.items()}
    grids = {grid.base: list(grid.values) for grid in stage.work.grids}
    found: Scores = {}
    for path in out.glob("*/*/record.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["state"] != "done":
            raise RuntimeError(f"{record['overrides']} is {record['state']}: {record['reason']}")
        model = record["config"]["model"]
        swept = {name: model[name] for name in grids[model["name"]]}
        typed = dict(text.split("=", 1) for text in record["overrides"])
        name = names[_key(model["name"], swept)]
        run = f"{name} {typed['sampler']} {typed['features']}"
        found[run] = record["metrics"]["roc_auc"]["fold_values"]
    return found


def _key(base: str, setting: dict[str, Any]) -> tuple[Any, ...]:
    return base, *setting.items()


def written(_: Stage, out: Path) -> Scores:
    """Return the ROC-AUCs in a peer's files."""
    found: Scores = {}
    for path in out.rglob("roc_auc.json"):
        found.update(json.loads(path.read_text(encoding="utf-8")))
    return found


CONTESTANTS = {
    one.key: one
    for one in (
        Contestant("retain", "retain", retain, recorded),
        Contestant("L", "L: bare joblib", bare, written),
        Contestant("a", "a: plain Hydra", plain_hydra, written),
        Contestant("b", "b: hydra-joblib-launcher", hydra_joblib, written),
    )
}
"""In the order in which they take turns."""
