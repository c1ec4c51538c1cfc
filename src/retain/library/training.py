"""The training spec of names and objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sklearn.base import BaseEstimator, clone

from retain.cli.compose import Composer
from retain.errors import RetainError
from retain.learning.components import build_training_spec
from retain.learning.scoring import TrainingSpec
from retain.library.words import command
from retain.schema.run import Run

METHODS = {"model": "fit", "sampler": "fit_resample", "scaling": "transform"}
"""Components that may be objects, and a method that such an object has."""


def compose_run(parts: Mapping[str, object], keys: Mapping[str, object], *words: str) -> Run:
    """Return the config of one run, with the defaults of ``conf/`` in place of objects."""
    names = {name: part or "none" for name, part in parts.items() if _is_name(part)}
    with Composer(command({**names, **keys}, *words), "run") as composer:
        (composed,) = composer.runs()
    return composed.run


def training_of(
    parts: Mapping[str, object], keys: Mapping[str, object], run: Run | None = None
) -> TrainingSpec:
    """Return the training spec of components by their names in ``conf/``, or as objects.

    Raises
    ------
    RetainError
        A key is wrong, or an object is no component of its kind.
    """
    objects = {name: part for name, part in parts.items() if not _is_name(part)}
    for name, part in objects.items():
        if isinstance(part, type) or not hasattr(part, METHODS[name]):
            is_class = f"the class {part.__name__}" if isinstance(part, type) else repr(part)
            found = f"it is {is_class}, which has no {METHODS[name]!r} to call"
            raise RetainError.at(name, found, f"expected a name of conf/{name}, or an object")
    training = build_training_spec(compose_run(parts, keys) if run is None else run)
    copies = {name: _seeded(clone(part), training.seed) for name, part in objects.items()}
    return replace(training, pipeline=replace(training.pipeline, **copies))


def _seeded(part: BaseEstimator, seed: int) -> BaseEstimator:
    """Return an object whose random numbers come from the run's seed unless it has its own."""
    unset = [
        name
        for name, value in part.get_params().items()
        if name.rpartition("__")[2] == "random_state" and value is None
    ]
    return part.set_params(**dict.fromkeys(unset, seed))


def _is_name(part: object) -> bool:
    return part is None or isinstance(part, str)
