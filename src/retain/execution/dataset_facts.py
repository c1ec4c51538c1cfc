"""What is known of customers and splits where they themselves are not: in the launching process.

Imports nothing heavy.
"""

from __future__ import annotations

from dataclasses import dataclass

from retain.execution.shared_memory import SharedValue
from retain.record import CheckResult, DataInfo, SplitInfo


@dataclass(frozen=True)
class DatasetFacts:
    """Facts of the customers and splits of a run, as its record and the terminal tell them.

    ``messages`` is what the readers logged; ``dropped_examples`` names, for each step of the funnel, some of
    those it left out.
    """

    data: DataInfo
    split: SplitInfo
    checks: tuple[CheckResult, ...]
    messages: tuple[str, ...]
    dropped_examples: tuple[str, ...]


@dataclass(frozen=True)
class Preflight:
    """What was seen for the runs asked about.

    Attributes
    ----------
    facts
        Distinct customers and splits.
    dataset_index
        For each run the number of its own in ``facts``.
    shared_datasets
        The customers and splits themselves, in the same order, if there was a file for them.
    """

    facts: tuple[DatasetFacts, ...]
    dataset_index: tuple[int, ...]
    shared_datasets: SharedValue | None = None
