"""The comparison of two trees: folders of outputs, or of one study each. Writes nothing.

Neither the data nor the machine that made a tree is needed: records, scores and verdicts are read,
and none of them is believed. What cannot be read is named, not left out silently.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from retain.errors import RetainError, type_value
from retain.learning.scores import Scores
from retain.record.comparison_document import ScoreChange
from retain.record.study import StudyDirectory
from retain.record.trees_document import BestChange, StudyChange, TreesDocument, UnreadableRun
from retain.report.text.trees import study_sentence
from retain.report.text.words import words
from retain.schema.compare import Compare, ComparisonConfig
from retain.storage.paths import is_inside, parse_path
from retain.verdict.difference import largest_changes
from retain.verdict.trees.study_change import StudyRuns, TreeTests, compare_study
from retain.workflows.runs import try_read_scores
from retain.workflows.tree_study import MAX_REASON, Side, printable, read_study

_SIDES: tuple[Side, Side] = ("main", "branch")
CONFIDENCE = 0.95
"""Level at which the intervals of all studies cover at once."""


@dataclass(frozen=True)
class _Tree:
    """A tree as it was typed: its studies by name, and folders that lead out of it.

    ``alone`` is true of a tree that is one study, which is compared whatever its name.
    """

    studies: dict[str, StudyDirectory]
    alone: bool
    outside: tuple[UnreadableRun, ...]


def compare_trees(config: Compare) -> TreesDocument:
    """Return what changed from the first of ``config.trees`` to the second, study by study.

    Raises
    ------
    RetainError
        If they are not two readable folders with runs, or have no study in common.
    """
    return compare_folders(*_check_two(config.trees), config.selection)


def compare_folders(main: str, branch: str, selection: ComparisonConfig) -> TreesDocument:
    """Return what changed from the folder ``main`` to the folder ``branch``, likewise."""
    try:
        return _compare_folders((main, branch), selection)
    except OSError as error:
        raise RetainError.at(
            "trees", f"{error.filename} cannot be read: {error.strerror}", "expected two folders"
        ) from None


def _compare_folders(typed: tuple[str, str], selection: ComparisonConfig) -> TreesDocument:
    main, branch = (_open_tree(text, side) for text, side in zip(typed, _SIDES, strict=True))
    pairs = _pair_studies(main, branch, typed)
    level = 1 - (1 - CONFIDENCE) / len(pairs) if len(pairs) > 1 else CONFIDENCE
    tests = TreeTests(selection.rope, selection.alpha, level)
    return TreesDocument(
        main=printable(typed[0]),
        branch=printable(typed[1]),
        studies=tuple(_compare(name, (one, other), tests) for name, (one, other) in pairs.items()),
        new_studies=_missing(branch, main),
        gone_studies=_missing(main, branch),
        outside=(*main.outside, *branch.outside),
    )


def _check_two(trees: tuple[str, ...] | None) -> tuple[str, str]:
    if trees is None or len(trees) != 2:
        found = f"it names {len(trees or ())} folders"
        raise RetainError.at("trees", found, "expected two: trees=[MAIN,BRANCH]")
    return trees[0], trees[1]


def _open_tree(text: str, side: Side) -> _Tree:
    path = parse_path("trees", text)
    if not path.is_dir():
        expected = "expected a folder of outputs, or of one study: trees=[MAIN,BRANCH]"
        raise RetainError.at("trees", f"{text!r} is not a folder", expected)
    if _has_runs(path):
        return _Tree({printable(path.resolve().name): StudyDirectory(path)}, True, ())
    folders = [one for one in sorted(path.iterdir()) if one.is_dir()]
    outside = tuple(
        UnreadableRun(tree=side, folder=printable(one.name), reason="a link that leads out")
        for one in folders
        if not is_inside(one, path)
    )
    inside = [one for one in folders if is_inside(one, path) and _has_runs(one)]
    if not inside:
        found = f"{text!r} holds no run, and no study with runs"
        raise RetainError.at("trees", found, "expected a folder of outputs, or of one study")
    return _Tree({printable(one.name): StudyDirectory(one) for one in inside}, False, outside)


def _has_runs(path: Path) -> bool:
    return next(StudyDirectory(path).runs(), None) is not None


def _pair_studies(
    main: _Tree, branch: _Tree, typed: tuple[str, str]
) -> dict[str, tuple[StudyDirectory, StudyDirectory]]:
    """Return the studies of both trees by name; two trees of one study each are one pair."""
    if main.alone and branch.alone:
        ((name, one),), (other,) = main.studies.items(), branch.studies.values()
        return {name: (one, other)}
    common = [name for name in main.studies if name in branch.studies]
    if common and main.alone == branch.alone:
        return {name: (main.studies[name], branch.studies[name]) for name in common}
    listed = " and ".join(
        f"{text!r} {'is one study' if tree.alone else 'holds ' + ', '.join(tree.studies)}"
        for text, tree in zip(typed, (main, branch), strict=True)
    )
    both = [next(iter(tree.studies.values())).path for tree in (main, branch)]
    instead = ""
    if both[0].resolve() != both[1].resolve():
        line = type_value("trees", list(map(str, both)))
        instead = f" To compare two studies of any names: retain-compare {line}"
    raise RetainError(
        f"trees: {listed[:MAX_REASON]}; expected two folders with a study of the same name, or two "
        f"studies.{instead}"
    )


def _missing(tree: _Tree, other: _Tree) -> tuple[str, ...]:
    """Return the names of the studies of one tree that the other lacks."""
    if tree.alone:
        return ()
    return tuple(name for name in tree.studies if name not in other.studies)


def _compare(
    name: str, studies: tuple[StudyDirectory, StudyDirectory], tests: TreeTests
) -> StudyChange:
    main, branch = (read_study(one, side) for one, side in zip(studies, _SIDES, strict=True))
    change = compare_study(name, main, branch, tests)
    changed = {
        "summary": words("en").plain(study_sentence(change)),
        "largest_changes": _compare_customers(change.best, studies, (main, branch)),
    }
    return change.model_copy(update=changed)


def _compare_customers(
    best: BestChange | None,
    studies: tuple[StudyDirectory, StudyDirectory],
    runs: tuple[StudyRuns, StudyRuns],
) -> tuple[ScoreChange, ...]:
    """Return the customers whose risk by the best run differs most, if they are the same."""
    if best is None or not best.is_paired:
        return ()
    main, branch = (
        _read_best(study, one, id_)
        for study, one, id_ in zip(studies, runs, (best.main.id, best.branch.id), strict=True)
    )
    if main is None or branch is None:
        return ()
    return tuple(one for one in largest_changes(main, branch) if one.a != one.b)


def _read_best(study: StudyDirectory, runs: StudyRuns, id_: str) -> Scores | None:
    record = next(one for one in runs.records if one.id == id_)
    run = next(one for one in study.runs() if one.path.name.endswith(f"-{id_}"))
    return try_read_scores(run, record)
