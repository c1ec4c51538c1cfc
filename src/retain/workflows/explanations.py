"""Why the winner ranks as it does: parts that workers do, and what they come to together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retain.errors import NotApplicable, RetainError

if TYPE_CHECKING:
    import pandas as pd

    from retain.customers.customers import Column
    from retain.execution.executor import Future, WorkerExecutor
    from retain.execution.shared_memory import SharedValue
    from retain.explanations.ablation import Contribution
    from retain.explanations.drivers import Drivers
    from retain.explanations.explain import Explained
    from retain.learning.scores import Scores
    from retain.record import Record, StudyDirectory
    from retain.schema import Compare, ExplainConfig
    from retain.verdict.main_effects import MainEffect
    from retain.workflows.explanation_jobs import AssociationResult


DOES = "looks for reasons"
AT_ONCE = 100_000
"""Customers whose drivers are put into words at a time, which bounds the memory it takes."""


def refuse_unread(explain: ExplainConfig) -> None:
    """Refuse a key of ``explain`` that nothing reads.

    Raises
    ------
    RetainError
        When one is set and nothing is explained.
    """
    unread = sorted(explain.model_fields_set - {"name"})
    if unread and not explain.on:
        raise RetainError(
            f"explain.{unread[0]} is set, but nothing is explained; type explain=fast or full."
        )


@dataclass(frozen=True)
class Explanations:
    """The reasons as ``verdict.json`` has them, and the drivers of each customer.

    ``drivers`` is as ``reasons.usual.strongest`` makes it; None where they are missing.
    ``columns`` are what is known about the features.
    """

    tree: dict[str, Any]
    drivers: pd.DataFrame | None
    columns: Mapping[str, Column]

    @property
    def features(self) -> dict[str, Any]:
        """What is told of each feature, by name."""
        return {one["name"]: one for one in self.tree["features"]}

    @property
    def levels(self) -> dict[str, dict[str, Any]]:
        """What the levels of each category are called."""
        return {
            name: {level: asdict(label) for level, label in column.levels.items()}
            for name, column in self.columns.items()
        }

    def write(self, study: StudyDirectory) -> None:
        """Write features, groups and drivers; without drivers, leave no older ones."""
        from retain.explanations.tables import features_table, groups_table
        from retain.verdict.export import write_csv

        write_csv(features_table(self.tree["features"]), study.features)
        write_csv(groups_table(self.tree["groups"]), study.groups)
        if self.drivers is None:
            study.drivers.unlink(missing_ok=True)
        else:
            self._write_drivers(self.drivers, study.drivers)

    def _write_drivers(self, drivers: pd.DataFrame, path: Path) -> None:
        """Write the drivers in numbers and words, so many customers at a time."""
        from retain.report.text.drivers import drivers_table
        from retain.verdict.export import write_csv_chunks

        parts = _parts(drivers)
        tables = (drivers_table(part, self.features, self.levels) for part in parts)
        write_csv_chunks(tables, path)


def _parts(drivers: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The rows of so many customers at a time, none in two parts."""
    firsts = [*(drivers["rank"] == 1).to_numpy().nonzero()[0][::AT_ONCE], len(drivers)]
    for first, last in pairwise(firsts):
        yield drivers.iloc[first:last].reset_index(drop=True)


