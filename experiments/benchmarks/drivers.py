"""Times the drivers of a winner, for every model, against the bare calls of SHAP.

    python experiments/benchmarks/drivers.py [--customers 1300] [--rows 1000000] [--rounds 3]

First each model on made-up customers, explained as ``retain-compare explain=full`` does it: fits of
a repeat's folds, SHAP values, five shuffles of each feature, on two processes that wait for work.
Beside it, in one process and in turns, the explanation of one fold's rows and the bare call on the
same rows. Then LightGBM on a large made-up table. README.md's section is rewritten when both parts
were done in full.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from measuring import measure

from report import machine, rewrite
from retain.cli.compose import Composer
from retain.cli.overrides import Arguments
from retain.execution.dataset import prepare_dataset
from retain.execution.executor import WorkerExecutor
from retain.execution.shared_memory import SharedValue, launch_dir, share
from retain.execution.worker import start_forkserver
from retain.explanations.explain import Explained, explain
from retain.explanations.explainers import library
from retain.explanations.time_budget import TimeBudget
from retain.learning.columns import transformed_columns
from retain.learning.components import build_training_spec
from retain.learning.scoring import FoldScorer
from retain.record.document import Record
from retain.record.study import StudyDirectory
from retain.schema.compare import Compare
from retain.schema.parsing import parse
from retain.schema.run import Run

MODELS = (
    *("logreg", "tree", "random_forest", "extra_trees", "hist_gradient_boosting"),
    *("lightgbm", "catboost", "svc", "knn", "mlp", "blend", "dummy"),
)
CUSTOMERS, ROWS, ROUNDS = 1300, 1_000_000, 3
AMPLE = 10_000.0
SECTION = "drivers"


def main() -> None:
    """Do both parts and tell them."""
    args = _arguments()
    with TemporaryDirectory(prefix="retain-benchmark-") as folder:
        small = zoo(Path(folder, "zoo"), args.customers, args.rounds, args.models)
        large = big(Path(folder, "large"), args.rows) if args.rows else "Not measured."
    text = f"{small}\n\n{large}\n\n{machine()}."
    print(f"\n{text}\n")
    whole = args.customers == CUSTOMERS and args.rows == ROWS and args.rounds >= ROUNDS
    if whole and args.models == MODELS:
        rewrite(SECTION, text)
    else:
        print("README.md stays as it is: this was not the whole work.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--rows", type=int, default=ROWS, help="of the large table; 0: without it")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--models", nargs="+", default=MODELS)
    return parser.parse_args()


def zoo(folder: Path, customers: int, rounds: int, models: Sequence[str], folds: int = 5) -> str:
    """Seconds of drivers and the ratio to the bare call, a row a model."""
    words = (f"model={','.join(models)}", f"data.customers={customers}", "validation.repeats=1")
    words = (*words, f"validation.folds={folds}")
    swept = measure([_command("retain"), "-m", "study.name=zoo", "data=demo", *words], folder)
    print(f"{len(models)} runs in {swept.seconds:.0f} s", flush=True)
    config = _compare()
    start_forkserver("retain.workflows.explanation_jobs", "phik.phik", "shap")
    records = [record for _, record in StudyDirectory(folder / "outputs" / "zoo").read() if record]
    rows = []
    with WorkerExecutor(2) as executor, launch_dir() as shared:
        for winner in sorted(records, key=lambda one: models.index(one.config["model"]["name"])):
            prepared = share(prepare_dataset(parse(Run, winner.config)), shared / winner.id)
            job = (config, winner, prepared)
            taken = [_drivers(executor, *job) for _ in range(rounds + 1)][1:]
            kind, ratio = _against_bare(winner, rounds)
            name = winner.config["model"]["name"]
            each = ", ".join(f"{seconds:.1f}" for seconds in taken)
            rows.append(f"| {name} | {kind} | {median(taken):.1f} | {each} | {ratio:.2f} |")
            print(rows[-1], flush=True)
    head = "| winner | explainer | drivers, s | each round | by the bare call |"
    told = f"{customers:,} customers, target < 20 s and ≤ 1.2. Medians of {rounds} rounds."
    return "\n".join([told, "", head, "|---|---|---|---|---|", *rows])


def _compare() -> Compare:
    with Composer(Arguments(("study.name=zoo",)), "compare") as composer:
        return parse(Compare, composer.one())


def _drivers(
    executor: WorkerExecutor, config: Compare, winner: Record, customers: SharedValue
) -> float:
    """Wall seconds until every fold is explained and shuffled."""
    begun = time.perf_counter()
    folds = [
        executor.submit("explain", config, winner, customers, place)
        for place in range(winner.split.n_folds)
    ]
    for fold in folds:
        fold.result()
    return time.perf_counter() - begun


def _against_bare(winner: Record, rounds: int) -> tuple[str, float]:
    """Seconds of an explanation of one fold's rows by those of the bare call, in turns."""
    run = parse(Run, winner.config)
    prepared = prepare_dataset(run)
    scoring = FoldScorer(build_training_spec(run), prepared.customers, prepared.splits, None)
    fold = prepared.splits.folds[0]
    model = scoring.fit_fold(fold)
    train, test = scoring.table.iloc[fold.train], scoring.table.iloc[fold.test]
    budget = TimeBudget(AMPLE, len(scoring.table), background=25, seed=0)
    found = explain(model, train, test, budget)
    call = bare(found, model, train, test, budget)
    ratios = []
    for _ in range(1 if found.kind == "sampled" else rounds):  # a bare call of those takes minutes
        ours = _timed(lambda: explain(model, train, test, budget))
        ratios.append(ours / _timed(call))
    return found.kind, median(ratios)


