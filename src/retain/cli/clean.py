"""``retain-clean``: what can go from a folder of outputs, and with ``--yes`` its removal.

Exit codes: 0 listed, or removed; 2 config or folder are invalid, or something is at work in it, 70
a bug of retain.
"""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from retain.cli.overrides import Arguments
from retain.cli.run import run_command
from retain.cli.terminal.output import write_json
from retain.errors import RetainError
from retain.storage.paths import parse_path

if TYPE_CHECKING:
    from retain.schema.clean import Clean


def main() -> None:
    """Run the console command ``retain-clean``."""
    sys.exit(run_command(clean, sys.argv[1:], "clean"))


def clean(line: Arguments) -> int:
    """List what can go from a folder of outputs, or remove it."""
    from retain.cli.ci_sections import add_cleaning
    from retain.cli.terminal.cleaning import print_cleaning
    from retain.cli.terminal.console import console
    from retain.record.documents import to_tree
    from retain.workflows.cleaning.clean import clean as clean_folder

    config = _config(line)
    if config.dir is None:
        raise RetainError("no folder is named; type retain-clean FOLDER.")
    document = clean_folder(parse_path("dir", config.dir), config)
    print_cleaning(console(), document, _removing_command(line, config.dir))
    add_cleaning(line.report, document)
    if line.json:
        write_json(to_tree(document))
    return 0


def _removing_command(line: Arguments, folder: str) -> str:
    """Return the line that removes what this one lists."""
    from retain.workflows.cleaning.outputs import type_folder

    others = (word for word in line.words if not word.startswith(("dir=", "remove=")))
    return " ".join(["retain-clean", type_folder(folder), *map(shlex.quote, others), "--yes"])


def _config(line: Arguments) -> Clean:
    from retain.cli.compose import Composer
    from retain.schema.clean import Clean
    from retain.schema.parsing import parse

    with Composer(line, "clean") as composer:
        return parse(Clean, composer.one())
