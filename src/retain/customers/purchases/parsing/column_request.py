"""The columns that are asked of a log: one per role, and those of formulas and of the filter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from retain.customers.purchases.parsing.conditions import KEY as FILTER_KEY
from retain.customers.purchases.parsing.conditions import Condition, list_tests
from retain.customers.purchases.parsing.formulas import Formula, list_columns, parse_formula
from retain.errors import RetainError, did_you_mean, examples
from retain.schema.purchases import LogColumns

FORMULA_ROLES = ("amount", "items", "profit")
"""Roles that may be computed from other columns."""
MONEY_ROLES = ("amount", "profit")
EXTRA_ROLE = "extra_"
"""Prefix of the roles of columns that only formulas and the filter name."""
CURRENCY_NAMES = ("currency", "currency_code", "currencycode", "валюта", "währung", "devise")
"""Names of columns, in lower case, that hold the currency of money without being mapped."""


@dataclass(frozen=True)
class ColumnRequest:
    """Name or formula of each role, and the columns of the filter."""

    texts: Mapping[str, str]
    filter_columns: tuple[str, ...] = ()

    @classmethod
    def of(cls, columns: LogColumns, condition: Condition | None = None) -> ColumnRequest:
        """Return the request of the config.

        Raises
        ------
        RetainError
            A column is named for two roles.
        """
        texts = {role: str(name) for role, name in columns.model_dump().items() if name is not None}
        twice = [name for name, count in Counter(texts.values()).items() if count > 1]
        if twice:
            clashing = examples(role for role, name in texts.items() if name == twice[0])
            found = f"column {twice[0]!r} is named for {clashing}"
            raise RetainError.at("data.columns", found, "expected a column of its own for each")
        tests = () if condition is None else list_tests(condition)
        return cls(texts, tuple(dict.fromkeys(test.column for test in tests)))

    def find_formula(self, role: str) -> Formula | None:
        """Return the formula of a role, None if its text is no more than a name."""
        text = self.texts.get(role, "")
        if role not in FORMULA_ROLES or not any(sign in text for sign in "*+-"):
            return None
        return parse_formula(f"data.columns.{role}", text)

    def list_missing(self, columns: Sequence[str]) -> list[tuple[str, str]]:
        """Return key and name of each column that a file should have and has not."""
        missing = [(key, name) for key, name in self._iter_columns(columns) if name not in columns]
        return list({name: (key, name) for key, name in reversed(missing)}.values())[::-1]

    def _iter_columns(self, columns: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield key and name of the columns; a text that names a column is no formula."""
        for role, text in self.texts.items():
            key = f"data.columns.{role}"
            formula = None if text in columns else self.find_formula(role)
            names = (text,) if formula is None else list_columns(formula)
            yield from ((key, name) for name in names)
        yield from ((FILTER_KEY, name) for name in self.filter_columns)

    def assign_roles(self, columns: Sequence[str]) -> dict[str, str]:
        """Return the column of each role, among them ``extra_1`` … and a currency by its name.

        >>> request = ColumnRequest({"customer": "id", "amount": "n * price"}, ("status",))
        >>> request.assign_roles(["id", "n", "price", "status", "day"])
        {'customer': 'id', 'extra_1': 'n', 'extra_2': 'price', 'extra_3': 'status'}
        """
        roles = {role: text for role, text in self.texts.items() if text in columns}
        if "currency" not in self.texts and any(role in self.texts for role in MONEY_ROLES):
            named = [name for name in columns if name.lower() in CURRENCY_NAMES]
            if len(named) == 1 and named[0] not in roles.values():
                roles["currency"] = named[0]
        wanted = dict.fromkeys(name for _, name in self._iter_columns(columns))
        extra = (name for name in wanted if name not in roles.values())
        return roles | {f"{EXTRA_ROLE}{n}": name for n, name in enumerate(extra, start=1)}

    def check_columns(self, source_name: str, columns: Sequence[str], hint: str = "") -> None:
        """Raise if names repeat, hold NUL, differ only in case, or lack a column that is asked."""
        check_names(source_name, columns)
        for key, name in self.list_missing(columns):
            found = f"{source_name} has no column {name!r}, which {key} names"
            listed = examples(columns, limit=20)
            raise RetainError(f"{found}; it has {listed}.{did_you_mean(name, columns)}{hint}")


def check_names(source_name: str, columns: Sequence[str]) -> None:
    """Raise if names of columns repeat, hold NUL, or differ only in case."""
    if any("\0" in name for name in columns):
        raise RetainError(
            f"{source_name} has a column whose name holds NUL; expected names of text."
        )
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        found = f"{source_name} has several columns named {examples(twice)}"
        raise RetainError(f"{found}; expected a different name for each column.")
    _check_case(source_name, columns)


def check_same_columns(
    first_name: str, first_columns: Sequence[str], source_name: str, other_columns: Sequence[str]
) -> None:
    """Raise if a file has other columns than the first file, in any order."""
    more = [name for name in other_columns if name not in first_columns]
    less = [name for name in first_columns if name not in other_columns]
    if more or less:
        difference = f"has column {more[0]!r}" if more else f"has no column {less[0]!r}"
        found = f"{source_name} {difference}, unlike {first_name}"
        raise RetainError(f"{found}; expected the same columns in all files of a log.")


def _check_case(source_name: str, columns: Iterable[str]) -> None:
    """Raise if names differ only in case, which DuckDB ignores."""
    names = list(columns)
    folded = Counter(name.casefold() for name in names)
    clashing = [name for name in names if folded[name.casefold()] > 1]
    if clashing:
        found = f"{source_name} has columns {examples(clashing)}, which differ in case alone"
        raise RetainError(f"{found}; expected other names.")
