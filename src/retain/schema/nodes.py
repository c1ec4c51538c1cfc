"""The nodes of ``run.yaml`` and ``compare.yaml``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from retain.schema.parsing import Config

Plain = str | int | float | bool | None
Share = Annotated[float, Field(ge=0, le=1)]
GROUPS = ("communication", "product", "purchase", "site")
"""The feature groups of the trade; a source may name others."""


class Audit(Config):
    """What the leak battery may overlook, and what becomes of copied customers."""

    allow: tuple[str, ...]
    copies: Literal["group", "drop"]


class Features(Config):
    """Feature groups on or off (any group name is a key), derived features, encoding."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, bool] = Field(init=False)

    derived: bool
    max_categories: Annotated[int, Field(ge=2)]

    @property
    def toggles(self) -> dict[str, bool]:
        """Group name → on or off, as far as the config names them."""
        return dict(self.__pydantic_extra__)

    def on(self, group: str) -> bool:
        """Whether a group is on; a group the config does not name is."""
        return self.__pydantic_extra__.get(group, True)


class Calibration(Config):
    """How probabilities are mended after fitting, on folds within the training rows."""

    name: str
    method: Literal["sigmoid", "isotonic", "temperature"] | None
    folds: Annotated[int, Field(ge=2)] = 3


class Validation(Config):
    """The sealed test and the repeated folds of all other customers.

    ``racing`` lets a sweep stop runs that are worse than the leader, once they have ``burn_in``
    folds; a record or script from before there were races has none.
    """

    name: str
    sealed: Annotated[float, Field(ge=0.05, le=0.5)]
    folds: Annotated[int, Field(ge=2)]
    repeats: Annotated[int, Field(ge=1)]
    shuffle: bool
    racing: bool = False
    burn_in: Annotated[int, Field(ge=2)] = 3


class Metrics(Config):
    """Which metrics are computed."""

    name: str
    fractions: tuple[Annotated[float, Field(gt=0, lt=1)], ...]


class Bands(Config):
    """Named bands and where each begins: a probability or an amount, or a quantile of them."""

    scale: Literal["given", "quantile"]
    bands: dict[str, float]


class Segmentation(Config):
    """Cut-offs of risk and of value, and what a decline is taken to cost."""

    name: str
    risk: Bands
    value: Bands
    horizon: Annotated[float, Field(gt=0)]
    share_lost: Share


class Study(Config):
    """What a sweep is called and what it asks.

    ``sweeps`` are several products of lists, by key, where one product would be too many runs.
    """

    name: str
    question: str
    sweeps: tuple[dict[str, Plain], ...] = ()


class Launcher(Config):
    """How many runs are fitted at a time; 0 means one for each core."""

    workers: Annotated[int, Field(ge=0)]


class Limits(Config):
    """What one run may take before it is stopped and recorded as failed; null is no limit."""

    seconds: Annotated[float, Field(gt=0)] | None
    memory_mb: Annotated[float, Field(gt=0)] | None

    @property
    def any(self) -> bool:
        """Whether there is a limit."""
        return self.seconds is not None or self.memory_mb is not None


class Run(Config):
    """The whole tree of ``retain``. Components keep their own parameters: see ``app``."""

    study: Study
    data: dict[str, Any]
    audit: Audit
    features: Features
    scaling: dict[str, Any]
    model: dict[str, Any]
    sampler: dict[str, Any]
    calibration: Calibration
    validation: Validation
    metrics: Metrics
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    threads: Annotated[int, Field(ge=1)]
    outputs: str
    launcher: Launcher
    limits: Limits
    dry_run: bool


class WhichStudy(Config):
    """The study a comparison reads."""

    name: str | None


class Compare(Config):
    """The whole tree of ``retain-compare``."""

    study: WhichStudy
    runs: str | None
    data: dict[str, Any] | None = None
    segmentation: Segmentation
    resamples: Annotated[int, Field(ge=100)]
    threads: Annotated[int, Field(ge=1)]
    outputs: str
