"""The parts that ``customers.py`` measures, each in a process of its own.

    python experiments/benchmarks/parts.py PART FOLDER

prints one line of JSON: seconds by the clock (``seconds``) and of the processor (``cpu``) that the
part took once everything was imported, the peak memory of the process in MiB (``peak``), and what
else there is to tell. ``FOLDER`` holds ``files`` and, after ``stage``, what ``bare`` is fitted on.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from retain.execution.limits import measure_peak_memory_mb, reset_peak_memory

WORDS = ("model=lightgbm", "data=one_click", "validation.repeats=1")
ROWS = ("train", "target", "test")
Told = dict[str, Any]


def main() -> None:
    """Do the part and print what it took."""
    part, folder = sys.argv[1], Path(sys.argv[2])
    print(json.dumps(PARTS[part](folder)))


@contextmanager
def timed(told: Told, prefix: str = "") -> Iterator[None]:
    """Note what the block takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    told[f"{prefix}seconds"] = time.perf_counter() - wall
    told[f"{prefix}cpu"] = time.process_time() - cpu


def arrow(folder: Path) -> Told:
    """Return the four files read by PyArrow, columns typed as it infers them, nothing checked."""
    from pyarrow import csv

    told: Told = {}
    paths = sorted((folder / "files").glob("*.csv"))
    with timed(told):
        for path in paths:
            mark = ";" if path.name == "money.csv" else ","
            told[path.name] = csv.read_csv(path, parse_options=csv.ParseOptions(delimiter=mark))
    return _with_peak({key: told[key] for key in ("seconds", "cpu")})


def read(folder: Path) -> Told:
    """Read the same files as customers; then, apart, duplicates, audit and fingerprint."""
    from retain.customers.checks.checks import audit
    from retain.customers.checks.data_check import Folding
    from retain.customers.checks.duplicates import group_duplicates
    from retain.customers.contract import reader

    node = _run(folder).data
    node = {key: node[key] for key in ("dir", "tables", "profit_unit", "cleaning", "derived")}
    told: Told = {}
    reset_peak_memory()
    with timed(told):
        customers = reader.read(**node)
    _with_peak(told)
    with timed(told, "twins "):
        customers, copies = group_duplicates(customers, "group")
    with timed(told, "audit "):
        audit(customers, Folding(is_shuffled=True, duplicates=copies))
    with timed(told, "fingerprint "):
        told["fingerprint"] = customers.fingerprint
    return told


def stage(folder: Path) -> Told:
    """Return the rows of each fold prepared and saved, with the parameters of the model."""
    from retain.execution.dataset import prepare_dataset
    from retain.learning.components import build_training_spec
    from retain.learning.features import feature_matrix
    from retain.learning.fold_data import prepare_fold
    from retain.learning.pipeline import assemble

    run = _run(folder)
    data, asked = prepare_dataset(run), build_training_spec(run)
    customers, splits = data.customers, data.splits
    table = feature_matrix(customers, asked.features).loc[splits.ids]
    target = customers.y.loc[splits.ids].to_numpy()
    model = assemble(asked.pipeline, table, customers.duplicate_groups, asked.seed)
    for fold in splits.folds:
        train, test = table.iloc[fold.train], table.iloc[fold.test]
        rows = prepare_fold(model, train, target[fold.train], test)
        for name in ROWS:
            np.save(folder / f"{name}-{fold.fold}.npy", getattr(rows, name))
    (folder / "model.json").write_text(json.dumps(model[-1].get_params()), encoding="utf-8")
    return {"folds": len(splits.folds), "rows": len(splits.ids)}


def bare(folder: Path) -> Told:
    """LightGBM fitted on the rows of each fold, and nothing else; what it then predicts is kept."""
    from lightgbm import LGBMClassifier

    parameters = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    took: list[Told] = []
    while (folder / f"train-{len(took)}.npy").exists():
        fold, told = len(took), Told()
        train, target, test = (
            np.load(folder / f"{n}-{fold}.npy") for n in ("train", "target", "test")
        )
        with timed(told):
            model = LGBMClassifier(**parameters).fit(train, target)
        with timed(told, "predict "):
            probability = model.predict_proba(test)[:, 1]
        np.save(folder / f"probability-{fold}.npy", probability)
        took.append(told)
    return _with_peak({key: sum(one[key] for one in took) for key in took[0]})


def _run(folder: Path) -> Any:
    """Return the composed config of the run that is measured."""
    from retain.cli.compose import Composer
    from retain.cli.overrides import Arguments

    with Composer(Arguments((*WORDS, f"data.dir={folder / 'files'}")), "run") as composer:
        return composer.runs()[0].run


def _with_peak(told: Told) -> Told:
    told["peak"] = measure_peak_memory_mb()
    return told


PARTS: dict[str, Callable[[Path], Told]] = {
    part.__name__: part for part in (arrow, read, stage, bare)
}

if __name__ == "__main__":
    main()
