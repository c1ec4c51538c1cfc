"""Safe reading of data that a record names: local files and made-up customers only.

Anybody may have written a record. Servers, databases and clusters that it names are used only if
they are typed again, and nothing is written to its paths.
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
from retain.schema.parsing import Node, deep_merge
from retain.storage.paths import is_inside

MAX_FILES = 100_000
"""Largest number of entries in a recorded folder, or the folder of a recorded pattern."""
MAX_DEMO_CUSTOMERS = 1_000_000
"""Largest number of made-up customers of a record."""


def merge_recorded(
    recorded: Mapping[str, Any], overrides: Mapping[str, Any], cache_dir: Path | None
) -> Node:
    """Return a recorded source with what was typed about it.

    Parameters
    ----------
    cache_dir
        Folder for cached tables instead of the recorded one; None for no cache.

    Raises
    ------
    RetainError
        If the recorded part of the source is more than local files.
    """
    check_recorded(recorded, overrides)
    return deep_merge(_relocate_cache(dict(recorded), cache_dir), dict(overrides))


def check_recorded(recorded: Mapping[str, Any], override_keys: Collection[str]) -> None:
    """Raise a ``RetainError`` if a recorded source, without overridden keys, is not only files."""
    target = recorded.get("_target_")
    if "_target_" in override_keys:
        return
    if not isinstance(target, str) or target not in CHECKS:
        raise RetainError(
            f"the record names the reader {target!r}, which is not called because a record says "
            "so; name the source anew: data=NAME and its keys."
        )
    CHECKS[target](recorded, override_keys)


def _relocate_cache(recorded: Node, cache_dir: Path | None) -> Node:
    if recorded.get("cache") is None:
        return recorded
    return {**recorded, "cache": None if cache_dir is None else str(cache_dir)}


def _check_demo(recorded: Mapping[str, Any], override_keys: Collection[str]) -> None:
    count = recorded.get("customers")
    if "customers" not in override_keys and (
        not isinstance(count, int) or count > MAX_DEMO_CUSTOMERS
    ):
        found = f"the record asks for {count!r} made-up customers"
        raise RetainError(
            f"{found}; expected at most {MAX_DEMO_CUSTOMERS}. To have them: data=demo"
        )


def _check_table(recorded: Mapping[str, Any], override_keys: Collection[str]) -> None:
    if "path" not in override_keys:
        _recorded_path(recorded, "path")


def _check_folder(recorded: Mapping[str, Any], override_keys: Collection[str]) -> None:
    if "dir" in override_keys:
        return
    folder, tables = _recorded_path(recorded, "dir"), recorded.get("tables")
    specs = tables.values() if isinstance(tables, dict) else ()
    for file in (spec.get("file") for spec in specs if isinstance(spec, dict)):
        if isinstance(file, str) and not is_inside(folder / file, folder):
            raise RetainError(
                f"the record names the file {file!r}, which is not in its folder {str(folder)!r}; "
                "type data.dir=FOLDER."
            )


def _check_log(recorded: Mapping[str, Any], override_keys: Collection[str]) -> None:
    if recorded.get("engine") != "duckdb" and "engine" not in override_keys:
        raise RetainError(
            f"the record's engine is {recorded.get('engine')!r}, which is not started because a "
            "record says so; every engine gives the same table: type data.engine=duckdb."
        )
    if "path" in override_keys:
        return
    path = str(_recorded_path(recorded, "path"))
    _check_file_count(path)
    found = locate_log(path, None)
    if found.is_database:
        raise RetainError(_type_it_message(found.kind, path))


def _recorded_path(recorded: Mapping[str, Any], key: str) -> Path:
    """Return the recorded path of the data, if it is on this machine."""
    path = recorded.get(key)
    if not isinstance(path, str) or "\0" in path:
        raise RetainError(f"the record's data.{key} is {path!r}; type data.{key}=PATH.")
    if "${" in path:
        raise RetainError(
            f"the record takes data.{key} from the environment, which is not read because a record "
            f"says so; type data.{key}=PATH."
        )
    if "://" in path:
        raise RetainError(_type_it_message("database", strip_password(path)))
    return Path(path)


def _type_it_message(kind: str, path: str) -> str:
    return (
        f"the record names a {kind}, {path!r}, and none is asked because a record says so. If it "
        f"is yours, type {type_value('data.path', path)}"
    )


def _check_file_count(path: str) -> None:
    """Raise a ``RetainError`` if a folder or pattern has too many files to search."""
    base = Path(path)
    while has_magic(str(base)) and not base.exists():
        base = base.parent
    if not base.is_dir():
        return
    entries = (1 for _, folders, files in os.walk(base) for _ in (*folders, *files))
    if sum(islice(entries, MAX_FILES + 1)) > MAX_FILES:
        found = f"the record's {path!r} leads to more than {MAX_FILES} files and folders"
        raise RetainError(f"{found}; if they are yours, type " + type_value("data.path", path))


CHECKS: Mapping[str, Callable[[Mapping[str, Any], Collection[str]], None]] = {
    "retain.customers.demo.read": _check_demo,
    "retain.customers.table.read": _check_table,
    "retain.customers.contract.reader.read": _check_folder,
    "retain.customers.purchases.source.read": _check_log,
}
"""The check of each reader; no other reader is called for a record."""
