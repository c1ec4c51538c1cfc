"""The explanations of the winner, computed by workers and collected for the verdict."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retain.errors import NotApplicable, RetainError

if TYPE_CHECKING:
    import pandas as pd

    from retain.customers.customers import Column
    from retain.execution.executor import Future, WorkerExecutor
    from retain.execution.shared_memory import SharedValue
    from retain.explanations.drivers import Drivers
    from retain.explanations.explain import Explained
    from retain.explanations.feature_summary import ExplanationResult
    from retain.learning.scores import Scores
    from retain.record.comparison_document import MainEffect
    from retain.record.document import Record
    from retain.record.explanations_document import Ablation, ExplanationsDocument, FeatureInfo
    from retain.record.study import StudyDirectory
    from retain.report.text.drivers import Levels
    from retain.schema.campaign import Catalogue
    from retain.schema.compare import Compare, ExplainConfig
    from retain.verdict.export import ExportDialect
    from retain.workflows.campaign import DriverTexts
    from retain.workflows.explanation_jobs import AssociationResult

    TestExplanations = list[Explained] | NotApplicable | None
    Contributions = dict[str, Ablation | NotApplicable]


CUSTOMERS_PER_CHUNK = 100_000
"""Number of customers whose drivers are described at a time, to bound the memory."""


def check_explain_keys(explain: ExplainConfig) -> None:
    """Raise a ``RetainError`` if a key of ``explain`` is set and nothing is explained."""
    unread = sorted(explain.model_fields_set - {"name"})
    if unread and not explain.on:
        raise RetainError(
            f"explain.{unread[0]} is set, but nothing is explained; type explain=fast or full."
        )


@dataclass(frozen=True)
class Explanations:
    """The explanations as in ``verdict.json``, and the drivers of each customer.

    ``result`` is what they were made from. ``drivers`` is the table of
    ``explanations.reference_values.top_drivers``, None if missing; ``campaign_drivers`` also has
    those that offers address; ``columns`` describe the features.
    """

    document: ExplanationsDocument
    result: ExplanationResult
    drivers: pd.DataFrame | None
    campaign_drivers: pd.DataFrame | None
    columns: Mapping[str, Column]
    dialect: ExportDialect

    @property
    def features(self) -> dict[str, FeatureInfo]:
        """The explanation of each feature, by name."""
        return {feature.name: feature for feature in self.document.features}

    def check_offers(self, catalogue: Catalogue, winner: str) -> None:
        """Raise for an offer that addresses a driver where it lowers the winner's risk."""
        from retain.campaign.offers.catalogue import check_directions

        directions = {
            one.name: (one.direction, one.rank_correlation) for one in self.document.features
        }
        check_directions(catalogue, directions, winner)

    @property
    def levels(self) -> Levels:
        """Labels of the levels of each categorical feature."""
        return {name: column.levels for name, column in self.columns.items()}

    @property
    def driver_texts(self) -> DriverTexts | None:
        """The drivers with what describes them in words; None if missing."""
        from retain.workflows.campaign import DriverTexts

        if self.drivers is None or self.campaign_drivers is None:
            return None
        return DriverTexts(
            self.campaign_drivers, self.features, self.levels, int(self.drivers["rank"].max())
        )

    def write(self, study: StudyDirectory) -> None:
        """Write features, groups and drivers; if there are no drivers, remove older ones."""
        from retain.explanations.tables import features_table, groups_table
        from retain.verdict.export import write_csv

        write_csv(features_table(self.document.features), study.features, self.dialect)
        write_csv(groups_table(self.document.groups), study.groups, self.dialect)
        if self.drivers is None:
            study.drivers.unlink(missing_ok=True)
        else:
            self._write_drivers(self.drivers, study.drivers)

    def _write_drivers(self, drivers: pd.DataFrame, path: Path) -> None:
        """Write the drivers in numbers and words, chunk by chunk."""
        from retain.report.text.drivers import drivers_table
        from retain.verdict.export import write_csv_chunks

        chunks = _iter_chunks(drivers)
        tables = (drivers_table(c, self.features, self.levels) for c in chunks)
        write_csv_chunks(tables, path, self.dialect)


