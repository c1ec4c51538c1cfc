"""The nodes of ``run.yaml``."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    ConfigDict,
    Field,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from retain.schema.names import (
    Component,
    Name,
    PluginNames,
    Processes,
    Seconds,
    Seed,
    Source,
    Threads,
    Translated,
)
from retain.schema.parsing import Config

Plain = str | int | float | bool | None
GROUPS = ("communication", "product", "purchase", "site")
"""The default feature groups; a source may have others."""


class Audit(Config):
    """The failed leakage checks to allow, and the handling of duplicates."""

    allow: tuple[str, ...]
    duplicates: Literal["group", "drop"]


class Features(Config):
    """Feature groups on or off (every group's name is a key), derived features, encoding.

    ``plugins`` are registered features to add.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, bool] = Field(init=False)

    derived: bool
    plugins: PluginNames = ()
    max_categories: Annotated[int, Field(ge=2, le=10_000)]

    @property
    def toggles(self) -> dict[str, bool]:
        """The groups in the config, on or off."""
        return dict(self.__pydantic_extra__)

    def on(self, group: str) -> bool:
        """Return whether a group is on, which is the default."""
        return self.__pydantic_extra__.get(group, True)

    def without(self, group: str) -> Features:
        """Return a copy with one group off."""
        return Features(**{**self.model_dump(), group: False})


METHODS = ("sigmoid", "isotonic", "temperature")
"""Methods of calibration besides registered ones."""


class Calibration(Config):
    """Calibration of probabilities after fitting, on folds within the training rows.

    ``method`` is one of ``METHODS``, a registered one, or null for none.
    """

    name: Name
    method: str | None
    folds: Annotated[int, Field(ge=2, le=100)] = 3


def _keep_int(value: Any, strictly: ValidatorFunctionWrapHandler) -> Any:
    """Return an int unchanged, which pydantic would convert to a float."""
    checked = strictly(value)
    return value if type(value) is int else checked


End = Annotated[float, Field(ge=-1e15, le=1e15), WrapValidator(_keep_int)]


class SearchRange(Config):
    """The range of a parameter: from ``low`` to ``high``, or among ``choices``.

    Whole numbers if both ends are; ``log`` samples on the logarithmic scale.
    """

    low: End | None = None
    high: End | None = None
    log: bool = False
    choices: tuple[Any, ...] = ()

    @property
    def whole(self) -> bool:
        """True if it is a range of whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)


class Tuning(Config):
    """Tuning of a model within training rows; none if ``trials`` is null.

    ``seconds`` limits the time for each training fold. ``patience`` is the number of trials that
    must finish all inner ``folds`` before the ``pruner`` stops one early.
    """

    name: Name
    trials: Annotated[int, Field(ge=1, le=100_000)] | None
    folds: Annotated[int, Field(ge=2, le=100)] = 3
    seconds: Seconds | None = None
    pruner: Literal["median"] | None = "median"
    patience: Annotated[int, Field(ge=0, le=100_000)] = 5

    @property
    def on(self) -> bool:
        """True if the model is tuned."""
        return self.trials is not None


UNTUNED = Tuning(name="none", trials=None)


class Validation(Config):
    """The sealed test and the repeated folds of all other customers.

    ``sealed_size`` is its share of the customers. The name ``temporal`` seals the latest snapshot
    instead, and keeps ``gap`` days, None for the label's horizon, between training and test rows.
    ``seed`` assigns customers to folds, and is apart from the run's, which moves no fold.
    ``early_stopping`` lets a sweep stop runs that are worse than the leader, once they have
    ``min_folds`` folds.
    """

    name: Name
    sealed_size: Annotated[float, Field(ge=0.05, le=0.5)] | None = None
    folds: Annotated[int, Field(ge=2, le=1_000)]
    repeats: Annotated[int, Field(ge=1, le=1_000)]
    shuffle: bool = True
    seed: Seed = 0
    gap: Annotated[int, Field(ge=1, le=3_660)] | None = None
    early_stopping: bool = False
    min_folds: Annotated[int, Field(ge=2, le=1_000_000)] = 3

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.temporal and (self.sealed_size is not None or not self.shuffle):
            raise ValueError("sealed_size null and shuffle true where the name is temporal")
        if not self.temporal and (self.sealed_size is None or self.gap is not None):
            raise ValueError("a sealed_size and no gap, or the name temporal")
        return self

    @property
    def temporal(self) -> bool:
        """True if rows are split by time, the latest snapshot being the sealed test."""
        return self.name == "temporal"


class Metrics(Config):
    """The metrics to compute; ``plugins`` are registered ones."""

    name: Name
    plugins: PluginNames = ()
    top_shares: Annotated[tuple[Annotated[float, Field(gt=0, lt=1)], ...], Field(max_length=100)]


class Study(Config):
    """The name of a study and the question it answers.

    ``sweeps`` are several products of lists by key, instead of one larger product.
    """

    name: Name
    question: str | Translated
    sweeps: tuple[dict[str, Plain], ...] = ()


class Limits(Config):
    """The limits above which a run fails; null is no limit."""

    seconds: Seconds | None
    memory_mb: Annotated[float, Field(gt=0, le=1_000_000_000)] | None

    @property
    def any(self) -> bool:
        """True if there is a limit."""
        return self.seconds is not None or self.memory_mb is not None


class Run(Config):
    """The whole tree of ``retain``; components check their own parameters.

    ``workers`` is the number of parallel runs, 0 for one per core; ``max_runs`` is the maximum of
    a launch.
    """

    study: Study
    data: Source
    audit: Audit
    features: Features
    scaling: Component
    model: Component
    sampler: Component
    calibration: Calibration
    validation: Validation
    metrics: Metrics
    seed: Seed
    threads: Threads
    outputs: str
    workers: Processes
    max_runs: Annotated[int, Field(ge=1, le=100_000_000)] = 100_000
    limits: Limits
    dry_run: bool
    describe: bool = False
    tuning: Tuning = UNTUNED  # missing in records older than tuning
