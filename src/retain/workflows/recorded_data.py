"""What may be read again because a record names it: files that are there, and made-up customers.

A record may be anybody's. What it names is asked of no server, no database and no cluster, unless
it is typed anew; nothing is written where it says.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from glob import has_magic
from itertools import islice
from pathlib import Path
from typing import Any

from retain.customers.purchases.readers.location import locate_log, strip_password
from retain.errors import RetainError, type_value
from retain.schema.parsing import deep_merge
from retain.storage.paths import is_inside

MOST_FILES = 100_000
"""Entries that a recorded folder, or the folder above a recorded pattern, may have."""
MOST_INVENTED = 1_000_000
"""Customers that a record may have made up again."""


def merge_recorded(
    recorded: Mapping[str, Any], typed: Mapping[str, Any], tables: Path | None
) -> dict[str, Any]:
    """Return a recorded source with what was typed about it.

    Parameters
    ----------
    tables
        Where tables of a log may be kept, instead of where the record says; None for nowhere.

    Raises
    ------
    RetainError
        If what is only recorded would have more than files read; it says what to type.
    """
    check_recorded(recorded, typed)
    return deep_merge(_kept_here(dict(recorded), tables), dict(typed))


def check_recorded(recorded: Mapping[str, Any], typed: Collection[str]) -> None:
    """Raise a ``RetainError`` if a recorded source, without the keys typed, is more than files."""
    target = recorded.get("_target_")
    if "_target_" in typed:
        return
    if not isinstance(target, str) or target not in CHECKS:
        raise RetainError(
            f"the record names the reader {target!r}, which is not called because a record says "
            "so; name the source anew: data=NAME and its keys."
        )
    CHECKS[target](recorded, typed)


def _kept_here(recorded: dict[str, Any], tables: Path | None) -> dict[str, Any]:
    if recorded.get("cache") is None:
        return recorded
    return {**recorded, "cache": None if tables is None else str(tables)}


def _check_invented(recorded: Mapping[str, Any], typed: Collection[str]) -> None:
    count = recorded.get("customers")
    if "customers" not in typed and (not isinstance(count, int) or count > MOST_INVENTED):
        found = f"the record asks for {count!r} made-up customers"
        raise RetainError(f"{found}; expected at most {MOST_INVENTED}. To have them: data=demo")


def _check_table(recorded: Mapping[str, Any], typed: Collection[str]) -> None:
    if "path" not in typed:
        _place(recorded, "path")


def _check_folder(recorded: Mapping[str, Any], typed: Collection[str]) -> None:
    if "dir" in typed:
        return
    folder, tables = _place(recorded, "dir"), recorded.get("tables")
    specs = tables.values() if isinstance(tables, dict) else ()
    for file in (spec.get("file") for spec in specs if isinstance(spec, dict)):
        if isinstance(file, str) and not is_inside(folder / file, folder):
            raise RetainError(
                f"the record names the file {file!r}, which is not in its folder {str(folder)!r}; "
                "type data.dir=FOLDER."
            )


def _check_log(recorded: Mapping[str, Any], typed: Collection[str]) -> None:
    if recorded.get("engine") != "duckdb" and "engine" not in typed:
        raise RetainError(
            f"the record's engine is {recorded.get('engine')!r}, which is not started because a "
            "record says so; every engine gives the same table: type data.engine=duckdb."
        )
    if "path" in typed:
        return
    path = str(_place(recorded, "path"))
    _check_countable(path)
    found = locate_log(path, None)
    if found.is_database:
        raise RetainError(_asked_anew(found.kind, path))


def _place(recorded: Mapping[str, Any], key: str) -> Path:
    """Return where a record says the data lie, if that is on this machine."""
    place = recorded.get(key)
    if not isinstance(place, str) or "\0" in place:
        raise RetainError(f"the record's data.{key} is {place!r}; type data.{key}=PATH.")
    if "${" in place:
        raise RetainError(
            f"the record takes data.{key} from the environment, which is not read because a record "
            f"says so; type data.{key}=PATH."
        )
    if "://" in place:
        raise RetainError(_asked_anew("database", strip_password(place)))
    return Path(place)


def _asked_anew(kind: str, place: str) -> str:
    return (
        f"the record names a {kind}, {place!r}, and none is asked because a record says so. If it "
        f"is yours, type {type_value('data.path', place)}"
    )


def _check_countable(path: str) -> None:
    """Raise a ``RetainError`` if it would take long to find the files of a folder or pattern."""
    base = Path(path)
    while has_magic(str(base)) and not base.exists():
        base = base.parent
    if not base.is_dir():
        return
    entries = (1 for _, folders, files in os.walk(base) for _ in (*folders, *files))
    if sum(islice(entries, MOST_FILES + 1)) > MOST_FILES:
        found = f"the record's {path!r} leads to more than {MOST_FILES} files and folders"
        raise RetainError(f"{found}; if they are yours, type " + type_value("data.path", path))


CHECKS: Mapping[str, Callable[[Mapping[str, Any], Collection[str]], None]] = {
    "retain.customers.demo.read": _check_invented,
    "retain.customers.table.read": _check_table,
    "retain.customers.contract.reader.read": _check_folder,
    "retain.customers.purchases.source.read": _check_log,
}
"""What is checked of a source by its reader; no other reader is called for a record."""
