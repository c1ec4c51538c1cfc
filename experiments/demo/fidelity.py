"""Prints how like the real data the demo data are, by the measures of their test.

    python experiments/demo/fidelity.py DIR [--customers 1300] [--seeds 12]

Each demo is compared with the four real files in DIR: first the figure of the real data, then the
mean, the smallest and the largest figure over the seeds, then the figure of seed 0.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests" / "customers")]

import test_demo  # noqa: E402 - the measures live beside the limits they are held to

from retain.customers import demo  # noqa: E402


def main() -> None:
    """Measure seed by seed, print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder with the four real files")
    parser.add_argument("--customers", type=int, default=1300)
    parser.add_argument("--seeds", type=int, default=12)
    args = parser.parse_args()
    real = {
        f"CV, {name}": test_demo.cross_validated(name, args.folder) for name in test_demo.MODELS
    }
    made = pd.DataFrame([figures(args.folder, args.customers, seed) for seed in range(args.seeds)])
    told = made.agg(["mean", "min", "max"]).T.assign(seed_0=made.iloc[0])
    told.insert(0, "real", pd.Series(real).reindex(told.index))
    print(told.round(3).to_string(na_rep=""))


def figures(real: Path, customers: int, seed: int) -> dict[str, float]:
    """ROC-AUCs and the widest distance of a feature, for one demo."""
    with TemporaryDirectory() as folder:
        made = Path(folder)
        demo.write(made, customers=customers, seed=seed)
        return {
            **{f"CV, {name}": test_demo.cross_validated(name, made) for name in test_demo.MODELS},
            **{
                f"demo → real, {name}": test_demo.transported(name, made, real)
                for name in test_demo.MODELS
            },
            "widest distance of a feature": float(test_demo.distances(made, real).max()),
        }


if __name__ == "__main__":
    main()
