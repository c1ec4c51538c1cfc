"""The nodes of ``compare.yaml``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from retain.schema.campaign import Assumptions, CampaignConfig, Catalogue, Segmentation
from retain.schema.effects import PlanEffects
from retain.schema.names import Name, Processes, Seconds, Seed, Source, Threads, to_tuple
from retain.schema.parsing import Config


class StudySelector(Config):
    """The study or studies of a comparison."""

    name: Annotated[tuple[Name, ...] | None, BeforeValidator(to_tuple)]


class ComparisonConfig(Config):
    """The tests between runs, and the selection among tied ones.

    ``rope`` is half the width of the region of practical equivalence, in ROC-AUC;
    ``complexity_order`` names models, simplest first; other models count as the most complex.
    """

    alpha: Annotated[float, Field(gt=0, lt=0.5)]
    rope: Annotated[float, Field(ge=0, lt=0.5)]
    rule: Literal["best", "simplest_tied"]
    complexity_order: tuple[str, ...]

    @property
    def description(self) -> str:
        """The test behind "worse than the best", as a clause."""
        return f"corrected for their number and for the choice of the best, p < {self.alpha:g}"


class ExplainConfig(Config):
    """Explanation of the winner: associations, drivers, ablation of feature groups.

    ``max_seconds`` limits the time for drivers. ``none`` has no keys: ``workflows.explanations``
    raises if one is set.
    """

    name: Name
    ablation: Literal["sweep", "refit"] = "refit"
    permutation_repeats: Annotated[int, Field(ge=0, le=100_000)] = 5
    background_size: Annotated[int, Field(ge=2, le=100_000)] = 25
    cv_repeats: Annotated[int, Field(ge=1, le=1_000)] = 1
    max_seconds: Seconds | None = None
    top_drivers: Annotated[int, Field(ge=1, le=100)] = 3

    @property
    def on(self) -> bool:
        """True if anything is explained."""
        return self.max_seconds is not None


class Report(Config):
    """The language of the page."""

    language: Literal["en", "ru"]


class Export(Config):
    """The form of CSV files; ``auto`` is that of the report's language."""

    dialect: Literal["auto", "en", "ru"]

    def choose(self, report: Report) -> Literal["en", "ru"]:
        """Return the dialect of a report in its language."""
        return report.language if self.dialect == "auto" else self.dialect


class Tracking(Config):
    """The tracking store of finished records.

    ``none`` has no keys: ``workflows.mlflow`` raises if one is set.
    """

    name: Literal["none", "mlflow"]
    store: str | None = None
    experiment: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    log_artifacts: bool = True


class Compare(Config):
    """The whole tree of ``retain-compare``.

    ``offers`` is None until the data source, and with it the default catalogue, is read.
    """

    study: StudySelector
    runs: str | None
    diff: tuple[str, ...] | None
    trees: tuple[str, ...] | None
    trees_gate: Literal["none", "worse", "any_worse", "unclear"]
    data: Source | None = None
    selection: ComparisonConfig
    sealed_test: Literal["auto", "open", "closed"]
    gate: dict[str, float]
    gate_only: bool
    report: Report
    export: Export
    segmentation: Segmentation
    assumptions: Assumptions
    offers: Catalogue | None = None
    campaign: CampaignConfig
    effects: PlanEffects
    explain: ExplainConfig
    tracking: Tracking
    resamples: Annotated[int, Field(ge=100, le=100_000)]
    seed: Seed
    workers: Processes
    threads: Threads
    outputs: str
