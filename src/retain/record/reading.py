"""Reading of records, one or thousands with shared nodes."""

from __future__ import annotations

import marshal
from collections import deque
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from retain.errors import RetainError
from retain.record.document import SCHEMA, Record
from retain.storage.parquet import check_parquet_ends
from retain.storage.reading import MIB, MissingFileError, check_tree, parse_json, read_bytes
from retain.storage.schemas import check_schema

RECORD_BYTES = 16 * MIB
"""Maximum size of a record; a large contract makes about 30 KiB."""
DATA_START, DATA_END, NO_DATA = b'\n  "data": {', b"\n  }", b"null"
"""Start and end of ``config.data`` in the text of a record."""


SHARED = ("data", "split", "checks", "environment", "git", "warnings")
"""Parts of a record that the runs of a sweep have in common."""
MAX_ALIKE = 8
"""Values of a part that a record is held against, the last ones that were new."""


class Reader:
    """Reader of records that keeps each distinct config node and shared part in memory once.

    The data contract is most of a record and the same in all runs of a sweep: an identical text is
    parsed once.
    """

    def __init__(self) -> None:
        self._nodes: dict[bytes, Any] = {}
        self._contracts: dict[bytes, Any] = {}
        self._parts: dict[str, deque[Any]] = {name: deque(maxlen=MAX_ALIKE) for name in SHARED}
        self.kept_bytes = 0
        """Size of the distinct nodes read so far, for a caller with limited memory."""

    def read(self, path: Path, *, within: Path | None = None) -> Record | None:
        """Return the record in a file, or None if there is no file.

        ``within`` is a folder that must contain the file after links are resolved.

        Raises
        ------
        RetainError
            If this version cannot read the file.
        """
        try:
            text = read_bytes(path, max_bytes=RECORD_BYTES, within=within)
        except MissingFileError:
            return None
        begin, end = _contract_span(text)
        contract = text[begin:end]
        record = self._without(contract, text[:begin] + NO_DATA + text[end:])
        if record is None:
            record = _parse_record(text, path)
            check_tree(record.config.get("data"), f"{path}: config.data")
            self._contracts[contract] = record.config.get("data")
            self.kept_bytes += len(contract)
        for key, node in record.config.items():
            if key != "data":
                record.config[key] = self._deduplicate(node, f"{path}: config.{key}")
        for name, kept in self._parts.items():
            self._share(record, name, kept)
        if record.tuning is not None:
            check_tree(record.tuning.model_dump(), f"{path}: tuning")
        return record

    def _share(self, record: Record, name: str, kept: deque[Any]) -> None:
        """Let a record hold the equal part of one read before."""
        part = getattr(record, name)
        for one in kept:
            if one == part:
                vars(record)[name] = one  # the same value: a record stays as it is
                return
        kept.append(part)

    def _deduplicate(self, node: Any, where: str) -> Any:
        """Return an equal node read before, or this one after a check."""
        dump = marshal.dumps(node, 2)
        if dump not in self._nodes:
            check_tree(node, where)
            self._nodes[dump] = node
            self.kept_bytes += len(dump)
        return self._nodes[dump]

    def _without(self, contract: bytes, text: bytes) -> Record | None:
        """Return the record if its contract was read before, or None."""
        if not contract or contract not in self._contracts:
            return None
        try:
            record = Record.model_validate_json(text)
        except ValidationError:
            return None
        if record.schema_ != SCHEMA or record.config.get("data", NO_DATA) is not None:
            return None
        record.config["data"] = self._contracts[contract]
        return record


def _contract_span(text: bytes) -> tuple[int, int]:
    """Return the span of ``config.data`` in the text of a record, empty if it has none."""
    begin = text.find(DATA_START)
    end = text.find(DATA_END, begin)
    return (0, 0) if begin < 0 or end < 0 else (begin + len(DATA_START) - 1, end + len(DATA_END))


def _parse_record(text: bytes, path: Path) -> Record:
    try:
        record = Record.model_validate_json(text)
    except ValidationError as error:
        raise _parse_error(text, path, error) from None
    check_schema(record.schema_, SCHEMA, path)
    return record


def _parse_error(text: bytes, path: Path, error: ValidationError) -> RetainError:
    """Return the error for a file that is not a record."""
    try:
        tree = parse_json(text, str(path))
    except RetainError as broken:
        return broken
    schema = tree.get("schema") if isinstance(tree, dict) else None
    try:
        check_schema(schema, SCHEMA, path)
    except RetainError as other:
        return other
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return RetainError(f"{path} is not the record of a run: {where}: {first['msg']}.")


def check_scores_size(path: Path, size: int | None, *, within: Path | None = None) -> None:
    """Raise a ``RetainError`` if ``scores.parquet`` is missing or has not the recorded size."""
    check_parquet_ends(path, within=within)
    actual = path.stat().st_size
    if size is not None and actual != size:
        raise RetainError(f"{path} has {actual} bytes, and its record says {size}.")
