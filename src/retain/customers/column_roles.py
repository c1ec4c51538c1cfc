"""What the user says the columns of one table mean: roles, groups, and how to read them.

May import: errors, schema and customers.column_names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from retain.customers.column_names import find, find_all
from retain.errors import RetainError
from retain.schema import check_mapping


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns of a table by what they are for, under the file's names.

    ``names`` holds the canonical name of every column, ``groups`` the group of each column a
    group names.
    """

    names: dict[str, str]
    id: str | None
    target: str | None
    profit: str | None
    consent: str | None
    groups: dict[str, str]
    keep: list[str]
    text: list[str]

    @property
    def features(self) -> list[str]:
        """Every column without another role, and an id or a consent that a group names."""
        used = (self.id, self.target, self.profit, self.consent)
        return [name for name in self.names if name not in used or name in self.groups]


def roles_of(
    names: dict[str, str],
    wanted: Mapping[str, str | None],
    groups: Mapping[str, Sequence[str]],
    keep: Sequence[str],
    text: Sequence[str],
) -> Roles:
    """The roles a user gave; a ``RetainError`` where a name is wrong or has two meanings.

    ``wanted`` names a column, or None, for each of id, target, profit and consent.
    """
    given = {
        role: None if name is None else find(name, names, f"data.{role}")
        for role, name in wanted.items()
    }
    _refuse_two_roles(given)
    return Roles(
        names=names,
        **given,
        groups=_groups(groups, names, given),
        keep=find_all(keep, names, "data.keep"),
        text=find_all(text, names, "data.text"),
    )


def _refuse_two_roles(given: Mapping[str, str | None]) -> None:
    named = [name for name in given.values() if name is not None]
    twice = [role for role, name in given.items() if name is not None and named.count(name) > 1]
    if twice:
        said = " and ".join(f"data.{role}" for role in twice)
        raise RetainError(f"{said} name one column, {given[twice[0]]!r}; expected one role each.")


def _groups(
    groups: Mapping[str, Sequence[str]], names: dict[str, str], roles: Mapping[str, str | None]
) -> dict[str, str]:
    """The group of each column a group names."""
    found: dict[str, str] = {}
    for group, listed in check_mapping("data.groups", groups).items():
        where = f"data.groups.{group}"
        for name in find_all([listed] if isinstance(listed, str) else listed, names, where):
            if name in found:
                raise RetainError(f"{where}: column {name!r} is in group {found[name]!r} already.")
            if name in (roles["target"], roles["profit"]):
                role = "target" if name == roles["target"] else "profit"
                raise RetainError(f"{where}: column {name!r} is the {role}, never a feature.")
            found[name] = group
    return found
