"""``retain-verify``: whether a verdict and its campaigns are as they were written.

Exit codes: 0 all agrees, 1 something does not, 2 there is nothing to verify, it cannot be read, or
memory is full, 70 a bug of retain.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from retain.cli.overrides import Arguments
from retain.cli.run import run_command
from retain.cli.terminal.output import write_json
from retain.errors import RetainError
from retain.storage.paths import parse_path

if TYPE_CHECKING:
    from retain.schema.verify import Verify

DISAGREES = 1
"""Exit code for a file or a number that does not agree."""


def main() -> None:
    """Run the console command ``retain-verify``."""
    sys.exit(run_command(verify, sys.argv[1:], "verify"))


def verify(line: Arguments) -> int:
    """Verify the verdict and the campaigns in a folder, and print what was held against what."""
    from retain.cli.ci_sections import add_verification
    from retain.cli.terminal.console import console
    from retain.cli.terminal.verification import print_verification
    from retain.record.documents import to_tree
    from retain.workflows.verification.verify import verify as verify_folder

    config = _config(line)
    if config.dir is None:
        raise RetainError("no folder is named; type retain-verify FOLDER.")
    document = verify_folder(parse_path("dir", config.dir))
    print_verification(console(), document)
    add_verification(line.report, document)
    if line.json:
        write_json(to_tree(document))
    return 0 if document.agrees else DISAGREES


def _config(line: Arguments) -> Verify:
    from retain.cli.compose import Composer
    from retain.schema.parsing import parse
    from retain.schema.verify import Verify

    with Composer(line, "verify") as composer:
        return parse(Verify, composer.one())
