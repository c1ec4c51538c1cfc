"""Models that grow: a shorter fit is the first part of a longer one, to the last bit.

Forests draw the seeds of their trees in turn, boosting adds trees to those it has, and the nearest
neighbours are the first of more. So the scores of runs that differ in this number alone are cut
from one fit of the most. Only what was shown to give the same bits is in the table; a setting that
is not in it is fitted by itself.
Imports nothing heavy: the process that launches a sweep asks which runs are alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from retain.schema.parsing import Node

Cuts = Iterator[tuple[int, "np.ndarray"]]
"""A length, and the probabilities of both classes with that length, shape (n, 2)."""


@dataclass(frozen=True)
class Growing:
    """A class that grows.

    Attributes
    ----------
    length
        The parameter that counts the trees, or the neighbours.
    needed
        Parameters that must have a value, since their default depends on the length or on chance.
    proven
        The other parameters with which equality was shown.
    cut
        Called with a fitted model, rows and ascending lengths below its own. It yields nothing
        for a length that would not give the same bits.
    changes_at
        The length at which another parameter's default changes; 0 if none does.
    """

    length: str
    proven: frozenset[str]
    cut: Callable[[Any, np.ndarray, Sequence[int]], Cuts]
    needed: frozenset[str] = frozenset()
    changes_at: int = 0


def _cut_forest(model: Any, rows: np.ndarray, lengths: Sequence[int]) -> Cuts:
    """Yield means over the first trees, summed in the order in which a forest sums them."""
    import numpy as np

    rows = np.ascontiguousarray(rows, dtype=np.float32)
    total = np.zeros((len(rows), len(model.classes_)))
    for count, tree in enumerate(model.estimators_[: max(lengths)], start=1):
        total += tree.predict_proba(rows, check_input=False)
        if count in lengths:
            yield count, total / count


def _cut_lightgbm(model: Any, rows: np.ndarray, lengths: Sequence[int]) -> Cuts:
    # A round in which no leaf can be split leaves no tree: later ones move up.
    if model.booster_.num_trees() == model.n_estimators:
        for length in lengths:
            yield length, model.predict_proba(rows, num_iteration=length)


def _cut_catboost(model: Any, rows: np.ndarray, lengths: Sequence[int]) -> Cuts:
    if model.tree_count_ == model.get_param("iterations"):
        for length in lengths:
            yield length, model.predict_proba(rows, ntree_end=length)


def _cut_hist(model: Any, rows: np.ndarray, lengths: Sequence[int]) -> Cuts:
    if model.n_iter_ == model.max_iter:
        stages = enumerate(model.staged_predict_proba(rows), start=1)
        yield from ((length, proba) for length, proba in stages if length in lengths)


def _cut_neighbours(model: Any, rows: np.ndarray, lengths: Sequence[int]) -> Cuts:
    """Yield the votes of the first neighbours, unless for some row one more is as near as the last.

    Among few rows neighbours are sought in another way.
    """
    if model.n_neighbors >= model.n_samples_fit_ // 2:
        return
    distance, index = model.kneighbors(rows)
    for length in lengths:
        if (distance[:, length - 1] < distance[:, length]).all():
            first = distance[:, :length], index[:, :length]
            shorter = copy(model).set_params(n_neighbors=length)
            shorter.kneighbors = partial(_known_neighbours, *first)
            yield length, shorter.predict_proba(rows)


def _known_neighbours(
    distance: np.ndarray, index: np.ndarray, _: np.ndarray, *, return_distance: bool = True
) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """Return the neighbours of rows as ``kneighbors`` does, without looking for them."""
    return (distance, index) if return_distance else index


_FOREST = Growing(
    length="n_estimators",
    needed=frozenset({"random_state"}),
    proven=frozenset(
        {
            *("bootstrap", "ccp_alpha", "class_weight", "criterion", "max_depth", "max_features"),
            *("max_leaf_nodes", "max_samples", "min_impurity_decrease", "min_samples_leaf"),
            *("min_samples_split", "min_weight_fraction_leaf", "n_jobs"),
        }
    ),
    cut=_cut_forest,
)
GROWING: Mapping[str, Growing] = {
    "sklearn.ensemble.RandomForestClassifier": _FOREST,
    "sklearn.ensemble.ExtraTreesClassifier": _FOREST,
    "sklearn.ensemble.HistGradientBoostingClassifier": Growing(
        length="max_iter",
        needed=frozenset({"random_state"}),
        proven=frozenset(
            {
                *("class_weight", "early_stopping", "l2_regularization", "learning_rate"),
                *("max_bins", "max_depth", "max_features", "max_leaf_nodes", "min_samples_leaf"),
            }
        ),
        cut=_cut_hist,
    ),
    "lightgbm.LGBMClassifier": Growing(
        length="n_estimators",
        needed=frozenset({"random_state"}),
        proven=frozenset(
            {
                *("class_weight", "colsample_bytree", "deterministic", "force_row_wise"),
                *("learning_rate", "max_depth", "min_child_samples", "min_child_weight"),
                *("min_split_gain", "n_jobs", "num_leaves", "reg_alpha", "reg_lambda"),
                *("subsample", "subsample_freq", "verbose"),
            }
        ),
        cut=_cut_lightgbm,
    ),
    "catboost.CatBoostClassifier": Growing(
        length="iterations",
        needed=frozenset({"learning_rate", "random_seed"}),
        proven=frozenset(
            {
                *("auto_class_weights", "bootstrap_type", "depth", "l2_leaf_reg"),
                *("min_data_in_leaf", "random_strength", "rsm", "subsample", "thread_count"),
                "verbose",
            }
        ),
        cut=_cut_catboost,
        changes_at=200,  # leaf_estimation_iterations, on fewer than 20 columns
    ),
    "sklearn.neighbors.KNeighborsClassifier": Growing(
        length="n_neighbors",
        proven=frozenset({"algorithm", "leaf_size", "metric", "n_jobs", "p", "weights"}),
        cut=_cut_neighbours,
    ),
}
"""The classes by the path that a config names."""
_NO_PARAMETERS = {"name", "_target_", "search"}


def find_growing(config: Node) -> Growing | None:
    """Return how the model of a run's config grows, None if it is fitted by itself.

    With more than one thread the sums of a forest have no order; calibration and tuning fit it on
    other rows too.
    """
    model = config["model"]
    growing = GROWING.get(model["_target_"])
    alone = config["tuning"]["trials"] or config["calibration"]["method"] or config["threads"] != 1
    if growing is None or alone or type(model.get(growing.length)) is not int:
        return None
    named = model.keys() - _NO_PARAMETERS - {growing.length}
    has_needed = all(model.get(name) is not None for name in growing.needed)
    return growing if has_needed and named <= growing.needed | growing.proven else None