class ExplanationJobs:
    """The reasons of a winner, asked for of workers that begin at once."""

    def __init__(
        self, executor: WorkerExecutor, config: Compare, winner: Record, customers: SharedValue
    ) -> None:
        self._hands, self._config, self._winner, self._customers = (
            executor,
            config,
            winner,
            customers,
        )
        folds = winner.split.n_folds * min(config.explain.cv_repeats, winner.split.n_repeats)
        self._looking = executor.submit("look", winner, customers, description=DOES)
        self._explaining = [self._give("explain", place) for place in range(folds)]

    def _give(self, part: Any, subject: int | str) -> Future:
        about = (self._config, self._winner, self._customers, subject)
        return self._hands.submit(part, *about, description=DOES)

    def answer(
        self,
        effects: Sequence[MainEffect],
        recorded: Scores,
        sealed: list[Explained] | NotApplicable | None,
    ) -> Explanations:
        """Return what was found.

        Parameters
        ----------
        effects
            What moved the metric in the sweep.
        recorded
            Scores as the winner's run wrote them.
        sealed
            Its sealed customers explained, or why they are not.

        Raises
        ------
        RetainError
            When a worker's process dies; says how to go without reasons.
        """
        try:
            return self._answer(effects, recorded, sealed)
        except RetainError as error:
            raise RetainError(f"{error} To have the verdict without them: explain=none") from None

    def _answer(
        self,
        effects: Sequence[MainEffect],
        recorded: Scores,
        sealed: list[Explained] | NotApplicable | None,
    ) -> Explanations:
        from retain.explanations.document import document
        from retain.explanations.drivers import combine_folds
        from retain.explanations.feature_summary import ExplanationResult

        looked: AssociationResult = self._looking.result()
        contributions, leaving = self._leave(looked, effects)
        drivers, strongest, missing = None, None, self._missing(sealed)
        if missing is None:
            folds = [future.result() for future in self._explaining]
            drivers = combine_folds(folds, recorded, self._config.explain.background_size)
            strongest = self._strongest(drivers, looked, sealed)
        contributions |= self._left(leaving)
        found = ExplanationResult(
            level=self._config.explain.name,
            grounds=looked.grounds,
            associations=looked.associations,
            distributions=looked.distributions,
            label_audit=looked.label_audit,
            drivers=drivers,
            missing=missing,
            contributions=contributions,
            strongest=strongest,
            test_to_train=self._winner.split.test_to_train,
            resamples=self._config.resamples,
            seed=self._winner.seed,
        )
        return Explanations(document(found), strongest, looked.grounds.columns)

    def _leave(
        self, looked: AssociationResult, effects: Sequence[MainEffect]
    ) -> tuple[dict[str, Contribution | NotApplicable], dict[str, Future]]:
        """Contributions that the sweep tells, why others cannot be told, and those to be found."""
        from retain.explanations.ablation import from_sweep

        known: dict[str, Contribution | NotApplicable] = {**from_sweep(effects)}
        leaving = {}
        for group in looked.grounds.groups:
            if group in known:
                continue
            if group not in looked.grounds.on:
                known[group] = NotApplicable("the winner does not see it")
            elif self._config.explain.ablation == "refit":
                leaving[group] = self._give("leave", group)
            else:
                known[group] = NotApplicable(
                    "no two runs of the sweep differ in it alone; explain=full fits the winner "
                    "again without it"
                )
        return known, leaving

    def _left(self, leaving: Mapping[str, Future]) -> dict[str, Contribution | NotApplicable]:
        """Contributions of groups that the winner was fitted again without."""
        from retain.explanations.ablation import from_refit

        found: dict[str, Contribution | NotApplicable] = {}
        whole = self._winner.metrics["roc_auc"].fold_values
        for group, future in leaving.items():
            rest: tuple[float, ...] | NotApplicable = future.result()
            found[group] = (
                rest
                if isinstance(rest, NotApplicable)
                else from_refit(whole, rest, self._winner.split.test_to_train)
            )
        return found

    def _missing(self, sealed: list[Explained] | NotApplicable | None) -> str | None:
        """Why there are no drivers, and what to type; None where there are."""
        for one in (*(future.result() for future in self._explaining), sealed):
            if isinstance(one, NotApplicable):
                return (
                    f"{one}. Drivers are missing: strength and direction of features, permutation "
                    "importance, drivers.csv and the words on each customer. Allow more with "
                    "explain.max_seconds=…, or choose a model that is explained exactly: a linear "
                    "one, a tree, a forest, boosting."
                )
        return None

    def _strongest(
        self,
        drivers: Drivers,
        looked: AssociationResult,
        sealed: list[Explained] | NotApplicable | None,
    ) -> pd.DataFrame:
        """The strongest drivers of each training customer, then of each sealed one."""
        import pandas as pd

        from retain.explanations.drivers import shares
        from retain.explanations.reference_values import top_drivers, typical_ranges

        usually = typical_ranges(looked.grounds.training, looked.grounds.target)
        every = [drivers.shares, *(map(shares, sealed) if isinstance(sealed, list) else ())]
        table, count = looked.grounds.table, self._config.explain.top_drivers
        parts = [top_drivers(one, table, usually, count) for one in every]
        return pd.concat(parts, ignore_index=True)
