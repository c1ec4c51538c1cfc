import zlib

import numpy as np
import pytest

from retain.record.document import SplitInfo
from retain.verdict.candidates import Candidate
from retain.verdict.placements import Placements, placement_values
from retain.verdict.trees.best_run import ScoredRuns

N, FOLDS, REPEATS = 400, 4, 2
TARGET = (np.arange(N) % 3 == 0).astype(int)
FOLD = np.arange(N) // 3 % FOLDS


@pytest.fixture
def scored(make_record):
    """A tree of runs, each the target plus noise of a seed: ``{name: (seed, strength)}``."""

    def make(runs, rows="same", order=None, **changes):
        target = TARGET if order is None else TARGET[order]
        records, placed = [], []
        for name, (seed, strength) in runs.items():
            random = np.random.default_rng(seed)
            values = []
            for _ in range(REPEATS):
                score = strength * target + random.standard_normal(N)
                values.append(placement_values(target == 1, score, FOLD))
            hits = [(k == FOLD) & (target == 1) for k in range(FOLDS)]
            folds = tuple(float(one[hit].mean()) for one in values for hit in hits)
            split = SplitInfo(
                fingerprint=rows * 16,
                n_folds=FOLDS,
                n_repeats=REPEATS,
                n_sealed_test=0,
                test_to_train=1 / (FOLDS - 1),
            )
            model = {"name": name, "_target_": "x.Y"}
            overrides = (f"model={name}",)
            facts = {
                "id": f"{zlib.crc32(name.encode()):08x}",
                "auc": folds,
                "model": model,
                "split": split,
            }
            records.append(make_record(**facts, overrides=overrides, **changes))
            placed.append(np.mean(values, axis=0))
        ids = tuple(record.id for record in records)
        placements = Placements(ids, np.column_stack(placed), target == 1)
        return ScoredRuns.of([Candidate(one, (one,)) for one in records], placements, rows)

    return make
