"""Records read back: one, or thousands that share what they have in common.

May import: errors, schema.
"""

from __future__ import annotations

import json
import marshal
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from retain.errors import RetainError
from retain.record.facts import SCHEMA, Record

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

    def read(self, path: Path) -> Record | None:
        """The record in a file, or None where there is no file.

        Raises
        ------
        RetainError
            When the file is no record this version can read.
        """
        try:
            text = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise RetainError(f"{path} cannot be read: {error}.") from None
        begin, end = _contract(text)
        contract = text[begin:end]
        record = self._without(contract, text[:begin] + EMPTY + text[end:])
        if record is None:
            record = _parsed(text, path)
            self._contracts[contract] = record.config.get("data")
        for key, node in record.config.items():
            if key != "data":
                record.config[key] = self._nodes.setdefault(marshal.dumps(node, 2), node)
        return record

    def _without(self, contract: bytes, text: bytes) -> Record | None:
        """The record with a contract that was read before; None where it was not, or not there."""
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
    """Where the value of ``config.data`` stands in the text of a record; nowhere if it does not."""
    begin = text.find(OPENS)
    end = text.find(CLOSES, begin)
    return (0, 0) if begin < 0 or end < 0 else (begin + len(OPENS) - 1, end + len(CLOSES))


def _parsed(text: bytes, path: Path) -> Record:
    try:
        record = Record.model_validate_json(text)
    except ValidationError as error:
        raise _refused(text, path, error) from None
    if record.schema_ != SCHEMA:
        raise _of_schema(record.schema_, path)
    return record


def _refused(text: bytes, path: Path, error: ValidationError) -> RetainError:
    """What is wrong with a file that is no record."""
    try:
        tree = json.loads(text)
    except UnicodeDecodeError as undecoded:
        return RetainError(f"{path} cannot be read: {undecoded}.")
    except json.JSONDecodeError as broken:
        return RetainError(f"{path} is not JSON: {broken}. Delete it and run the line again.")
    found = tree.get("schema") if isinstance(tree, dict) else None
    if found != SCHEMA:
        return _of_schema(found, path)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return RetainError(f"{path} is no record of a run: {where}: {first['msg']}.")


def _of_schema(found: object, path: Path) -> RetainError:
    return RetainError(f"{path} has schema {found!r}; this version reads schema {SCHEMA}.")