def bare(
    found: Explained, model: Any, train: pd.DataFrame, test: pd.DataFrame, budget: TimeBudget
) -> Callable[[], Any]:
    """Return the call that SHAP's own pages would have for this model and these rows.

    For what only sampling explains, SHAP's permutation explainer, one order there and back, against
    as many other customers.
    """
    shap = library()
    inner = model.calibrated_classifiers_[0].estimator if hasattr(model, "cv") else model
    if found.kind == "tree":
        return lambda: shap.TreeExplainer(inner[-1]).shap_values(transformed_columns(inner, test))
    if found.kind == "linear":

        def linear() -> Any:
            masker = shap.maskers.Independent(
                transformed_columns(inner, train), max_samples=len(train)
            )
            return shap.LinearExplainer(inner[-1], masker).shap_values(
                transformed_columns(inner, test)
            )

        return linear
    coded = _Coded(train)
    others = coded.codes(train.sample(budget.background, random_state=0))
    masker = shap.maskers.Independent(others, max_samples=len(others))
    score = coded.scored(inner)
    rows, evaluations = coded.codes(test), 2 * test.shape[1] + 1
    return lambda: shap.PermutationExplainer(score, masker)(
        rows, max_evals=evaluations, silent=True
    )


class _Coded:
    """Categories as numbers, which SHAP's maskers ask for, and back."""

    def __init__(self, table: pd.DataFrame) -> None:
        self._levels = {
            name: pd.Index(table[name].unique())
            for name in table
            if not pd.api.types.is_numeric_dtype(table[name])
        }
        self._columns = list(table)

    def codes(self, table: pd.DataFrame) -> np.ndarray:
        """Return a table as numbers."""
        coded = {name: levels.get_indexer(table[name]) for name, levels in self._levels.items()}
        return np.asarray(table.assign(**coded).to_numpy(dtype=float))

    def scored(self, inner: Any) -> Callable[[np.ndarray], np.ndarray]:
        """Return the model's score of rows that are numbers."""

        def score(rows: np.ndarray) -> np.ndarray:
            table = pd.DataFrame(rows, columns=self._columns)
            for name, levels in self._levels.items():
                table[name] = pd.Series(levels.take(table[name].astype(int)), dtype="str")
            if hasattr(inner, "decision_function"):
                return np.asarray(inner.decision_function(table))
            return np.asarray(inner.predict_proba(table)[:, 1])

        return score


def _timed(call: Callable[[], Any]) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        begun = time.perf_counter()
        call()
    return time.perf_counter() - begun


def big(folder: Path, rows: int) -> str:
    """Return the time of LightGBM's explanations on a large table, beside the rest."""
    folder.mkdir()
    path = folder / "customers.parquet"
    made_up(rows).to_parquet(path, index=False)
    data = ("data=table", f"data.path={path}", "data.target=declined", "data.id=customer")
    words = (*data, "model=lightgbm", "validation.repeats=1", f"outputs={folder / 'outputs'}")
    swept = measure([_command("retain"), "study.name=large", *words], folder / "run")
    print(f"LightGBM on {rows:,} customers in {swept.seconds:.0f} s", flush=True)
    compare = (_command("retain-compare"), "study=large", f"outputs={folder / 'outputs'}")
    without = measure([*compare, "explain=none"], folder / "none", memory=True)
    told = measure([*compare, "explain=fast"], folder / "fast", memory=True)
    (record,) = (one for _, one in StudyDirectory(folder / "outputs" / "large").read() if one)
    _, ratio = _against_bare(record, 1)
    head = f"LightGBM on {rows:,} customers with 25 features, `retain-compare` on two processes:"
    figures = (
        ("with `explain=fast`, s", f"{told.seconds:.0f}", ""),
        ("with `explain=none`, s", f"{without.seconds:.0f}", ""),
        ("what the reasons add, s", f"{told.seconds - without.seconds:.0f}", "< 300"),
        ("peak memory of all processes, GiB", f"{(told.peak or 0) / 1024:.2f}", "< 3.7 (4 GB)"),
        ("explanation of a fold by the bare call, one thread", f"{ratio:.2f}", "≤ 1.2"),
    )
    table = [f"| {name} | {value} | {target} |" for name, value, target in figures]
    return "\n".join([head, "", "|  | one round | target |", "|---|---|---|", *table])


def made_up(rows: int) -> pd.DataFrame:
    """Make customers with some features that drive the decline; 3 of 25 are categories."""
    random = np.random.default_rng(0)
    table = pd.DataFrame({f"number_{j:02d}": random.normal(size=rows) for j in range(22)})
    for j in range(3):
        colours = random.choice(["red", "green", "blue", "black"], rows)
        table[f"colour_{j}"] = pd.Series(colours, dtype="str")
    odds = table["number_00"] - table["number_01"] + table["number_02"] * table["number_03"] / 2
    odds += (table["colour_0"] == "red") + random.normal(size=rows) * 2
    table["customer"] = random.permutation(rows)
    return table.assign(declined=np.where(odds > 0, "yes", "no"))


def _command(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


if __name__ == "__main__":
    main()
