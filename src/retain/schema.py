"""The types of ``conf/``: values live only in YAML, types only here.

May import: errors. ``parse`` holds a plain mapping (what Hydra composed, ``+`` included) against
a type and answers with the nearest right name where a key is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from retain.errors import RetainError, did_you_mean

Share = Annotated[float, Field(ge=0, le=1)]
Policy = Literal["drop", "repair", "keep"]
GROUPS = ("communication", "product", "purchase", "site")
"""The feature groups of the trade; a source may name others."""


class Config(BaseModel):
    """A node of the config tree: frozen, strict, no unknown key."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", populate_by_name=True)


ConfigT = TypeVar("ConfigT", bound=Config)


# --- the data contract -------------------------------------------------------------------------


class CategorySpec(Config):
    """One value of a category: how the file writes it, its misspellings, its names."""

    raw: str
    aliases: tuple[str, ...] = ()
    en: str = ""
    ru: str = ""


class ColumnSpec(Config):
    """One column of the contract."""

    raw: str
    role: Literal["id", "target", "feature", "profit", "consent"]
    type: Literal["integer", "number", "category"]
    group: str | None = None
    min: float | None = None
    max: float | None = None
    nullable: bool = False
    aliases: tuple[str, ...] = ()
    categories: dict[str, CategorySpec] = Field(default_factory=dict)
    positive: str | None = None
    en: str = ""
    ru: str = ""


class PeriodSpec(Config):
    """The period column of a long table and its values, earliest first."""

    raw: str
    order: tuple[str, ...]
    names: dict[str, tuple[str, ...]]
    labels: dict[str, dict[Literal["en", "ru"], str]] = Field(default_factory=dict)


class TableSpec(Config):
    """One raw file: one row a customer, or one row a customer and period."""

    file: str
    columns: dict[str, ColumnSpec]
    period: PeriodSpec | None = None


class DerivedSpec(Config):
    """A feature computed from a customer's own row."""

    group: str
    operation: Literal["ratio", "difference", "slope", "mean"]
    of: tuple[str, ...]
    en: str = ""
    ru: str = ""


class NewcomerRule(Config):
    """Customers without a positive ``measure`` in some period are no regular customers."""

    policy: Policy
    measure: str


class OutlierRule(Config):
    """A value more than ``times`` the median of the customer's own other periods."""

    policy: Policy
    measure: str
    times: Annotated[float, Field(gt=1)]


class Cleaning(Config):
    """The cleaning steps of a source, in the order they are taken."""

    newcomers: NewcomerRule | None = None
    outliers: OutlierRule | None = None


# --- the other nodes of conf/ ------------------------------------------------------------------


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
    """The sealed test and the repeated folds of all other customers."""

    name: str
    sealed: Annotated[float, Field(ge=0.05, le=0.5)]
    folds: Annotated[int, Field(ge=2)]
    repeats: Annotated[int, Field(ge=1)]
    shuffle: bool


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
    """What a sweep is called and what it asks."""

    name: str
    question: str


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


# --- parsing -----------------------------------------------------------------------------------


def parse(kind: type[ConfigT], tree: Mapping[str, Any], where: str = "") -> ConfigT:
    """``tree`` as a ``kind``, or one ``RetainError`` naming every wrong key and value.

    Lists stand for tuples, as YAML has no tuples.

    >>> parse(NewcomerRule, {"policy": "drop", "mesure": "revenue"}, "cleaning.newcomers")
    Traceback (most recent call last):
    ...
    retain.errors.RetainError: cleaning.newcomers: key 'mesure' is unknown. Did you mean 'measure'?
    cleaning.newcomers: key 'measure' is missing.
    """
    try:
        return kind.model_validate(_tuples(tree))
    except ValidationError as error:
        said = [_told(kind, dict(problem), where) for problem in error.errors()]
        lines = sorted(dict.fromkeys(said), key=lambda line: "is unknown" not in line)
        raise RetainError("\n".join(lines)) from None


def _tuples(tree: Any) -> Any:
    if isinstance(tree, Mapping):
        return {key: _tuples(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return tuple(_tuples(value) for value in tree)
    return tree


def _told(kind: type[Config], problem: dict[str, Any], where: str) -> str:
    """One pydantic problem as a sentence of ours."""
    path = [str(part) for part in problem["loc"]]
    parent = ".".join(filter(None, [where, *path[:-1]]))
    prefix = f"{parent}: " if parent else ""
    if problem["type"] == "extra_forbidden":
        known = _keys(kind, path[:-1])
        return f"{prefix}key {path[-1]!r} is unknown.{did_you_mean(path[-1], known)}"
    if problem["type"] == "missing":
        return f"{prefix}key {path[-1]!r} is missing."
    full = ".".join(filter(None, [where, *path]))
    expected = problem["msg"].removeprefix("Input should be ").removeprefix("a valid ")
    return f"{full} is {problem['input']!r}; expected {expected}."


def _keys(kind: type[Config], path: list[str]) -> list[str]:
    """The field names of the node ``path`` leads to, as far as types can tell."""
    node: Any = kind
    for part in path:
        node = _below(node, part)
    return list(node.model_fields) if _is_config(node) else []


def _below(node: Any, part: str) -> Any:
    """The type of what stands under ``part``, an optional one without its None."""
    if not _is_config(node):  # a dict, in which ``part`` is a key of the user's, or a list
        return next((kind for kind in get_args(node) if _is_config(kind)), None)
    found = node.model_fields[part].annotation if part in node.model_fields else None
    return _below(found, "") if get_origin(found) is UnionType else found


def _is_config(node: Any) -> bool:
    return isinstance(node, type) and issubclass(node, Config)
