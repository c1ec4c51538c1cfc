"""Records read back: one, or thousands that share what they have in common."""

from __future__ import annotations

import marshal
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from retain.errors import RetainError
from retain.record.facts import SCHEMA, Record
from retain.storage.parquet import check_parquet_ends
from retain.storage.reading import MIB, MissingFileError, check_tree, parse_json, read_bytes
from retain.storage.schemas import check_schema

RECORD_BYTES = 16 * MIB
"""Bytes of a record at most; those with a large contract have some 30 KiB."""
OPENS, CLOSES, EMPTY = b'\n  "data": {', b"\n  }", b"null"
"""Where the text of ``config.data`` begins and ends, as records are written."""


class Reader:
    """Reads records and holds each distinct node of their configs in memory once.

    The runs of a sweep repeat the same data contract, which is most of a record: its text is
    parsed once for all records that have it to the letter.
    """

    def __init__(self) -> None:
        self._nodes: dict[bytes, Any] = {}
        self._contracts: dict[bytes, Any] = {}

    def read(self, path: Path, *, within: Path | None = None) -> Record | None:
        """Return the record in a file, or None where there is no file.

        ``within`` is a folder that the file must lie in when all links are followed.

        Raises
        ------
        RetainError
            If the file is no record this version can read.
        """
        try:
            text = read_bytes(path, max_bytes=RECORD_BYTES, within=within)
        except MissingFileError:
            return None
        begin, end = _contract(text)
        contract = text[begin:end]
        record = self._without(contract, text[:begin] + EMPTY + text[end:])
        if record is None:
            record = _parsed(text, path)
            check_tree(record.config.get("data"), f"{path}: config.data")
            self._contracts[contract] = record.config.get("data")
        for key, node in record.config.items():
            if key != "data":
                record.config[key] = self._one_of(node, f"{path}: config.{key}")
        if record.tuning is not None:
            check_tree(record.tuning.model_dump(), f"{path}: tuning")
        return record

    def _one_of(self, node: Any, where: str) -> Any:
        """Return the node that was read before and is the same, or this one, checked."""
        known = marshal.dumps(node, 2)
        if known not in self._nodes:
            check_tree(node, where)
            self._nodes[known] = node
        return self._nodes[known]

    def _without(self, contract: bytes, text: bytes) -> Record | None:
        """Return the record with a contract read before; None where there is none."""
        if not contract or contract not in self._contracts:
            return None
        try:
            record = Record.model_validate_json(text)
        except ValidationError:
            return None
        if record.schema_ != SCHEMA or record.config.get("data", EMPTY) is not None:
            return None
        record.config["data"] = self._contracts[contract]
        return record


def _contract(text: bytes) -> tuple[int, int]:
    """Return the span of ``config.data`` in the text of a record; empty where it has none."""
    begin = text.find(OPENS)
    end = text.find(CLOSES, begin)
    return (0, 0) if begin < 0 or end < 0 else (begin + len(OPENS) - 1, end + len(CLOSES))


def _parsed(text: bytes, path: Path) -> Record:
    try:
        record = Record.model_validate_json(text)
    except ValidationError as error:
        raise _refused(text, path, error) from None
    check_schema(record.schema_, SCHEMA, path)
    return record


def _refused(text: bytes, path: Path, error: ValidationError) -> RetainError:
    """Return the error for a file that is no record."""
    try:
        tree = parse_json(text, str(path))
    except RetainError as broken:
        return broken
    found = tree.get("schema") if isinstance(tree, dict) else None
    try:
        check_schema(found, SCHEMA, path)
    except RetainError as other:
        return other
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return RetainError(f"{path} is not the record of a run: {where}: {first['msg']}.")


def check_scores_size(path: Path, size: int | None, *, within: Path | None = None) -> None:
    """Raise a ``RetainError`` if ``scores.parquet`` is lost, cut, or of another size than recorded.

    It costs so little that thousands can be checked before a sweep.
    """
    check_parquet_ends(path, within=within)
    found = path.stat().st_size
    if size is not None and found != size:
        raise RetainError(f"{path} has {found} bytes, and its record says {size}.")
