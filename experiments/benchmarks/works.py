"""The three works the benchmark times: each a product of models, samplers and feature sets."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

FIRST = "retain's first result, s"
AGAIN = "retain launched again, nothing to do, s"
DRY = "retain with dry_run=true on the finished study, s"
MEMORY = "retain's peak memory by that of the heaviest single run of a"


@dataclass(frozen=True)
class Setting:
    """A model option: the model it starts from and the parameters it changes."""

    base: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Grid:
    """A model with lists of values for some of its parameters, as a study sweeps it."""

    base: str
    points: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    @property
    def options(self) -> dict[str, Setting]:
        """One option for each point, named ``logreg_001`` and so on: how a peer lists them.

        No parameter is common to the models of a work, so that plain Hydra, whose one sweep is
        one product, has a folder of option files; composing a file takes it as long as a value.
        """
        if not self.points:
            return {self.base: Setting(self.base)}
        every = enumerate(itertools.product(*self.points.values()), start=1)
        return {
            f"{self.base}_{i:03d}": Setting(self.base, dict(zip(self.points, point, strict=True)))
            for i, point in every
        }


@dataclass(frozen=True)
class Work:
    """Runs to be done over one table of customers, and what is asked of retain on them.

    ``grids`` are the models, with the values of their parameters that are tried. ``targets``
    says what retain's wall should be in walls of ``L``, how many times faster it should be than
    ``a`` and ``b``, and what other figures of the report should come to.
    """

    name: str
    told: str
    customers: int
    grids: Sequence[Grid]
    targets: Mapping[str, str]
    samplers: Sequence[str] = ("none",)
    features: Sequence[str] = ("all",)

    @property
    def models(self) -> dict[str, Setting]:
        """Every model by the name of its option."""
        return {name: made for grid in self.grids for name, made in grid.options.items()}

    @property
    def axes(self) -> dict[str, list[str]]:
        """What is swept, by config group."""
        return {
            "model": list(self.models),
            "sampler": list(self.samplers),
            "features": list(self.features),
        }

    @property
    def runs(self) -> list[tuple[str, str, str]]:
        """Model, sampler and feature set of every run."""
        return list(itertools.product(*self.axes.values()))

    @property
    def listed(self) -> str:
        """How many runs there are, and of which models."""
        names = ", ".join(list(self.models)[:10])
        return f"{len(self.runs)} runs: {names}{' …' if len(self.models) > 10 else ''}; 5 folds"

    def smaller(self, customers: int | None, runs: int | None) -> Work:
        """The same kind of work with fewer customers, and models evenly left out.

        >>> len(W1.smaller(None, 9).runs), len(W2.smaller(None, 10).runs)
        (9, 35)
        """
        small = replace(self, customers=customers or self.customers)
        if runs is None or runs >= len(self.runs):
            return small
        share = runs / len(self.runs)
        grids = [cut(grid, share) for grid in self.grids]
        if all(not grid.points for grid in grids):
            grids = grids[: max(1, round(share * len(grids)))]
        small = replace(small, grids=grids)
        return replace(small, told=small.listed)


def cut(grid: Grid, share: float) -> Grid:
    """The grid with the first list of values cut to about ``share`` of its points.

    >>> cut(Grid("tree", {"max_depth": [1, 2, 3, 4], "min_samples_leaf": [5, 9]}), 0.5).points
    {'max_depth': [1, 2], 'min_samples_leaf': [5, 9]}
    """
    values = {name: list(points) for name, points in grid.points.items()}
    for name in list(values)[:1]:
        values[name] = values[name][: max(1, round(share * len(values[name])))]
    return replace(grid, points=values)


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
WORKS = {work.name: work for work in (W1, W2, W3)}
