"""Writes the ROC-AUCs of a list of runs, fitted by joblib with nothing around them.

    python bare.py DATA FOLDS RUNS OUT --jobs 2

The bound of any launcher: the data are read once, each process computes on one thread, and there
is no config and no record. RUNS is JSON, a list of ``{run, model, sampler, without}``.
"""

from __future__ import annotations

import argparse
import importlib
import json
from pathlib import Path
from typing import Any

import evaluation
import numpy as np
import pandas as pd
from joblib import Parallel, delayed, parallel_config

THREADS = {
    "ExtraTreesClassifier": {"n_jobs": 1},
    "RandomForestClassifier": {"n_jobs": 1},
    "KNeighborsClassifier": {"n_jobs": 1},
    "LGBMClassifier": {"n_jobs": 1},
    "CatBoostClassifier": {"thread_count": 1},
}
"""What limits the threads of those models that would take more."""


def main() -> None:
    """Read, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("data", "folds", "runs", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    runs = json.loads(args.runs.read_text(encoding="utf-8"))
    customers = evaluation.read(args.data, args.folds)
    with parallel_config("loky", n_jobs=args.jobs, inner_max_num_threads=1):
        found = Parallel()(delayed(fitted)(run, *customers) for run in runs)
    told = {run["run"]: values for run, values in zip(runs, found, strict=True)}
    args.out.write_text(json.dumps(told), encoding="utf-8")


def fitted(
    run: dict[str, Any], table: pd.DataFrame, target: np.ndarray, fold: np.ndarray
) -> list[float]:
    """Return the ROC-AUC of each fold of one run."""
    model, sampler = built(run["model"]), built(run["sampler"])
    return evaluation.roc_aucs(model, sampler, table.drop(columns=run["without"]), target, fold)


def built(node: dict[str, Any] | None) -> Any:
    """Return the estimator that ``_target_`` and the other keys describe."""
    if node is None:
        return None
    module, _, name = node["_target_"].rpartition(".")
    parameters = {key: value for key, value in node.items() if key != "_target_"}
    return getattr(importlib.import_module(module), name)(**parameters, **THREADS.get(name, {}))


if __name__ == "__main__":
    main()
