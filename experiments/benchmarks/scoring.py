"""Times ``retain-score`` from a CSV of a million customers to their offers, against its two halves.

    python experiments/benchmarks/scoring.py [--customers 1000000] [--rounds 3] [--verdict DIR]

The halves are what nobody can do without: reading the files (checked and cleaned, as every command
reads them) and the bare ``predict_proba`` of the winner on the table they give. They and the whole
command, without limits and with a tenth of the customers contacted at most, take turns in one
process, so that a busy machine slows all alike. Beside it pandas reads the same files without a
check. The winner is a model of a small made-up store, or that of ``--verdict``. README.md's section
is rewritten when all models were tried on all customers.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from drivers import _command
from measuring import measure

from report import machine, rewrite
from retain.cli.overrides import Arguments
from retain.cli.score import score
from retain.customers.demo import write
from retain.learning.components import build_source
from retain.learning.features import select_model_columns
from retain.verdict.model_file import load_model
from retain.workflows.saved_winner import LoadedWinner, load_winner

CUSTOMERS, ROUNDS, MODELS = 1_000_000, 3, ("logreg", "lightgbm")
SECTION = "scoring"
TARGET = 1.5
LIMITS = ("none", "contacts")
Round = Mapping[str, "Taken"]


def main() -> None:
    """Score with each model and tell it."""
    args = _arguments()
    with TemporaryDirectory(prefix="retain-benchmark-") as name:
        folder = Path(name)
        write(folder / "new", customers=args.customers, seed=5)
        rows = []
        for model in args.models:
            verdict = args.verdict or trained(folder / model, model)
            turns = [one_round(verdict, folder / "new", args.customers) for _ in range(args.rounds)]
            rows += [told(model, name, turns) for name in LIMITS]
            print(*rows[-len(LIMITS) :], sep="\n", flush=True)
    text = "\n".join([head(args.customers, args.rounds), *rows, "", f"{machine()}."])
    print(f"\n{text}\n")
    if (args.customers, args.models, args.verdict) == (CUSTOMERS, MODELS, None):
        rewrite(SECTION, text)
    else:
        print("README.md stays as it is: this was not the whole work.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--verdict", help="folder of a verdict over made-up customers")
    return parser.parse_args()


def trained(folder: Path, model: str, customers: int = 1300) -> str:
    """Return the verdict over one run of a model on so many made-up customers, by the commands."""
    outputs = f"outputs={folder / 'outputs'}"
    words = (f"model={model}", f"data.customers={customers}", "validation.repeats=1", outputs)
    measure([_command("retain"), *words], folder / "run")
    compare = [_command("retain-compare"), "study=adhoc", "explain=none", outputs]
    measure(compare, folder / "compare")
    return str(folder / "outputs" / "adhoc" / "verdict")


def one_round(verdict: str, new: Path, customers: int) -> Round:
    """Seconds of reading, of predicting and of the whole command, one after the other."""
    saved = load_winner(Path(verdict) / "verdict.json")
    model = load_model(saved.folder / saved.model_file.file, saved.model_file.sha256)
    read, people = timed(build_source(_node(saved, new), known_kinds=saved.reference.kinds))
    table = select_model_columns(people, saved.reference.kinds)
    predict, _ = timed(partial(model.predict_proba, table))
    del people, table
    plain, _ = timed(lambda: [_plainly(path) for path in sorted(new.glob("*.csv"))])
    output_dir = f"output_dir={new.parent / 'scored'}"
    words = ("data=one_click", f"data.dir={new}", output_dir, "campaign.replace=true")
    found = {"read": read, "predict": predict, "plain": plain}
    for name, limit in zip(
        LIMITS, ((), (f"campaign.max_contacts={customers // 10}",)), strict=True
    ):
        found[name], code = timed(partial(_scored, (f"verdict={verdict}", *words, *limit)))
        if code != 0:
            raise RuntimeError("the command did not score")
    return found


def _node(saved: LoadedWinner, new: Path) -> dict[str, Any]:
    """Return the store's files in a folder, under the contract of the made-up customers."""
    trained_on = saved.winner.config["data"]
    contract = {k: trained_on[k] for k in ("tables", "profit_unit", "cleaning", "derived")}
    target = "retain.customers.contract.reader.read"
    return {"_target_": target, "dir": str(new), "has_target": False, **contract}


def _plainly(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep=";" if path.name == "money.csv" else ",")


def _scored(words: Sequence[str]) -> int:
    with redirect_stdout(StringIO()):
        return score(Arguments(tuple(words)))


@dataclass(frozen=True)
class Taken:
    """Seconds of a call: by the clock, and of the processor, which other users do not lengthen."""

    wall: float
    cpu: float


def timed(call: Callable[[], Any]) -> tuple[Taken, Any]:
    """Return the time and the result of a call."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    found = call()
    return Taken(time.perf_counter() - wall, time.process_time() - cpu), found


def ratio(one: Round, name: str, clock: str = "wall") -> float:
    """Return the whole command with these limits by reading and predicting.

    >>> ratio({"none": Taken(6, 5), "read": Taken(3, 3), "predict": Taken(1, 1)}, "none")
    1.5
    """
    whole, read, predict = (getattr(one[key], clock) for key in (name, "read", "predict"))
    return float(whole / (read + predict))


def head(customers: int, rounds: int) -> str:
    """Return the heading of the rows below."""
    return (
        f"{customers:,} made-up customers in four CSV files. Medians of {rounds} rounds, ratios "
        f"taken within each; target ≤ {TARGET}. At most a tenth contacted, or no limit.\n\n"
        "| winner | contacts | reading, s | bare predict, s | whole command, s | by reading + "
        "predict | each round | the same in CPU seconds | pandas alone reads in, s |\n"
        "|---|---|---|---|---|---|---|---|---|"
    )


def told(model: str, name: str, rounds: Sequence[Round]) -> str:
    """Return a row of the table."""
    middle = {key: median(one[key].wall for one in rounds) for key in rounds[0]}
    ratios = [ratio(one, name) for one in rounds]
    each = ", ".join(f"{one:.2f}" for one in ratios)
    cpu = median(ratio(one, name, "cpu") for one in rounds)
    limit = "a tenth" if name == "contacts" else "no limit"
    return (
        f"| {model} | {limit} | {middle['read']:.1f} | {middle['predict']:.1f} | "
        f"{middle[name]:.1f} | {median(ratios):.2f} | {each} | {cpu:.2f} | "
        f"{middle['plain']:.1f} |"
    )


if __name__ == "__main__":
    main()
