"""``retain-compare trees=[MAIN,BRANCH]``: what changed from one tree to another.

Exit codes: 0 done, 1 a run or a verdict could not be read, 3 the gate is not met.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retain.cli.ci_sections import add_trees
from retain.cli.overrides import Arguments
from retain.cli.terminal.console import console
from retain.cli.terminal.output import write_json
from retain.cli.terminal.trees import print_trees
from retain.errors import RetainError
from retain.record.documents import to_tree
from retain.verdict.paired import METRIC
from retain.workflows.trees import compare_trees

if TYPE_CHECKING:
    from retain.record.trees_document import StudyChange, TreesDocument
    from retain.schema.compare import Compare

DONE, UNREADABLE, MISSED = 0, 1, 3
"""Exit codes."""
KEYS = ("trees", "trees_gate", "selection.alpha", "selection.rope", "report.language")
"""All keys that a comparison of trees reads."""


def compare(line: Arguments, config: Compare) -> int:
    """Print what changed between two trees, and return the exit code."""
    _check_keys(line.overrides)
    found = compare_trees(config)
    print_trees(console(), found, config.report.language)
    failed = {one.study for one in found.studies if is_missed(one, config.trees_gate)}
    if config.trees_gate == "unclear":
        failed |= {*found.gone_studies}
    add_trees(line.report, found, failed, config.report.language)
    if line.json:
        write_json(to_tree(found))
    if failed:
        return MISSED
    return UNREADABLE if _any_unreadable(found) else DONE


def _check_keys(overrides: Sequence[str]) -> None:
    """Raise a ``RetainError`` if a key was typed that has no effect here."""
    typed = [text.lstrip("+~").partition("=")[0] for text in overrides]
    if other := [key for key in typed if key not in KEYS]:
        listed = ", ".join(KEYS[1:])
        raise RetainError(
            f"{other[0]!r} has no effect with trees=[MAIN,BRANCH]; expected no other key than "
            f"{listed}."
        )


def is_missed(change: StudyChange, gate: str) -> bool:
    """Return whether the change of a study fails a gate."""
    if gate == "none":
        return False
    if gate == "unclear":
        return change.conclusion in ("worse", "unclear", "incomparable")
    fell = any(one.metric == METRIC and one.n_worse for one in change.metrics)
    return change.conclusion == "worse" or (gate == "any_worse" and fell)


def _any_unreadable(found: TreesDocument) -> bool:
    return bool(found.outside) or any(one.unreadable for one in found.studies)
