"""Times what somebody waits for who types one command, against a bare script with the same fits.

    python experiments/benchmarks/start.py [--rounds 5]

One run, the first result of a sweep, and ``retain-compare study=demo`` after a sweep of it, from
shell to shell; the bare script takes its turn in each round. Then where the time of one run goes.
The section of README.md is rewritten after five rounds or more.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from contestants import RETAIN
from measuring import Measured, measure
from rounds import Round
from stage import PEERS, UNIT, Stage, set_up
from works import W1

from report import figures, machine, rewrite

ROUNDS = 5
RUN, FIRST, COMPARE = "one run", "first result of a sweep", "retain-compare study=demo"
TARGETS = {
    f"{RUN}, by the bare script's wall": "≤ 1.25",
    f"{FIRST}, by the bare script's wall": "≤ 1.25",
    f"{COMPARE}: wall, s": "≤ 5",
}
LIBRARIES = {
    "pandas, NumPy, pyarrow": ("pandas", "numpy", "pyarrow"),
    "scikit-learn, SciPy": ("sklearn", "scipy", "joblib", "threadpoolctl"),
    "Hydra, OmegaConf, pydantic, Rich": (
        *("hydra", "omegaconf", "antlr4", "yaml"),
        *("pydantic", "pydantic_core", "rich", "pygments"),
    ),
    "retain": ("retain",),
}
"""Packages by the name of their row; all others, Python's own among them, are in one more."""
OTHERS = "Python's and all others"
LARGEST_DIFFERENCE = 1e-9


def main() -> None:
    """Set up, take turns, and tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    count = parser.parse_args().rounds
    with TemporaryDirectory(prefix="retain-benchmark-") as folder:
        stage = set_up(W1, Path(folder), 2)
        demo = Path(folder, "demo")
        measure([RETAIN, "-m", "study=demo", f"outputs={demo}"], Path(folder, "sweep"))
        one_round(stage, Path(folder, "warm"), demo)  # so that files are in memory
        done = [one_round(stage, Path(folder, str(number)), demo) for number in range(count)]
    about = (
        f"One logistic regression, 5 folds, {W1.customers:,} customers. Medians of {count} rounds"
    )
    text = f"{about}, ratios taken within each round. {machine()}.\n\n{figures(done, TARGETS)}"
    print(f"\n{text}\n")
    if count >= ROUNDS:
        rewrite("start", text)
    else:
        print(f"README.md stays as it is: fewer than {ROUNDS} rounds.")


def one_round(stage: Stage, folder: Path, demo: Path) -> Round:
    """Time each in turn.

    Raises
    ------
    RuntimeError
        When one fails, or retain's ROC-AUCs are not the bare script's.
    """
    out = folder / "bare" / "roc_auc.json"
    script = [sys.executable, str(PEERS / "bare_fit.py")]
    bare = measure([*script, str(stage.data), str(stage.folds), str(out)], folder / "bare")
    words = _words(stage)
    run = measure([RETAIN, *words, f"outputs={folder / 'one'}"], folder / "run")
    (path,) = (folder / "one").glob("*/*/record.json")
    record = json.loads(path.read_text(encoding="utf-8"))
    _refuse_other_fits(record, json.loads(out.read_text(encoding="utf-8")))
    outputs = folder / "outputs"
    line = [RETAIN, "-m", *words, "model=logreg,dummy", f"outputs={outputs}"]
    sweep = measure(line, folder / "sweep", records=outputs / "adhoc")
    command = str(Path(RETAIN).with_name("retain-compare"))
    compared = measure([command, "study=demo", f"outputs={demo}"], folder / "compare")
    first = sweep.first if sweep.first is not None else sweep.seconds
    taken = {"bare script": bare, RUN: run, COMPARE: compared}
    return Round(
        figures={
            **_costs(taken),
            f"{FIRST}: s": first,
            f"{RUN}, by the bare script's wall": run.seconds / bare.seconds,
            f"{RUN}, by the bare script's CPU": run.cpu / bare.cpu,
            f"{FIRST}, by the bare script's wall": first / bare.seconds,
            **_parts(folder / "imports", words, record["seconds"]),
        }
    )


def _words(stage: Stage) -> list[str]:
    """Return the line of one run over the stage's customers and folds."""
    columns = ("id=customer_id", "target=declined", "profit=profit", f"profit_unit='{UNIT}'")
    data = ["data=table", f"data.path={stage.data}", *(f"data.{column}" for column in columns)]
    return [*data, "validation.repeats=1", "model=logreg"]


def _refuse_other_fits(record: dict[str, dict[str, dict[str, list[float]]]], bare: object) -> None:
    ours = record["metrics"]["roc_auc"]["fold_values"]
    pairs = zip(ours, bare if isinstance(bare, list) else (), strict=True)
    if max(abs(one - other) for one, other in pairs) > LARGEST_DIFFERENCE:
        raise RuntimeError(f"not the same fits: ROC-AUCs are {ours} and {bare}")


def _costs(taken: dict[str, Measured]) -> dict[str, float]:
    walls = {f"{name}: wall, s": one.seconds for name, one in taken.items()}
    return {**walls, **{f"{name}: CPU, s": one.cpu for name, one in taken.items()}}


def _parts(folder: Path, words: Sequence[str], phases: dict[str, float]) -> dict[str, float]:
    """Return where the time of one run goes, in seconds; ``-X importtime`` slows it."""
    python = [sys.executable, "-X", "importtime", "-m", "retain"]
    whole = measure([*python, *words, f"outputs={folder / 'outputs'}"], folder)
    spent: Counter[str] = Counter()
    for line in (folder / "output.log").read_text(encoding="utf-8").splitlines():
        own, _, module = line.removeprefix("import time:").rpartition("|")
        own = own.partition("|")[0].strip()
        if line.startswith("import time:") and own.isdigit():
            spent[_row(module.strip().partition(".")[0])] += int(own)
    importing = {name: spent[name] / 1e6 for name in (*LIBRARIES, OTHERS)}
    rest = whole.seconds - sum(importing.values()) - sum(phases.values())
    return {
        **{f"{RUN}: importing {name}, s": seconds for name, seconds in importing.items()},
        f"{RUN}: the folds (prepare, fit, predict, metrics), s": sum(phases.values()),
        f"{RUN}: config, reading, audit, record, s": rest,
    }


def _row(package: str) -> str:
    return next((name for name, own in LIBRARIES.items() if package in own), OTHERS)


if __name__ == "__main__":
    main()
