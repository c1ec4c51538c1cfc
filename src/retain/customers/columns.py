"""Canonical column names, and the roles of columns."""

from __future__ import annotations

import itertools
import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from retain.customers.reading import SourceColumn
from retain.errors import RetainError, did_you_mean, examples
from retain.schema.names import RESERVED, RULE_WORDS
from retain.schema.parsing import check_mapping

log = logging.getLogger(__name__)


class ColumnName(str):
    """The name of a column in its file, and the ``key`` by which the user may type it."""

    __slots__ = ("key",)
    key: str

    def __new__(cls, name: str, key: str) -> Self:
        """Return the name with its key."""
        found = super().__new__(cls, name)
        found.key = key
        return found

    def __reduce__(self) -> tuple[type[Self], tuple[str, str]]:
        """Return what another process makes it of."""
        return type(self), (str(self), self.key)


def canonical_names(
    names: Sequence[str], sources: Mapping[str, SourceColumn] | None = None
) -> dict[str, str]:
    """Return a distinct canonical snake_case name for each name.

    ``sources`` are the columns of the training file by feature: a column of the same name is this
    feature, and so is one of the same canonical name, if no other is.

    >>> canonical_names(["customerID", "Total charges, $", "total_charges", "Тип сервиса"])
    {'customerID': 'customer_id', 'Total charges, $': 'total_charges_2', \
'total_charges': 'total_charges', 'Тип сервиса': 'тип_сервиса'}
    """
    canonical = _match_features(names, sources or {})
    taken = {*canonical.values(), *(sources or {})}
    for name in names:  # what is typed means the column of this very name
        if name not in canonical and name not in taken and key_name(name) == name:
            canonical[name] = name
            taken.add(name)
    for name in names:
        if name in canonical:
            continue
        plain = key_name(name)
        candidate, number = plain, 1
        while candidate in taken:
            number += 1
            candidate = f"{plain}_{number}"
        taken.add(candidate)
        canonical[name] = candidate
    return {ColumnName(name, canonical[name]): canonical[name] for name in names}


def _match_features(names: Sequence[str], sources: Mapping[str, SourceColumn]) -> dict[str, str]:
    """Return the feature of each column of the training file.

    >>> sources = {"a": SourceColumn(name="a $"), "a_2": SourceColumn(name="a €")}
    >>> _match_features(["a €", "A"], sources)
    {'a €': 'a_2'}
    """
    found = {one.name: key for key, one in sources.items() if one.name in names}
    free = Counter(_loose_name(name) for name in names if name not in found)
    wanted = Counter(_loose_name(one.name) for one in sources.values() if one.name not in found)
    by_loose = {_loose_name(one.name): key for key, one in sources.items()}
    for name in names:
        loose = _loose_name(name)
        if name not in found and free[loose] == wanted[loose] == 1:
            found[name] = by_loose[loose]
    return found


def _loose_name(name: str) -> tuple[str, str]:
    """Return the canonical name, and the signs of units that it lacks."""
    signs = "".join(one for one in name if one == "%" or unicodedata.category(one) == "Sc")
    return key_name(name), signs


def rename_reserved(roles: Roles) -> Roles:
    """Return the roles with other canonical names for features that are called as rules call risk.

    >>> names = {"risk": "risk", "Profit": "profit"}
    >>> wanted = {"id": None, "target": None, "profit": "Profit", "consent": None}
    >>> rename_reserved(assign_roles(names, wanted, {}, (), ())).names
    {'risk': 'risk_2', 'Profit': 'profit'}
    """
    names = dict(roles.names)
    for name in roles.features:
        if names[name] in (*RESERVED, *RULE_WORDS):
            taken = set(names.values())
            candidates = (f"{names[name].rstrip('_')}_{n}" for n in itertools.count(2))
            new = next(one for one in candidates if one not in taken)
            log.info(
                "column %r: %s is a word of rules, so the feature is %s", name, names[name], new
            )
            names[name] = new
    return replace(roles, names=names)


def snake_case(name: str) -> str:
    """Return ``name`` in snake_case; letters of any script are kept.

    >>> snake_case("MonthlyCharges"), snake_case("HTTPErrors"), snake_case("%")
    ('monthly_charges', 'http_errors', '')
    """
    text = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", name))
    pairs = zip(text, text[1:] + " ", text[2:] + "  ", strict=False)
    spaced = "".join(c + "_" * _word_ends(c, second, third) for c, second, third in pairs)
    return re.sub("_+", "_", spaced).strip("_").lower()


def key_name(name: str) -> str:
    """Return the key of a column of a file, or the canonical name of one that no other has.

    It also has one without letters.
    """
    return name.key if isinstance(name, ColumnName) else snake_case(name) or "column"


