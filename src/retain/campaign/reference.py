"""Reference distributions of the training customers, for drift.

They hold only counts: of each tenth of a number, of each common level of a category, and of
missing values. They reveal nothing about a single customer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from retain.customers.customers import Column, Kind
from retain.customers.reading import SourceColumn
from retain.errors import RetainError
from retain.learning.scores import Scores
from retain.schema.parsing import Config, parse
from retain.storage.pinned import read_pinned
from retain.storage.reading import parse_json
from retain.storage.schemas import check_schema
from retain.storage.writing import hash_file, write_text
from retain.wording import format_significant

SCHEMA: Final = 2
"""Counts up when the meaning of a key changes."""
N_BINS = 10
"""Quantile bins of a number; fewer where values repeat."""
MIN_LEVEL_CUSTOMERS, MIN_LEVEL_SHARE, MAX_LEVELS = 5, 0.01, 20
"""Minimum customers and share of a kept level, and largest number of kept levels."""

Count = Annotated[int, Field(ge=0)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class NumericHistogram(Config):
    """A number: counts up to each edge, above the last one, and of missing values."""

    kind: Literal["number"]
    edges: tuple[Finite, ...]
    counts: tuple[Count, ...]
    n_missing: Count

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if len(self.counts) != len(self.edges) + 1:
            raise ValueError("one count more than edges")
        if any(low >= high for low, high in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError("edges in rising order")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the bins, missing values last.

        >>> NumericHistogram(kind="number", edges=(1.0, 2.5), counts=(1, 1, 1), n_missing=0).names
        ('≤ 1', '1 to 2.5', '> 2.5', '(missing)')
        """
        if not self.edges:
            return ("any", MISSING)
        between = [_bin_name(*pair) for pair in zip(self.edges, self.edges[1:], strict=False)]
        return (f"≤ {_edge(self.edges[0])}", *between, f"> {_edge(self.edges[-1])}", MISSING)

    @property
    def customers(self) -> np.ndarray:
        """Training customers in each bin."""
        return np.array([*self.counts, self.n_missing])

    def count(self, values: pd.Series) -> np.ndarray:
        """Return the number of ``values`` in each bin."""
        numbers = values.to_numpy(dtype=float)
        observed = numbers[np.isfinite(numbers)]
        bins = np.searchsorted(np.array(self.edges, dtype=float), observed, side="left")
        counts = np.bincount(bins, minlength=len(self.counts))
        return np.append(counts, len(numbers) - len(observed))


