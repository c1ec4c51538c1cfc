"""Write the parts of ``docs/reference`` that are made from the package.

    python docs/make_reference.py            writes the files
    python docs/make_reference.py --check    ends with 1 where a file is not up to date

Each page is made by the module of its name in ``docs/generate``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from generate import checks, config, documents

REFERENCE = Path(__file__).parent / "reference"


def texts() -> dict[Path, str]:
    """Return the text of each file, by its path."""
    pages = {
        "config.md": config.page(),
        "documents.md": documents.page(),
        "checks.md": checks.page(),
    }
    schemas = {f"schemas/{name}": text for name, text in documents.schemas().items()}
    return {REFERENCE / name: text for name, text in {**pages, **schemas}.items()}


def main() -> int:
    """Write the files, or with ``--check`` say which are not up to date."""
    outdated = {
        path: text
        for path, text in texts().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    }
    if "--check" in sys.argv[1:]:
        sys.stderr.writelines(
            f"{path} is not up to date; type: make reference\n" for path in outdated
        )
        return int(bool(outdated))
    for path, text in outdated.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
