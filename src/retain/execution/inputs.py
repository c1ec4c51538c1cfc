"""The data of several runs, and what the runs of a launch share: plain values for any process.

Imports nothing heavy.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from retain.customers.reading import DroppedRow
from retain.execution.shared_memory import SharedValue
from retain.record.document import CheckResult, DataInfo, SplitInfo


@dataclass(frozen=True)
class DatasetFacts:
    """Facts about the customers and splits of a run, for its record and the terminal.

    ``dropped_examples`` are customers that each step dropped, ``dropped_rows`` rows of files.
    """

    data: DataInfo
    split: SplitInfo
    checks: tuple[CheckResult, ...]
    messages: tuple[str, ...]
    dropped_examples: tuple[str, ...]
    dropped_rows: tuple[DroppedRow, ...] = ()


@dataclass(frozen=True)
class Preflight:
    """The distinct datasets of several runs.

    Attributes
    ----------
    facts
        Facts about each dataset.
    dataset_index
        For each run, the position of its dataset in ``facts``.
    shared_datasets
        The datasets in the same order; None if they were not shared.
    """

    facts: tuple[DatasetFacts, ...]
    dataset_index: tuple[int, ...]
    shared_datasets: SharedValue | None = None


@dataclass(frozen=True)
class SharedInputs:
    """The datasets and the cache of prepared folds that the runs of a launch share.

    Attributes
    ----------
    index
        The position of the run's dataset among ``datasets``.
    fold_cache_dir
        The folder of prepared folds, and of scores cut from the fits of longer runs.
    cut_from
        Id of the run whose fits suffice for this one, None if it is fitted itself.
    cut_to
        Numbers of trees, or neighbours, of the runs whose scores are cut from the fits of this one.
    """

    datasets: SharedValue
    index: int
    fold_cache_dir: Path
    cut_from: str | None = None
    cut_to: tuple[int, ...] = ()
