"""The four works the benchmark times: grids of models × samplers × feature sets.

A grid each of several models is no product. retain writes it as a study of several sweeps; plain
Hydra, which has one product a command, as a folder of options (``model=logreg_001,…``), which
composes as fast as typed values would.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

FIRST = "retain's first result, s"
AGAIN = "retain launched again, nothing to do, s"
DRY = "retain with dry_run=true on the finished study, s"
MEMORY = "retain's peak memory by that of the heaviest single run of a"


@dataclass(frozen=True)
class Grid:
    """A model and the product of values of its parameters; without values, the model as it is."""

    base: str
    values: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    @property
    def settings(self) -> list[dict[str, Any]]:
        """The parameters of each point."""
        points = itertools.product(*self.values.values())
        return [dict(zip(self.values, point, strict=True)) for point in points]

    def thinner(self, runs: int) -> Grid:
        """At most so many points: every other value of the longest list, until they are few.

        >>> Grid("tree", {"max_depth": range(1, 9), "splitter": ["best"]}).thinner(5).values
        {'max_depth': [1, 3, 5, 7], 'splitter': ['best']}
        """
        values = {name: list(given) for name, given in self.values.items()}
        while math.prod(map(len, values.values())) > max(runs, 1):
            longest = max(values, key=lambda name: len(values[name]))
            values[longest] = values[longest][::2]
        return Grid(self.base, values)


@dataclass(frozen=True)
class Work:
    """Runs to be done over one table of customers, and what is asked of retain on them.

    ``targets`` says what retain's wall should be in walls of ``L``, how many times faster it
    should be than ``a`` and ``b``, and what other figures of the report should come to.
    """

    name: str
    told: str
    customers: int
    grids: Sequence[Grid]
    targets: Mapping[str, str]
    samplers: Sequence[str] = ("none",)
    features: Sequence[str] = ("all",)

    @property
    def models(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Base and parameters of every model, by name: ``svc``, ``logreg_001`` and so on."""
        return {
            f"{grid.base}_{i:03d}" if setting else grid.base: (grid.base, setting)
            for grid in self.grids
            for i, setting in enumerate(grid.settings, start=1)
        }

    @property
    def axes(self) -> dict[str, list[str]]:
        """The sweep, by config group, with an option for each model."""
        models, samplers, features = list(self.models), list(self.samplers), list(self.features)
        return {"model": models, "sampler": samplers, "features": features}

    @property
    def runs(self) -> list[tuple[str, str, str]]:
        """Model, sampler and feature set of every run."""
        return list(itertools.product(*self.axes.values()))

    @property
    def sweeps(self) -> list[dict[str, str]]:
        """The same runs as products of typed values: models as they are, then grid by grid."""
        plain = ",".join(grid.base for grid in self.grids if not grid.values)
        swept = [{"model": plain}] if plain else []
        for grid in self.grids:
            if grid.values:
                lists = {f"model.{name}": _typed(given) for name, given in grid.values.items()}
                swept.append({"model": grid.base, **lists})
        return swept

    def smaller(self, customers: int | None, runs: int | None) -> Work:
        """Return the same kind of work with fewer customers, and about so many runs.

        >>> len(W1.smaller(None, 18).runs), len(W2.smaller(None, 100).runs)
        (18, 69)
        """
        small = replace(self, customers=customers or self.customers)
        if runs is None:
            return small
        points = max(1, runs // (len(self.samplers) * len(self.features)))
        step = -(-len(self.grids) // points)
        grids = [grid.thinner(points // len(self.grids)) for grid in self.grids[::step]]
        small = replace(small, grids=grids)
        return replace(small, told=f"{len(small.runs)} of these: {self.told}")


def _typed(values: Sequence[Any]) -> str:
    return ",".join("null" if value is None else str(value) for value in values)


W1 = Work(
    name="W1",
    told="63 runs: 7 models × 3 samplers × 3 feature sets, 5 folds",
    customers=1_300,
    grids=[
        Grid(name)
        for name in ("logreg", "svc", "knn", "tree", "random_forest", "lightgbm", "catboost")
    ],
    samplers=("none", "random_under", "smote"),
    features=("all", "no_site", "no_communication"),
    targets={"L": "≤ 1.10", "a": "≥ 1.8", "b": "≥ 1.6"},
)
W2 = Work(
    name="W2",
    told="1,000 light runs: a grid each of logistic regression, tree and nearest neighbours, "
    "5 folds",
    customers=1_300,
    grids=[
        Grid("logreg", {"C": [float(f"{c:.4g}") for c in np.logspace(-4, 3, 336)]}),
        Grid("tree", {"max_depth": range(1, 13), "min_samples_leaf": range(5, 89, 3)}),
        Grid("knn", {"n_neighbors": range(3, 85), "weights": ["uniform", "distance"], "p": [1, 2]}),
    ],
    targets={
        "L": "≤ 1.2",
        "a": "≥ 4",
        "b": "≥ 3.5",
        FIRST: "≤ 3",
        AGAIN: "< 5",
        DRY: "< 5",
    },
)
W3 = Work(
    name="W3",
    told="24 runs: 8 settings each of LightGBM, CatBoost and logistic regression, 5 folds",
    customers=200_000,
    grids=[
        Grid(
            "lightgbm",
            {"learning_rate": [0.03, 0.1], "num_leaves": [15, 31], "min_child_samples": [20, 100]},
        ),
        Grid("catboost", {"learning_rate": [0.05, 0.1], "depth": [4, 6], "l2_leaf_reg": [1, 3]}),
        Grid("logreg", {"C": [0.01, 0.1, 1.0, 10.0], "class_weight": [None, "balanced"]}),
    ],
    targets={"L": "≤ 1.05", MEMORY: "≤ 1.5"},
)
TREES = [100, 200, 300, 400]
W4 = Work(
    name="W4",
    told="240 runs as researchers tune: grids of trees × depth × rate, C × gamma, k and C, 5 folds",
    customers=1_300,
    grids=[
        Grid(
            "lightgbm",
            {
                "n_estimators": TREES,
                "learning_rate": [0.01, 0.02, 0.05, 0.1],
                "num_leaves": [7, 15, 31],
            },
        ),
        Grid("catboost", {"iterations": TREES, "learning_rate": [0.03, 0.1], "depth": [4, 5, 6]}),
        Grid(
            "random_forest",
            {"n_estimators": TREES, "min_samples_leaf": [1, 3], "max_features": [0.3, "sqrt"]},
        ),
        Grid(
            "extra_trees",
            {"n_estimators": TREES, "min_samples_leaf": [1, 3], "max_features": [0.3, "sqrt"]},
        ),
        Grid(
            "hist_gradient_boosting",
            {
                "max_iter": TREES,
                "learning_rate": [0.03, 0.1],
                "max_leaf_nodes": [7, 15, 31],
            },
        ),
        Grid("svc", {"C": [0.1, 0.3, 1, 3, 10, 30], "gamma": [0.003, 0.01, 0.03, 0.1, 0.3, 1]}),
        Grid("knn", {"n_neighbors": range(5, 105, 5), "weights": ["uniform", "distance"]}),
        Grid("logreg", {"C": [float(f"{c:.4g}") for c in np.logspace(-4, 3, 36)]}),
    ],
    targets={"L": "≤ 0.55"},
)
WORKS = {work.name: work for work in (W1, W2, W3, W4)}
