"""The data contract: names, types and meaning of a store's files, columns and categories."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from retain.schema.parsing import Config

Policy = Literal["drop", "repair", "keep"]


class CategorySpec(Config):
    """One value of a category: its spelling in the file, misspellings, display names."""

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
    """One raw file, with one row per customer, or per customer and period."""

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
    """Customers without a positive ``measure`` in some period are not regular customers."""

    policy: Policy
    measure: str


class OutlierRule(Config):
    """A value more than ``times`` the median of the customer's own other periods."""

    policy: Policy
    measure: str
    times: Annotated[float, Field(gt=1, le=1e9)]


class Cleaning(Config):
    """The cleaning steps of a source, in their order."""

    newcomers: NewcomerRule | None = None
    outliers: OutlierRule | None = None
