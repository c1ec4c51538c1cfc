"""The optimism of tuning where nothing can be found: outcomes shuffled.

python experiments/tuned/noise.py PATH
"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np

from retain.cli.compose import Composer
from retain.cli.overrides import Arguments
from retain.execution.dataset import prepare_dataset
from retain.learning.components import build_training_spec
from retain.learning.cross_validation import cross_validate
from retain.learning.splitting import make_splits


def optimism(path: str, trials: int) -> str:
    """Inner best, outer mean and their difference for a tree on shuffled outcomes."""
    words = ("tuning=optuna", f"tuning.trials={trials}", "data=one_click", f"data.dir={path}")
    with Composer(Arguments(("model=tree", *words)), "run") as composer:
        (composed,) = composer.runs()
    run, customers = composed.run, prepare_dataset(composed.run).customers
    shuffled = np.random.default_rng(0).permutation(customers.y)
    noise = replace(customers, target=customers.y * 0 + shuffled)
    found = (
        cross_validate(build_training_spec(run), noise, make_splits(noise, run.validation)).tuning
        or {}
    )
    gap = found["optimism"]
    return (
        f"{trials:>6} {found['inner']:.3f} {found['outer']:.3f} {gap['mean']:+.3f} "
        f"[{gap['low']:+.3f}, {gap['high']:+.3f}]"
    )


if __name__ == "__main__":
    print("trials inner outer optimism")
    for count in (1, 20, 100):
        print(optimism(sys.argv[1], count))
