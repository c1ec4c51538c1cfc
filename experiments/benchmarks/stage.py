"""Everything the contestants read, written once: customers, folds, configs, the list of runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from works import Work

from retain.cli.overrides import VERSION_BASE
from retain.customers import demo, table
from retain.customers.checks.duplicates import add_duplicates
from retain.customers.customers import Customers
from retain.learning.splitting import make_splits
from retain.schema.run import Validation
from retain.storage.paths import conf_dir

PEERS = Path(__file__).with_name("peers")
SPARE = 1.05
"""How many more customers are made up than are used: cleaning and copies take some away."""
UNIT = "units of the demo store"


@dataclass(frozen=True)
class Stage:
    """A folder with a work's files; ``workers`` is how many processes a contestant may use."""

    work: Work
    folder: Path
    workers: int

    @property
    def data(self) -> Path:
        """Customers: id, 16 features, ``declined`` (1 or 0), ``profit``."""
        return self.folder / "customers.csv"

    @property
    def folds(self) -> Path:
        """Id and fold of every customer who is not sealed, by retain's own rule."""
        return self.folder / "folds.csv"

    @property
    def runs(self) -> Path:
        """The list of runs for the peer without configs."""
        return self.folder / "runs.json"

    @property
    def retain(self) -> Path:
        """Config folder for retain: the study and its feature sets."""
        return self.folder / "retain"

    @property
    def hydra(self) -> Path:
        """Config folder for plain Hydra: an option for each model."""
        return self.folder / "hydra"


def set_up(work: Work, folder: Path, workers: int) -> Stage:
    """Return the stage of a work, with all its files written."""
    folder.mkdir(parents=True, exist_ok=True)
    stage = Stage(work, folder, workers)
    made = _made_up(work.customers)
    answers = made.y.rename("declined")
    pd.concat([made.features, answers, made.profit], axis=1).to_csv(stage.data)
    groups: dict[str, list[str]] = {}
    for name, column in made.columns.items():
        groups.setdefault(column.group, []).append(name)
    _write_yaml(stage.retain / "study" / f"{work.name}.yaml", _study(stage, groups))
    _write_folds(stage)
    _write_options(stage)
    runs = [_listed(work, *run) for run in work.runs]
    stage.runs.write_text(json.dumps(runs), encoding="utf-8")
    return stage


def _made_up(count: int) -> Customers:
    """So many customers of the demo store, cleaned, no two of them copies of each other.

    Without copies the folds within the training rows are scikit-learn's own for everybody.
    """
    with initialize_config_dir(config_dir=str(conf_dir()), version_base=VERSION_BASE):
        node: Any = OmegaConf.to_container(compose("run", ["data=demo"]).data, resolve=True)
    contract = {key: node[key] for key in ("tables", "cleaning", "derived", "profit_unit")}
    many = demo.read(customers=round(count * SPARE) + 20, seed=0, **contract)
    alone = add_duplicates(many, "drop")
    chosen = alone.features.sample(count, random_state=0).index
    return alone.filter(alone.features.index.isin(chosen), "benchmark", "so many are wanted")


def _study(stage: Stage, groups: dict[str, list[str]]) -> dict[str, Any]:
    """Return the study as a researcher would write it: the only file retain needs."""
    work = stage.work
    others = {"sampler": ",".join(work.samplers), "features": ",".join(work.features)}
    return {
        "defaults": [{"override /data": "table"}, "_self_"],
        "study": {"name": work.name, "question": work.told, "sweeps": work.sweeps},
        "data": {
            "path": str(stage.data),
            "id": "customer_id",
            "target": "declined",
            "profit": "profit",
            "profit_unit": UNIT,
            "groups": groups,
        },
        "validation": {"repeats": 1},
        "workers": stage.workers,
        "hydra": {"sweeper": {"params": others}},
    }


def _write_folds(stage: Stage) -> None:
    read = table.read(
        path=str(stage.data),
        id="customer_id",
        target="declined",
        profit="profit",
        profit_unit=UNIT,
    )
    customers = add_duplicates(read)
    if not customers.duplicate_groups.is_unique:
        raise ValueError("some of the customers made up are copies: change their seed")
    shipped = yaml.safe_load((conf_dir() / "validation" / "repeated.yaml").read_text("utf-8"))
    splits = make_splits(customers, Validation(**{**shipped, "repeats": 1}))
    fold = pd.Series(0, index=splits.ids, name="fold")
    for one in splits.folds:
        fold.iloc[one.test] = one.fold
    fold.to_csv(stage.folds)


def _write_options(stage: Stage) -> None:
    """Options that are shipped neither with retain nor with the plain script."""
    for option, (base, parameters) in stage.work.models.items():
        node = {**_option(PEERS / "conf", "model", base), **parameters}
        _write_yaml(stage.hydra / "model" / f"{option}.yaml", node)
    every = _option(conf_dir(), "features", "all")
    for option in set(stage.work.features) - {"all"}:
        node = {**every, option.removeprefix("no_"): False}
        _write_yaml(stage.retain / "features" / f"{option}.yaml", node)


def _listed(work: Work, model: str, sampler: str, features: str) -> dict[str, Any]:
    """Return a run for the peer without configs, from the same options as the others."""
    conf = PEERS / "conf"
    base, parameters = work.models[model]
    return {
        "run": f"{model} {sampler} {features}",
        "model": {**_option(conf, "model", base), **parameters},
        "sampler": _option(conf, "sampler", sampler)["use"],
        "without": _option(conf, "features", features)["without"],
    }


def _option(conf: Path, group: str, option: str) -> dict[str, Any]:
    node: dict[str, Any] = yaml.safe_load((conf / group / f"{option}.yaml").read_text("utf-8"))
    return node


def _write_yaml(path: Path, node: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    head = "# @package _global_\n" if path.parent.name == "study" else ""
    path.write_text(head + yaml.safe_dump(node, sort_keys=False), encoding="utf-8")
