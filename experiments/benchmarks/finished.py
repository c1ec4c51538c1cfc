"""A finished study that nobody ran: records as ``retain`` writes them, with invented figures.

Configs, ids, customers, splits and audit are retain's own; the figures of a run are those of one
real fit, moved by a little that all runs share in a fold, a little of its own and some noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import numpy as np

from retain.cli.compose import Composer, resolve
from retain.cli.overrides import Arguments
from retain.execution.dataset import Dataset, prepare_dataset
from retain.execution.plan import collect_environment, read_git_state
from retain.learning.components import build_training_spec
from retain.learning.cross_validation import CrossValidationResult, cross_validate
from retain.learning.metrics import corrected_interval
from retain.record.document import SCHEMA, MetricSummary, Record, identity, slug_of
from retain.record.study import StudyDirectory
from retain.schema.parsing import parse
from retain.schema.run import Run
from retain.storage.writing import write_text

GRIDS: dict[str, Callable[[int], tuple[str, list[float]]]] = {
    "logreg": lambda points: ("C", [float(f"{c:.6g}") for c in np.logspace(-4, 3, points)]),
    "tree": lambda points: ("min_samples_leaf", [5 + i for i in range(points)]),
    "knn": lambda points: ("n_neighbors", [3 + i for i in range(points)]),
}
"""The parameter of each model that is swept, and so many values of it."""
AXES = {
    "sampler": "none,random_under,smote",
    "scaling": "standard,robust",
    "features.communication": "true,false",
    "features.product": "true,false",
    "features.site": "true,false",
}
PRODUCT = math.prod(len(texts.split(",")) for texts in AXES.values())
SCORED = 3
"""How many of the best runs have a scores.parquet: a comparison reads the winner's."""
LEAD = 0.001
"""By how much they are better than any other."""
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def finish(study: StudyDirectory, count: int, seed: int = 0, customers: int = 1300) -> None:
    """Write so many finished runs of the study, as far as a comparison reads them."""
    data = ("data=demo", f"data.customers={customers}")
    prepared, found = _fitted(data)
    spread = np.random.default_rng(seed)
    common = spread.normal(0, 0.01, len(next(iter(found.metrics.values()))["fold_values"]))
    own, noise = spread.normal(0, 0.01, count), spread.normal(0, 0.006, (count, len(common)))
    moves = common + own[:, None] + noise
    best = np.argsort(-moves.mean(axis=1))[:SCORED]
    moves -= moves.mean(axis=1).max() + LEAD
    moves[best] = (
        0.0  # a comparison holds the best against their scores, which are those of the fit
    )
    for number, (overrides, config) in enumerate(configs(count, study.path.name, data)):
        record = _record(number, overrides, config, prepared, _moved(found, moves[number]))
        run = study.run(slug_of(config), record.id)
        text = record.model_dump_json(by_alias=True, indent=1) + "\n"
        write_text(run.record, text, durable=False)
        if not moves[number].any():
            found.scores.table.to_parquet(run.scores, index=False)


def configs(
    count: int, name: str, data: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Yield overrides and config of so many different runs, about as many of each model."""
    points = math.ceil(count / len(GRIDS) / PRODUCT)
    axes = [f"{axis}={texts}" for axis, texts in AXES.items()]
    for place, (model, grid) in enumerate(GRIDS.items()):
        parameter, values = grid(points)
        swept = f"model.{parameter}={','.join(map(str, values))}"
        words = (*data, f"study.name={name}", f"model={model}", swept, *axes)
        share = (count + place) // len(GRIDS)
        with Composer(Arguments(words, multirun=True), "run") as composer:
            for overrides, tree in islice(composer.trees(), share):
                own = {key: node for key, node in tree.items() if key != "hydra"}
                yield tuple(text.lstrip("+") for text in overrides), resolve(own)


def _fitted(data: Sequence[str]) -> tuple[Dataset, CrossValidationResult]:
    """Return the customers of the demo store, and what one real run comes to on them."""
    with Composer(Arguments(tuple(data)), "run") as composer:
        run = parse(Run, composer.one())
    prepared = prepare_dataset(run)
    return prepared, cross_validate(build_training_spec(run), prepared.customers, prepared.splits)


def _moved(found: CrossValidationResult, moves: np.ndarray) -> dict[str, dict[str, Any]]:
    """Return the folds of each metric, better by ``moves`` in the metric's own direction."""
    told = {}
    for name, metric in found.metrics.items():
        better = moves if metric["higher_is_better"] else -moves
        top = math.inf if name.startswith("lift") else 1.0
        told[name] = {
            **metric,
            "fold_values": np.clip(metric["fold_values"] + better, 0.0, top).tolist(),
        }
    return told


def _record(
    number: int,
    overrides: tuple[str, ...],
    config: dict[str, Any],
    prepared: Dataset,
    metrics: Mapping[str, Mapping[str, Any]],
) -> Record:
    started = BEGAN + timedelta(seconds=number)
    ratio = prepared.split.test_to_train
    return Record(
        schema=SCHEMA,
        id=identity(config),
        study=config["study"]["name"],
        state="done",
        reason=None,
        traceback=None,
        config=config,
        overrides=overrides,
        seed=config["seed"],
        data=prepared.data,
        split=prepared.split,
        metrics={name: _facts(metric, ratio) for name, metric in metrics.items()},
        checks=prepared.check_results,
        seconds={"prepare": 0.07, "fit": 0.2 + number % 7 / 10, "predict": 0.02, "metrics": 0.01},
        peak_memory_mb=184.0,
        environment=collect_environment(),
        git=read_git_state(),
        warnings=(),
        started_at=started.isoformat(timespec="milliseconds"),
        finished_at=(started + timedelta(milliseconds=800)).isoformat(timespec="milliseconds"),
    )


def _facts(metric: Mapping[str, Any], test_to_train: float) -> MetricSummary:
    folds = metric["fold_values"]
    low, high = corrected_interval(folds, test_to_train)
    return MetricSummary(
        value=float(np.mean(folds)),
        low=low,
        high=high,
        higher_is_better=metric["higher_is_better"],
        fold_values=tuple(folds),
    )
