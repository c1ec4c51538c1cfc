"""Sampled Shapley values against those worked out over every set of features."""

import itertools
import math
from functools import partial

import numpy as np
import pandas as pd
import pytest

from retain.explanations.explainers import shapley, walk_rows


def sampled(score, table, background, seed):
    walk = partial(walk_rows, score, background)
    return shapley(walk, table, len(background), np.random.default_rng(seed))


def exact(score, table, background):
    """Shapley values by their definition: over all sets of the other features."""
    names = list(table)

    def value(row, own):
        mixed = background.copy()
        for name in own:
            mixed[name] = row[name]
        return score(mixed).mean()

    found = np.zeros(table.shape)
    for i, (_, row) in enumerate(table.iterrows()):
        for j, name in enumerate(names):
            others = [one for one in names if one != name]
            for size in range(len(names)):
                weight = 1 / (len(names) * math.comb(len(names) - 1, size))
                for own in itertools.combinations(others, size):
                    gain = value(row, (*own, name)) - value(row, own)
                    found[i, j] += weight * gain
    return found


@pytest.fixture
def customers():
    random = np.random.default_rng(0)
    numbers = pd.DataFrame(random.normal(size=(40, 3)), columns=["pages", "minutes", "errors"])
    return numbers.assign(kind=pd.Series(random.choice(["a", "b"], 40), dtype="str"))


def bent(frame):
    """A score with interactions, one with a category among them."""
    return (
        frame["pages"].to_numpy() * frame["minutes"].to_numpy()
        + np.where(frame["kind"] == "a", frame["errors"], 0.0)
        + frame["pages"].to_numpy()
    )


def test_values_add_up_to_the_score_less_that_of_the_background(customers):
    rows, background = customers[:5], customers[5:15]
    values, _ = sampled(bent, rows, background, seed=0)
    gap = bent(rows) - bent(background).mean()
    assert values.sum(axis=1) == pytest.approx(gap)


def test_values_lie_around_the_exact_ones_by_as_much_as_they_say(customers):
    rows, background = customers[:3], customers[3:23]
    wanted = exact(bent, rows, background)
    runs = [sampled(bent, rows, background, seed=seed)[0] for seed in range(200)]
    far = np.abs(np.mean(runs, axis=0) - wanted)
    assert (far < 4 * np.std(runs, axis=0, ddof=1) / math.sqrt(200) + 1e-12).all()


def test_a_score_that_adds_up_is_told_exactly(customers):
    def added(frame):
        return 2 * frame["pages"].to_numpy() - frame["errors"].to_numpy()

    rows, background = customers[:4], customers[4:14]
    values, _ = sampled(added, rows, background, seed=1)
    wanted = 2 * (rows["pages"] - background["pages"].mean())
    assert values[:, 0] == pytest.approx(wanted)
    assert (values[:, [1, 3]] == 0).all()


# Large tables are walked in pieces: no piece may know of another.
def test_pieces_change_nothing_but_the_orders_drawn(customers, monkeypatch):
    monkeypatch.setattr("retain.explanations.explainers.CHUNK_ROWS", 100)
    values, errors = sampled(bent, customers, customers[:10], seed=0)
    assert values.shape == errors.shape == customers.shape
    gap = bent(customers) - bent(customers[:10]).mean()
    assert values.sum(axis=1) == pytest.approx(gap)