class CategoryHistogram(Config):
    """A category: counts of each common level, of all other levels, and of missing values."""

    kind: Literal["category"]
    levels: dict[str, Count]
    n_other: Count
    n_missing: Count

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the bins."""
        return (*self.levels, OTHER, MISSING)

    @property
    def customers(self) -> np.ndarray:
        """Training customers in each bin."""
        return np.array([*self.levels.values(), self.n_other, self.n_missing])

    def count(self, values: pd.Series) -> np.ndarray:
        """Return the number of ``values`` in each bin; an unseen level counts as other."""
        sizes = values.value_counts()
        common = sizes.reindex(list(self.levels), fill_value=0).to_numpy()
        missing = int(values.isna().sum())
        return np.array([*common, len(values) - missing - common.sum(), missing], dtype=np.int64)


MISSING, OTHER = "(missing)", "(other)"
Shares = Annotated[NumericHistogram | CategoryHistogram, Field(discriminator="kind")]


class Reference(Config):
    """Reference distributions of a comparison.

    ``features`` are the winner's, in its order, ``columns`` those of the file that they were read
    from. ``score`` is that of the sealed test.
    ``content_sha256`` and ``n_customers`` are of all customers of the comparison.
    """

    schema_: Literal[2] = Field(default=SCHEMA, alias="schema")
    n_training_customers: Annotated[int, Field(ge=1)]
    n_customers: Annotated[int, Field(ge=1)]
    content_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    score: NumericHistogram
    features: dict[str, Shares]
    columns: dict[str, SourceColumn] = Field(default_factory=dict)

    @property
    def kinds(self) -> dict[str, Kind]:
        """Number or category, by feature."""
        return {name: shares.kind for name, shares in self.features.items()}


def build_reference(
    table: pd.DataFrame,
    training: pd.Index,
    sealed: Scores,
    columns: Mapping[str, Column] | None = None,
) -> Reference:
    """Return the reference distributions of the customers of a comparison.

    Parameters
    ----------
    table
        The ``feature_matrix`` of all customers.
    training
        Ids of the training customers.
    sealed
        The model's scores of the sealed test. Out-of-fold scores come from other models, and are
        not comparable with scores of new customers.
    columns
        The columns of the customers.
    """
    trained = table.loc[training]
    sources = {name: one.source for name, one in (columns or {}).items() if name in table}
    return Reference(
        n_training_customers=len(trained),
        n_customers=len(table),
        content_sha256=content_hash(table),
        score=_numeric_histogram(sealed.table["probability"]),
        features={str(name): _build_histogram(trained[name]) for name in trained},
        columns={name: one for name, one in sources.items() if one is not None},
    )


def content_hash(table: pd.DataFrame) -> str:
    """Return SHA-256 of ids and features (64 hex digits), independent of the order of rows."""
    ids = table.index.to_series().astype(str)
    rows = pd.util.hash_pandas_object(table.set_axis(ids), index=True).to_numpy(copy=True)
    rows.sort()
    return hashlib.sha256(rows.tobytes()).hexdigest()


def write_reference(reference: Reference, path: Path) -> str:
    """Write a reference atomically and return the SHA-256 of the file."""
    write_text(path, reference.model_dump_json(by_alias=True, indent=1) + "\n")
    return hash_file(path)


def read_reference(path: Path, sha256: str) -> Reference:
    """Return the reference in a file.

    Raises
    ------
    RetainError
        The file is not the one of its verdict, or this version cannot read it.
    """
    content = read_pinned(path, sha256, "verdict.json", within=path.parent)
    read_tree = parse_json(content, str(path))
    tree = read_tree if isinstance(read_tree, dict) else {}
    check_schema(tree.get("schema"), SCHEMA, path)
    try:
        return parse(Reference, tree, "reference")
    except RetainError as error:
        problem = str(error).splitlines()[0]
        raise RetainError(f"{path} cannot be read as a reference: {problem}") from None


def _build_histogram(values: pd.Series) -> NumericHistogram | CategoryHistogram:
    return (
        _numeric_histogram(values)
        if pd.api.types.is_numeric_dtype(values)
        else _category_histogram(values)
    )


def _numeric_histogram(values: pd.Series) -> NumericHistogram:
    """Return counts by tenths; a value that fills a tenth has its own bin.

    So a constant has bins below and above its value.
    """
    numbers = values.to_numpy(dtype=float)
    observed = numbers[np.isfinite(numbers)]
    edges: list[float] = []
    if len(observed):
        cuts = np.quantile(observed, np.arange(1, N_BINS) / N_BINS, method="inverted_cdf")
        common = cuts[1:][cuts[1:] == cuts[:-1]]
        with np.errstate(over="ignore"):  # below the least number there is none
            below = np.nextafter(common, -np.inf)
        edges = np.unique([*cuts, *below[np.isfinite(below)]]).tolist()
    empty = NumericHistogram(
        kind="number", edges=tuple(edges), counts=(0,) * (len(edges) + 1), n_missing=0
    )
    *counts, missing = empty.count(values).tolist()
    return empty.model_copy(update={"counts": tuple(counts), "n_missing": missing})


def _category_histogram(values: pd.Series) -> CategoryHistogram:
    """Return counts of common levels; rare ones, which may identify a customer, are pooled."""
    sizes = values.value_counts()
    least = max(MIN_LEVEL_CUSTOMERS, MIN_LEVEL_SHARE * len(values))
    common = [str(level) for level in sizes.index[sizes >= least]][:MAX_LEVELS]
    empty = CategoryHistogram(
        kind="category", levels=dict.fromkeys(common, 0), n_other=0, n_missing=0
    )
    *counts, other, missing = empty.count(values).tolist()
    levels = dict(zip(common, counts, strict=True))
    return empty.model_copy(update={"levels": levels, "n_other": other, "n_missing": missing})


def _bin_name(low: float, high: float) -> str:
    """Return the name of a bin: its edges, or its value if it can hold only one."""
    return (
        f"= {_edge(high)}" if np.nextafter(low, high) == high else f"{_edge(low)} to {_edge(high)}"
    )


def _edge(value: float) -> str:
    return format_significant(value, 4)
