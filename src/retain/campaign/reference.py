"""Reference distributions of the training customers, for later drift.

Shares alone: how many lie in each tenth of a number, how many have each common level of a
category, how many have no value. Of no single customer anything can be read off it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Final, Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from retain.customers.customers import Kind
from retain.errors import RetainError
from retain.learning.scores import Scores
from retain.schema import Config, parse
from retain.storage.reading import parse_json, read_bytes
from retain.storage.schemas import check_schema
from retain.storage.writing import hash_file, write_text

SCHEMA: Final = 2
"""Counts up when the meaning of a key changes."""
BINS = 10
"""Quantile bins of a number; fewer where values repeat."""
FEWEST, RAREST, MOST = 5, 0.01, 20
"""A level is kept where so many customers, such a share of them and so few levels have it."""

Count = Annotated[int, Field(ge=0)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class NumericHistogram(Config):
    """A number: customers up to each edge, above the last one, and without a value."""

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
        """Names of the bins, the one of missing values last.

        >>> NumericHistogram(kind="number", edges=(1.0, 2.5), counts=(1, 1, 1), n_missing=0).names
        ('≤ 1', '1 to 2.5', '> 2.5', '(missing)')
        """
        if not self.edges:
            return ("any", MISSING)
        between = [_bin_name(*pair) for pair in zip(self.edges, self.edges[1:], strict=False)]
        return (f"≤ {self.edges[0]:.4g}", *between, f"> {self.edges[-1]:.4g}", MISSING)

    @property
    def customers(self) -> np.ndarray:
        """Training customers in each bin."""
        return np.array([*self.counts, self.n_missing])

    def count(self, values: pd.Series) -> np.ndarray:
        """Return the number of of other ``values`` lie in each bin."""
        numbers = values.to_numpy(dtype=float)
        known = numbers[np.isfinite(numbers)]
        places = np.searchsorted(np.array(self.edges, dtype=float), known, side="left")
        counts = np.bincount(places, minlength=len(self.counts))
        return np.append(counts, len(numbers) - len(known))


class CategoryHistogram(Config):
    """A category: customers of each common level, of all others together, and without one."""

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
        found = values.value_counts()
        common = found.reindex(list(self.levels), fill_value=0).to_numpy()
        missing = int(values.isna().sum())
        return np.array([*common, len(values) - missing - common.sum(), missing], dtype=np.int64)


MISSING, OTHER = "(missing)", "(other)"
Shares = Annotated[NumericHistogram | CategoryHistogram, Field(discriminator="kind")]


class Reference(Config):
    """The training customers as drift needs them.

    ``features`` are those the winner learnt from, in its order. ``score`` is of the customers of
    the sealed test. ``content_sha256`` is the hash of all customers of the comparison, who are no
    new ones; ``n_customers`` counts these.
    """

    schema_: Literal[2] = Field(default=SCHEMA, alias="schema")
    n_training_customers: Annotated[int, Field(ge=1)]
    n_customers: Annotated[int, Field(ge=1)]
    content_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    score: NumericHistogram
    features: dict[str, Shares]

    @property
    def kinds(self) -> dict[str, Kind]:
        """Number or category, by feature."""
        return {name: shares.kind for name, shares in self.features.items()}


def build_reference(table: pd.DataFrame, training: pd.Index, sealed: Scores) -> Reference:
    """Return the reference distributions of the customers of a comparison.

    Parameters
    ----------
    table
        What ``features.matrix`` gives of all of them.
    training
        Ids of those the model learnt from.
    sealed
        The model's scores of the others. Only these can be held against its scores of new ones:
        out of fold other models scored, whose scores spread in another way.
    """
    trained = table.loc[training]
    return Reference(
        n_training_customers=len(trained),
        n_customers=len(table),
        content_sha256=content_hash(table),
        score=_numeric_histogram(sealed.table["probability"]),
        features={str(name): _build_histogram(trained[name]) for name in trained},
    )


def content_hash(table: pd.DataFrame) -> str:
    """SHA-256 of ids and features, whatever the order of rows (64 hex digits)."""
    ids = table.index.to_series().astype(str)
    rows = pd.util.hash_pandas_object(table.set_axis(ids), index=True).to_numpy(copy=True)
    rows.sort()
    return hashlib.sha256(rows.tobytes()).hexdigest()


def write_reference(found: Reference, path: Path) -> str:
    """Write a reference whole and return the SHA-256 of the file."""
    write_text(path, found.model_dump_json(by_alias=True, indent=1) + "\n")
    return hash_file(path)


def read_reference(path: Path, sha256: str) -> Reference:
    """Return the reference in a file.

    Raises
    ------
    RetainError
        When the file is not the one its verdict speaks of, or none this version can read.
    """
    found = read_bytes(path, within=path.parent)
    if hashlib.sha256(found).hexdigest() != sha256:
        raise RetainError(f"{path} is not the reference its verdict speaks of: the hash differs.")
    read_tree = parse_json(found, str(path))
    tree = read_tree if isinstance(read_tree, dict) else {}
    check_schema(tree.get("schema"), SCHEMA, path)
    try:
        return parse(Reference, tree, "reference")
    except RetainError as error:
        told = str(error).splitlines()[0]
        raise RetainError(f"{path} cannot be read as a reference: {told}") from None


def _build_histogram(values: pd.Series) -> NumericHistogram | CategoryHistogram:
    return (
        _numeric_histogram(values)
        if pd.api.types.is_numeric_dtype(values)
        else _category_histogram(values)
    )


def _numeric_histogram(values: pd.Series) -> NumericHistogram:
    """Tenths; a value that takes up a tenth alone has a bin of its own.

    So the value of a constant is told from what lies below it and above.
    """
    numbers = values.to_numpy(dtype=float)
    known = numbers[np.isfinite(numbers)]
    edges: list[float] = []
    if len(known):
        cuts = np.quantile(known, np.arange(1, BINS) / BINS, method="inverted_cdf")
        common = cuts[1:][cuts[1:] == cuts[:-1]]
        below = np.nextafter(common, -np.inf)
        edges = np.unique([*cuts, *below[np.isfinite(below)]]).tolist()
    empty = NumericHistogram(
        kind="number", edges=tuple(edges), counts=(0,) * (len(edges) + 1), n_missing=0
    )
    *counts, missing = empty.count(values).tolist()
    return empty.model_copy(update={"counts": tuple(counts), "n_missing": missing})


def _category_histogram(values: pd.Series) -> CategoryHistogram:
    """Return common levels by name; rare ones, which may be one customer's, unnamed."""
    found = values.value_counts()
    least = max(FEWEST, RAREST * len(values))
    common = [str(level) for level in found.index[found >= least]][:MOST]
    empty = CategoryHistogram(
        kind="category", levels=dict.fromkeys(common, 0), n_other=0, n_missing=0
    )
    *counts, other, missing = empty.count(values).tolist()
    levels = dict(zip(common, counts, strict=True))
    return empty.model_copy(update={"levels": levels, "n_other": other, "n_missing": missing})


def _bin_name(low: float, high: float) -> str:
    """Return a bin by its two edges; by its value where it can hold one alone."""
    return f"= {high:.4g}" if np.nextafter(low, high) == high else f"{low:.4g} to {high:.4g}"
