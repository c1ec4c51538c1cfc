"""Zip archives of models, looked through before a library unpacks them.

May import: errors.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

from retain.errors import RetainError
from retain.storage.reading import MIB, parse_json

MEMBERS = 200_000
"""Files in an archive at most; a forest of 500 trees has 5,000."""
UNPACKED_BYTES = 2048 * MIB
"""Bytes that all files of an archive unpack to at most."""
DESCRIPTION = "schema.json"
"""The file of a model's archive that says what the others are."""
DESCRIPTION_DEPTH = 100
"""Levels of a model's description at most; a calibrated pipeline has 30."""
BAD_ZIP = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError)
"""What Python's zip library raises: an unknown method or version, a password, a cut or a flip."""


def check_model_archive(found: bytes, path: Path) -> None:
    """Raise a ``RetainError`` if bytes are no archive of a model, or unpack to too much.

    A header may lie about a size; no more than it says is ever unpacked.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(found)) as archive:
            members = archive.infolist()
            size = sum(member.file_size for member in members)
            if len(members) > MEMBERS or size > UNPACKED_BYTES:
                told = f"{len(members):,} files that unpack to {size / MIB:,.0f} MiB"
                most = f"{MEMBERS:,} files and {UNPACKED_BYTES / MIB:,.0f} MiB"
                raise RetainError(f"{path} holds {told}; expected at most {most}.")
            text = archive.read(DESCRIPTION)
    except KeyError:
        raise RetainError(f"{path} is no model: it holds no {DESCRIPTION}.") from None
    except BAD_ZIP as error:
        raise RetainError(f"{path} cannot be read as a model: {error}.") from None
    where = f"{path}: {DESCRIPTION}"
    if not isinstance(parse_json(text, where, depth=DESCRIPTION_DEPTH), dict):
        raise RetainError(f"{where} holds no object; expected a model's.")