def _iter_chunks(drivers: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield the rows of the customers chunk by chunk, each customer in one chunk."""
    firsts = [*(drivers["rank"] == 1).to_numpy().nonzero()[0][::CUSTOMERS_PER_CHUNK], len(drivers)]
    for first, last in pairwise(firsts):
        yield drivers.iloc[first:last].reset_index(drop=True)


@contextmanager
def _naming_the_way_out() -> Iterator[None]:
    """Add to the error of a job how to do without it."""
    try:
        yield
    except RetainError as error:
        raise RetainError(f"{error} To have the verdict without them: explain=none") from None


class ExplanationJobs:
    """The jobs that explain a winner, submitted on construction."""

    def __init__(
        self, executor: WorkerExecutor, config: Compare, winner: Record, dataset: SharedValue
    ) -> None:
        self._executor, self._config = executor, config
        self._winner, self._dataset = winner, dataset
        n_folds = winner.split.n_folds * min(config.explain.cv_repeats, winner.split.n_repeats)
        self._associations = executor.submit("associate", winner, dataset)
        self._folds = [self._submit("explain", fold) for fold in range(n_folds)]
        self._refits: dict[str, Future] = {}

    def _submit(self, job: Any, subject: int | str) -> Future:
        arguments = (self._config, self._winner, self._dataset, subject)
        return self._executor.submit(job, *arguments)

    def collect(
        self,
        effects: Sequence[MainEffect],
        oof_scores: Scores,
        test_explanations: TestExplanations,
        addressed: Collection[str] = (),
    ) -> Explanations:
        """Wait for the folds and return the explanations, without refits by feature group.

        These are submitted, and ``add_refits`` waits for them.

        Parameters
        ----------
        effects
            Main effects of the sweep.
        oof_scores
            Out-of-fold scores of the winner's run.
        test_explanations
            Explanations of the customers of the sealed test, or the reason why there are none.
        addressed
            Features that offers address, whose drivers the campaign needs of every customer.

        Raises
        ------
        RetainError
            If a worker process dies.
        """
        from retain.explanations.document import document
        from retain.explanations.drivers import combine_folds
        from retain.explanations.feature_summary import ExplanationResult
        from retain.verdict.export import ExportDialect

        with _naming_the_way_out():
            associations: AssociationResult = self._associations.result()
            contributions, self._refits = self._submit_refits(associations, effects)
            drivers, known, missing = None, None, self._missing_reason(test_explanations)
        if missing is None:
            folds = [future.result() for future in self._folds]
            drivers = combine_folds(folds, oof_scores, self._config.explain.background_size)
            known = self._top_drivers(drivers, associations, test_explanations, addressed)
        listed = self._config.explain.top_drivers
        strongest = None
        if known is not None:
            strongest = known[known["rank"] <= listed].reset_index(drop=True)
        result = ExplanationResult(
            level=self._config.explain.name,
            context=associations.context,
            associations=associations.associations,
            distributions=associations.distributions,
            label_audit=associations.label_audit,
            drivers=drivers,
            missing=missing,
            contributions=contributions,
            strongest=strongest,
            test_to_train=self._winner.split.test_to_train,
            resamples=self._config.resamples,
            seed=self._winner.seed,
        )
        dialect = ExportDialect(self._config.export.choose(self._config.report))
        columns = associations.context.columns
        return Explanations(document(result), result, strongest, known, columns, dialect)

    def add_refits(self, explanations: Explanations) -> Explanations:
        """Wait for the refits by feature group and return the explanations with them.

        Raises
        ------
        RetainError
            If a worker process dies.
        """
        from retain.explanations.document import add_contributions

        with _naming_the_way_out():
            refitted = self._collect_refits(self._refits)
        contributions = {**explanations.result.contributions, **refitted}
        result = replace(explanations.result, contributions=contributions)
        document = add_contributions(explanations.document, result)
        return replace(explanations, document=document, result=result)

    def _submit_refits(
        self, associations: AssociationResult, effects: Sequence[MainEffect]
    ) -> tuple[Contributions, dict[str, Future]]:
        """Return contributions known from the sweep, and submitted refits of other groups."""
        from retain.explanations.ablation import MISSING_REASONS, from_sweep

        contributions: Contributions = {**from_sweep(effects)}
        refits = {}
        for group in associations.context.groups:
            if group in contributions:
                continue
            if group not in associations.context.active_groups:
                contributions[group] = NotApplicable(MISSING_REASONS["not_seen"])
            elif self._config.explain.ablation == "refit":
                refits[group] = self._submit("ablate", group)
            else:
                contributions[group] = NotApplicable(MISSING_REASONS["not_refitted"])
        return contributions, refits

    def _collect_refits(self, refits: Mapping[str, Future]) -> Contributions:
        """Return contributions of the groups that the winner was refitted without."""
        from retain.explanations.ablation import from_refit

        contributions: Contributions = {}
        winner = self._winner
        for group, future in refits.items():
            folds: tuple[float, ...] | NotApplicable = future.result()
            if not isinstance(folds, NotApplicable):
                all_folds = winner.metrics["roc_auc"].fold_values
                contributions[group] = from_refit(all_folds, folds, winner.split.test_to_train)
            else:
                contributions[group] = folds
        return contributions

    def _missing_reason(self, test_explanations: TestExplanations) -> str | None:
        """Return a message if there are no drivers, else None."""
        for result in (*(future.result() for future in self._folds), test_explanations):
            if isinstance(result, NotApplicable):
                return (
                    f"{result}. Drivers are missing: strength and direction of features, "
                    "permutation importance, drivers.csv and the words on each customer. Allow "
                    "more with explain.max_seconds=SECONDS, or choose a model that is explained "
                    "exactly: a linear one, a tree, a forest, boosting."
                )
        return None

    def _top_drivers(
        self,
        drivers: Drivers,
        associations: AssociationResult,
        test_explanations: TestExplanations,
        addressed: Collection[str],
    ) -> pd.DataFrame:
        """Return ``top_drivers`` of each training customer, then of those of the sealed test."""
        import pandas as pd

        from retain.explanations.drivers import to_contributions
        from retain.explanations.reference_values import top_drivers, typical_ranges

        context, n_drivers = associations.context, self._config.explain.top_drivers
        ranges = typical_ranges(context.training, context.target)
        all_contributions = [drivers.contributions]
        if isinstance(test_explanations, list):
            all_contributions += map(to_contributions, test_explanations)
        tables = [
            top_drivers(part, context.table, ranges, n_drivers, addressed)
            for part in all_contributions
        ]
        return pd.concat(tables, ignore_index=True)
