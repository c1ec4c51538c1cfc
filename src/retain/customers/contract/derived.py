"""Derived features of a source, checked against its features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retain.customers.customers import Column, DerivedFeature
from retain.errors import RetainError
from retain.schema.contract import DerivedSpec
from retain.schema.parsing import check_mapping, parse

_FEWEST = {"ratio": 2, "difference": 2, "slope": 2, "mean": 1}
_EXACT = ("ratio", "difference")


def parse_derived_features(
    specs: Mapping[str, Any] | None, columns: Mapping[str, Column]
) -> tuple[DerivedFeature, ...]:
    """Return the derived features of a source; raise one ``RetainError`` with all problems.

    >>> pages = {"pages": Column("pages", "site", "number")}
    >>> specs = {"pages_mean": {"group": "site", "operation": "mean", "of": ["page"]}}
    >>> parse_derived_features(specs, pages)
    Traceback (most recent call last):
    ...
    retain.errors.RetainError: derived.pages_mean.of: number feature 'page' is not one of pages. \
Did you mean 'pages'?
    """
    parsed = {name: parse(DerivedSpec, spec, f"derived.{name}") for name, spec in _items(specs)}
    wrong = [line for name, spec in parsed.items() for line in _problems(name, spec, columns)]
    if wrong:
        raise RetainError("\n".join(wrong))
    return tuple(
        DerivedFeature(name, spec.group, spec.operation, spec.of, spec.en or name, spec.ru or name)
        for name, spec in parsed.items()
    )


def _items(specs: Mapping[str, Any] | None) -> list[tuple[str, Any]]:
    return list(check_mapping("derived", {} if specs is None else specs).items())


def _problems(name: str, spec: DerivedSpec, columns: Mapping[str, Column]) -> list[str]:
    numbers = [column.name for column in columns.values() if column.kind == "number"]
    where = f"derived.{name}"
    problems = [
        f"{where}.of: {RetainError.unknown('number feature', of, numbers)}"
        for of in spec.of
        if of not in numbers
    ]
    if name in columns:
        problems.append(f"{where}: a feature of that name exists; expected another name.")
    fewest, count = _FEWEST[spec.operation], len(spec.of)
    if count < fewest or (spec.operation in _EXACT and count > fewest):
        wanted = f"exactly {fewest}" if spec.operation in _EXACT else f"at least {fewest}"
        problem = f"{where}.of names {count} features"
        problems.append(f"{problem}; expected {wanted} for operation {spec.operation!r}.")
    return problems
