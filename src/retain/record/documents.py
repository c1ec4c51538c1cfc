"""Reading and writing of JSON documents by their classes, whoever wrote the file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar, get_args

from pydantic import ConfigDict, Field, ValidationError

from retain.errors import RetainError
from retain.schema.parsing import Config, problem_messages
from retain.storage.reading import MAX_TEXT_BYTES, parse_json, read_bytes
from retain.storage.schemas import check_schema
from retain.storage.writing import write_text

ConfigT = TypeVar("ConfigT", bound=Config)
optional: Callable[..., Any] = partial(Field, default=None, exclude_if=lambda value: value is None)
"""The field of a key that is left out where there is nothing to say."""
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Identity = Annotated[str, Field(pattern="^[0-9a-f]{8}$")]
"""The id of a run, of a campaign or of the readout of a trial."""


class CautionInfo(Config):
    """A warning: its code, and the names and numbers of its text as further keys."""

    model_config = ConfigDict(extra="allow")

    code: str
    message: str | None = optional()

    @classmethod
    def of(cls, code: str, message: str | None = None, /, **numbers: Any) -> Self:
        """Return a warning with the names and numbers of its text."""
        return cls.model_validate({"code": code, "message": message, **numbers})

    @property
    def numbers(self) -> Mapping[str, Any]:
        """The names and numbers of its text."""
        return self.model_extra or {}


class SavedFile(Config):
    """A file next to a document, and its SHA-256."""

    file: Annotated[str, Field(pattern=r"^\w[\w.-]*$")]
    sha256: Sha256


def to_tree(document: Config) -> dict[str, Any]:
    """Return a document in JSON's types."""
    return document.model_dump(mode="json", by_alias=True)


def to_text(document: Config) -> str:
    """Return a document as JSON, the same text for the same content."""
    return json.dumps(to_tree(document), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def write_document(document: Config, path: Path) -> None:
    """Write a document as JSON, in one step."""
    write_text(path, to_text(document))


def content_id(tree: Mapping[str, Any]) -> str:
    """Return the id that a document has in itself: eight hex digits of the hash of the rest.

    >>> content_id({"seed": 0}) == content_id({"id": "any", "seed": 0})
    True
    """
    content = {key: value for key, value in tree.items() if key != "id"}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]


def parse_document(kind: type[ConfigT], text: str | bytes, where: str) -> ConfigT:
    """Return the document in a JSON text.

    Raises
    ------
    RetainError
        With the first problem and its place.
    """
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        problem = problem_messages(kind, error)[0]
        raise RetainError(
            f"{where} is not {_noun(kind)} this version can read: {problem}"
        ) from None


def read_document(
    kind: type[ConfigT],
    path: Path,
    *,
    max_bytes: int = MAX_TEXT_BYTES,
    within: Path | None = None,
) -> tuple[dict[str, Any], ConfigT]:
    """Return the document in a file, as plain values and validated.

    Raises
    ------
    RetainError
        If the file is too large, no JSON, of another schema, or its keys are not those of ``kind``.
    """
    content = read_bytes(path, max_bytes=max_bytes, within=within)
    tree = parse_json(content, str(path))
    if not isinstance(tree, dict):
        raise RetainError(f"{path} holds no object; expected {{…}}.")
    check_schema(tree.get("schema"), _schema_of(kind), path)
    return tree, parse_document(kind, content, str(path))


def _schema_of(kind: type[Config]) -> int:
    """Return the number of the schema, the only value of its field."""
    annotation = kind.model_fields["schema_"].annotation
    literal = next((one for one in get_args(annotation) if get_args(one)), annotation)
    return int(get_args(literal)[0])


def _noun(kind: type[Config]) -> str:
    return f"a {kind.__name__.removesuffix('Document').lower()}"
