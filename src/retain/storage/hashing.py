"""What tells one set of files from another: a hash of their names and contents.

May import: nothing of the package.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

COMPILED = "__pycache__"
"""The folder in which Python keeps what it makes of sources, which differs without their doing."""


def hash_folder(folder: Path, *, without: tuple[str, ...] = ()) -> str:
    """Return a SHA-256 (64 hex digits) of every file in ``folder``, however deep.

    Parameters
    ----------
    without
        Names of folders at the first level that are left out.
    """
    digest = hashlib.sha256()
    files = (path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder): path for path in files}
    for name in sorted(named):
        if COMPILED in name.parts or name.parts[0] in without:
            continue
        content = hashlib.sha256(named[name].read_bytes()).digest()
        digest.update(name.as_posix().encode() + b"\0" + content)
    return digest.hexdigest()
