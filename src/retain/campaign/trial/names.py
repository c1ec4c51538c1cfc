"""Columns and arms of a trial by the names that were typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from retain.customers.columns import key_name
from retain.customers.customers import Customers
from retain.errors import RetainError, did_you_mean, examples, type_value
from retain.schema.readout import Columns


class Named(NamedTuple):
    """A column or arm: its key, and its name in the file."""

    key: str
    label: str


def find_named(typed: str, labels: Mapping[str, str]) -> Named | None:
    """Return what was typed among names by key: the name, any case of it, or its key.

    What means several of them, and none exactly, is none of them.

    >>> find_named("E_Mail", {"e_mail": "E-Mail"})
    Named(key='e_mail', label='E-Mail')
    >>> find_named("mail_a", {"Mail A": "Mail A", "Mail-A": "Mail-A"}) is None
    True
    """
    for form in (str, str.casefold, key_name):
        found = [
            Named(key, label)
            for key, label in labels.items()
            if form(typed) in (form(label), form(key))
        ]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def find_arm(typed: object, arms: Sequence[str], key: str) -> str:
    """Return the arm that was typed, by its name, or as a key can be typed.

    >>> find_arm("mens_e_mail", ["No E-Mail", "Mens E-Mail"], "cost")
    'Mens E-Mail'
    """
    found = find_named(str(typed), {arm: arm for arm in arms})
    if found is not None:
        return found.key
    alike = [arm for arm in arms if key_name(arm) == key_name(str(typed))]
    if len(alike) > 1:
        problem = f"{typed!r} may be any of the arms {examples(alike, 20)}"
        raise RetainError.at(key, problem, f"expected names as in {_type_arms(key, alike)}")
    hint = did_you_mean(str(typed), arms)
    raise RetainError(f"{key}: {typed!r} is no arm; the arms are {examples(arms, 20)}.{hint}")


ValueT = TypeVar("ValueT")


def find_arms(typed: Mapping[str, ValueT], arms: Sequence[str], key: str) -> dict[str, ValueT]:
    """Return what was typed for each arm, by the arm's name.

    Raises
    ------
    RetainError
        A name is that of no arm or of several, or two are those of one arm.
    """
    names: dict[str, str] = {}
    for name in typed:
        arm = find_arm(name, arms, key)
        if arm in names:
            problem = f"{names[arm]!r} and {name!r} are one arm, {arm!r}"
            raise RetainError.at(key, problem, "expected each arm once")
        names[arm] = name
    return {arm: typed[name] for arm, name in names.items()}


def _type_arms(key: str, arms: Sequence[str]) -> str:
    """Return arms by their whole names as they are typed in a shell.

    >>> print(_type_arms("cost", ["Mail A", "Mail-A"]))
    "cost={Mail A: VALUE, Mail-A: VALUE}"
    """
    if key == "control":
        return " or ".join(type_value(key, arm) for arm in arms)
    return f'"{key}={{{", ".join(f"{arm}: VALUE" for arm in arms)}}}"'


def as_tuple(columns: Columns | None) -> tuple[str, ...]:
    """Return the columns of a key that takes one or several."""
    if columns is None:
        return ()
    return (columns,) if isinstance(columns, str) else columns


def find_columns(customers: Customers, names: Sequence[str], key: str) -> list[Named]:
    """Return the columns by what was typed; the reader raises for those that are missing."""
    labels = {name: column.en or name for name, column in customers.columns.items()}
    found = [find_named(name, labels) for name in names]
    for name, one in zip(names, found, strict=True):
        if one is None:
            problem = f"column {name!r} is the id, the consent or another role of data"
            raise RetainError.at(key, problem, "expected a column without another role")
    return [one for one in found if one is not None]
