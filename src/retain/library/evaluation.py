"""One pipeline on given customers, in this process and without a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from threadpoolctl import threadpool_limits

from retain.errors import RetainError
from retain.execution.dataset import group_and_split
from retain.learning.cross_validation import cross_validate
from retain.library.display import Result
from retain.library.source import check_customers
from retain.library.training import compose_run, training_of
from retain.record.document import CheckResult
from retain.wording import format_ci

if TYPE_CHECKING:
    from retain.customers.customers import Customers
    from retain.learning.scores import Scores

SWEEP_KEYS = (
    "data",
    "study",
    "outputs",
    "dry_run",
    "describe",
    "workers",
    "max_runs",
    "limits",
)
"""Keys of runs in directories, which an evaluation in this process has not."""
DEFAULTS = ("none", "standard")
"""Components that a name leaves out."""


@dataclass(frozen=True, repr=False)
class Evaluation(Result):
    """Out-of-fold scores of a pipeline, and its metrics with intervals.

    Attributes
    ----------
    name
        The pipeline, by its components.
    scores
        The out-of-fold scores of all training customers; the sealed test is not among them.
    metrics
        By name ``value, low, high, higher_is_better, fold_values``.
    checks
        The audit of the customers.
    n_folds
        Fits: folds times repeats.
    """

    name: str
    scores: Scores
    metrics: Mapping[str, Mapping[str, Any]]
    checks: tuple[CheckResult, ...]
    n_folds: int

    def to_frame(self) -> pd.DataFrame:
        """Return a row per metric: ``value, low, high, higher_is_better``."""
        columns = ("value", "low", "high", "higher_is_better")
        rows = [[metric[name] for name in columns] for metric in self.metrics.values()]
        names = pd.Index(list(self.metrics), name="metric")
        return pd.DataFrame(rows, index=names, columns=list(columns))

    def _title(self) -> str:
        customers = self.scores.table["customer_id"].nunique()
        return f"{self.name} on {customers:,} customers, {self.n_folds} folds"

    def _facts(self) -> Mapping[str, object]:
        return {
            name: f"{metric['value']:.3f} ({format_ci(metric['low'], metric['high'])})"
            for name, metric in self.metrics.items()
        }


def evaluate(
    model: object,
    customers: Customers,
    *,
    sampler: object = "none",
    scaling: object = "standard",
    **keys: object,
) -> Evaluation:
    """Cross-validate a pipeline on customers, as one run of a sweep does.

    Parameters
    ----------
    model, sampler, scaling
        A name of ``conf/``, or an unfitted object of scikit-learn's or imbalanced-learn's kind.
    customers
        With a target.
    keys
        Further keys of ``conf/run.yaml``, such as ``features="no_site"``, ``seed=1`` or
        ``validation__folds=3``.

    Raises
    ------
    NotApplicable
        The pipeline has no meaning for these customers.
    RetainError
        A key is wrong, the audit finds a leak, or a metric of a fold is not finite.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from retain import demo
    >>> found = evaluate(DecisionTreeClassifier(max_depth=3), demo(customers=200),
    ...                  validation__repeats=1)
    >>> print(found)  # doctest: +ELLIPSIS
    DecisionTreeClassifier on ... customers, 5 folds
      roc_auc ...
    """
    given = {"model": model, "sampler": sampler, "scaling": scaling}
    check_customers(customers)
    _check_keys(given, keys)
    run = compose_run(given, keys, *customers.overrides)
    training = training_of(given, keys, run)
    dataset = group_and_split(customers, run.audit, run.validation)
    with threadpool_limits(run.threads):
        result = cross_validate(training, dataset.customers, dataset.splits)
    names = [
        part if isinstance(part, str) else type(part).__name__ for part in given.values() if part
    ]
    return Evaluation(
        name=", ".join([names[0], *(name for name in names[1:] if name not in DEFAULTS)]),
        scores=result.scores,
        metrics=result.metrics,
        checks=dataset.check_results,
        n_folds=len(dataset.splits.folds),
    )


def _check_keys(parts: Mapping[str, object], keys: Mapping[str, object]) -> None:
    """Raise for keys that would change nothing."""
    for name in keys:
        key = name.replace("__", ".")
        group = key.partition(".")[0]
        if group in SWEEP_KEYS:
            raise RetainError.at(
                key, "it says nothing of one evaluation", "expected a sweep with it"
            )
        if group in parts and not isinstance(parts[group], str | None):
            found = f"{group} is an object, {type(parts[group]).__name__}"
            raise RetainError.at(key, found, "expected its parameters in the object itself")