def find_column(name: object, names: dict[str, str], where: str) -> str:
    """Return the file's name of a column given by its file name or canonical name.

    ``names`` is the result of ``canonical_names``. Raise a ``RetainError`` with the nearest name if
    there is no such column.

    >>> find_column("customer_id", {"customerID": "customer_id"}, "data.id")
    'customerID'
    """
    wanted = str(name)
    if wanted in names:
        return ColumnName(wanted, names[wanted])
    back = {canonical: original for original, canonical in names.items()}
    if wanted in back:
        return back[wanted]
    hint = did_you_mean(wanted, [*back, *names])
    listed = examples(names, limit=30)
    raise RetainError(f"{where}: column {wanted!r} is missing; the file has {listed}.{hint}")


def find_columns(wanted: Iterable[object], names: dict[str, str], where: str) -> list[str]:
    """Return ``find_column`` of each name."""
    return [find_column(name, names, where) for name in wanted]


def check_required_columns(needed: Iterable[str], known: Sequence[str]) -> None:
    """Raise if customers lack features that were learned from, naming all of them.

    >>> check_required_columns(["minute", "pages"], ["minutes", "pages"])
    Traceback (most recent call last):
    ...
    retain.errors.RetainError: these customers lack feature 'minute', which those that were \
learned from have. Did you mean 'minutes'?
    """
    missing = [name for name in needed if name not in known]
    if missing:
        noun = "feature" if len(missing) == 1 else "features"
        message = f"these customers lack {noun} {', '.join(map(repr, missing))}"
        hint = did_you_mean(missing[0], known) if len(missing) == 1 else ""
        raise RetainError(f"{message}, which those that were learned from have.{hint}")


def _word_ends(letter: str, second: str, third: str) -> bool:
    """Return whether a word ends after ``letter``: in aB, and between A and Bc."""
    if not second.isupper():
        return False
    return letter.islower() or letter.isdigit() or (letter.isupper() and third.islower())


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns of a table by role, under the file's names.

    ``names`` maps every column to its canonical name, ``groups`` columns to their feature group.
    """

    names: dict[str, str]
    id: str | None
    target: str | None
    profit: str | None
    consent: str | None
    groups: dict[str, str]
    keep_columns: list[str]
    categorical_columns: list[str]

    def role(self, name: str) -> str | None:
        """Return the role of a column that is not only a feature."""
        given = {"id": self.id, "target": self.target, "profit": self.profit}
        roles = {**given, "consent": self.consent}
        return next((role for role, column in roles.items() if column == name), None)

    @property
    def features(self) -> list[str]:
        """Columns without another role, and an id or consent column listed in a group."""
        used = (self.id, self.target, self.profit, self.consent)
        return [name for name in self.names if name not in used or name in self.groups]


def assign_roles(
    names: dict[str, str],
    wanted: Mapping[str, str | None],
    groups: Mapping[str, Sequence[str]],
    keep_columns: Sequence[str],
    categorical_columns: Sequence[str],
) -> Roles:
    """Return the configured roles; raise if a name is wrong or has two roles.

    ``wanted`` maps id, target, profit and consent to a column or None.
    """
    given = {
        role: None if name is None else find_column(name, names, f"data.{role}")
        for role, name in wanted.items()
    }
    _check_one_role_each(given)
    return Roles(
        names=names,
        **given,
        groups=_groups(groups, names, given),
        keep_columns=find_columns(keep_columns, names, "data.keep_columns"),
        categorical_columns=find_columns(categorical_columns, names, "data.categorical_columns"),
    )


def _check_one_role_each(given: Mapping[str, str | None]) -> None:
    named = [name for name in given.values() if name is not None]
    twice = [role for role, name in given.items() if name is not None and named.count(name) > 1]
    if twice:
        keys = " and ".join(f"data.{role}" for role in twice)
        raise RetainError(f"{keys} name one column, {given[twice[0]]!r}; expected one role each.")


def _groups(
    groups: Mapping[str, Sequence[str]], names: dict[str, str], roles: Mapping[str, str | None]
) -> dict[str, str]:
    """Return the group of each column listed in a group."""
    by_column: dict[str, str] = {}
    for group, listed in check_mapping("data.groups", groups).items():
        where = f"data.groups.{group}"
        for name in find_columns([listed] if isinstance(listed, str) else listed, names, where):
            if name in by_column:
                raise RetainError(
                    f"{where}: column {name!r} is in group {by_column[name]!r} already."
                )
            if name in (roles["target"], roles["profit"]):
                role = "target" if name == roles["target"] else "profit"
                raise RetainError(f"{where}: column {name!r} is the {role}, never a feature.")
            by_column[name] = group
    return by_column
