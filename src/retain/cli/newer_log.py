"""The newer purchase log of ``retain-readout campaign=ID data=purchases data.path=LOG``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retain.cli.overrides import Arguments
from retain.cli.recorded_source import overlay_typed, typed_keys
from retain.errors import RetainError

if TYPE_CHECKING:
    from collections.abc import Callable

    from retain.record.study import StudyDirectory
    from retain.schema.parsing import Node


NAME = "data=purchases"
USED = (
    "path",
    "table",
    "columns",
    "where",
    "exclude",
    "profit_unit",
    "format",
    "policy",
    "label",
    "snapshot",
    "memory_limit",
)
"""Keys of a log that outcomes depend on."""


def names_log(line: Arguments) -> bool:
    """Return whether a line says anything of data."""
    return any(key(text).split(".")[0] == "data" for text in line.overrides)


def without_name(line: Arguments) -> Arguments:
    """Return the line without ``data=purchases``, which would ask for all that is recorded."""
    kept = tuple(text for text in line.overrides if text.lstrip("+") != NAME)
    return replace(line, overrides=kept)


def key(text: str) -> str:
    """Return the key of an override."""
    return text.lstrip("+~").partition("=")[0]


def log_node(
    line: Arguments, typed: Node | None, study: StudyDirectory, compose: Callable[[], Node | None]
) -> Node:
    """Return the source of a newer log: the one of a study, with what was typed.

    Parameters
    ----------
    typed
        The ``data`` of the line without ``data=purchases``.
    compose
        Returns the ``data`` of the whole line, for a study that records no log.

    Raises
    ------
    RetainError
        No path is typed, a key says nothing of outcomes, or the columns are not known.
    """
    from retain.workflows.newer_log import find_recorded_log

    keys = typed_keys(line, "data")
    for one in keys:
        if one[0] not in USED:
            expected = f"expected one of data.{', data.'.join(USED)}"
            raise RetainError.at(f"data.{one[0]}", "it says nothing of outcomes", expected)
    if ("path",) not in keys:
        raise RetainError(
            "name the purchase log that holds what the customers did since: data.path=LOG."
        )
    recorded = find_recorded_log(study)
    if recorded is not None:
        return overlay_typed(line, typed or {}, {**recorded, "engine": "duckdb"})
    if typed is not None and "_target_" not in typed and NAME not in line.overrides:
        raise RetainError(
            f"{study.path} records no purchase log, so nothing says what its columns mean; type "
            f"{NAME} data.columns.customer=COLUMN data.columns.time=COLUMN, and the label that was "
            "predicted: data.label.KEY=VALUE."
        )
    return compose() or {}
