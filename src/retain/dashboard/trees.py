"""The comparison of the folder that is shown with another one, made anew when either changes."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from retain.dashboard.index import Signature, sign_file
from retain.dashboard.texts import shorten
from retain.dashboard.watch import FolderWatch
from retain.errors import RetainError, type_value
from retain.execution.executor import WorkerExecutor
from retain.record.study import StudyDirectory
from retain.record.trees_document import StudyChange, TreesDocument
from retain.report.text.trees import changed_runs
from retain.schema.compare import ComparisonConfig
from retain.storage.paths import is_inside
from retain.wording import describe_count
from retain.workflows.trees import compare_folders

LOG = logging.getLogger(__name__)
MAX_RUNS = 20_000
"""Runs of a tree that a page compares."""
MAX_STUDIES, MAX_DETAILED = 200, 20
"""Studies that a page names, and those that it shows with all tables."""
MAX_ROWS, LEAST_ROWS = 100, 10
"""Rows of a table of a single study, and of one of many."""
POLL_SECONDS, END_SECONDS = 0.2, 5.0
"""Between two looks at whether the watch is closed, and until its thread has ended."""
GRAVITY = ("worse", "incomparable", "unclear", "better", "not_worse", "same")
"""Conclusions in the order in which a reviewer wants to read them."""


@dataclass(frozen=True, eq=False)
class TreesComparison:
    """What changed from one folder to another, both as they were typed.

    Attributes
    ----------
    version
        A count that goes up with every comparison; 0 before the first.
    document
        None before the first comparison, and if there is none, for the reason ``problem``.
    """

    main: str
    branch: str
    version: int = 0
    document: TreesDocument | None = None
    problem: str = ""

    @property
    def studies(self) -> list[StudyChange]:
        """The studies of both folders, those that got worse first, as many as a page names."""
        found = () if self.document is None else self.document.studies
        return sorted(found, key=lambda one: GRAVITY.index(one.conclusion))[:MAX_STUDIES]

    @property
    def detailed_studies(self) -> list[StudyChange]:
        """The studies with all tables."""
        return self.studies[:MAX_DETAILED]

    @property
    def n_rows(self) -> int:
        """The number of rows that a table of a study has at most."""
        return max(LEAST_ROWS, MAX_ROWS // max(len(self.detailed_studies), 1))

    @property
    def ends(self) -> list[float]:
        """All numbers that the picture of the changes of the best runs shows."""
        found = [(one.best.difference, one.margin) for one in self.studies if one.best is not None]
        return [end for change, margin in found for end in (change.low, change.high, -margin)]


class TreesWatch(FolderWatch):
    """The comparison of two folders, as it was made last, by a process of its own.

    So no page waits for it, and its memory is given back. ``selection`` has the numbers that
    decide, as ``retain-compare`` has them.
    """

    def __init__(self, main: str, branch: str, selection: ComparisonConfig) -> None:
        super().__init__("trees")
        self._main, self._branch, self._selection = main, branch, selection
        self._signature: int | None = None
        self.comparison = TreesComparison(shorten(main), shorten(branch))

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._thread.join(END_SECONDS)

    def look(self) -> None:
        """Compare the folders if a record, scores or a verdict have changed since."""
        signature = hash((_sign_tree(self._main), _sign_tree(self._branch)))
        if signature != self._signature:
            document, problem = self._try_to_compare()
            if not self.is_closed:
                self._signature = signature
                version = self.comparison.version + 1
                self.comparison = replace(
                    self.comparison, version=version, document=document, problem=problem
                )

    def _try_to_compare(self) -> tuple[TreesDocument | None, str]:
        """Return what changed, or why that cannot be said."""
        try:
            return self._compare_apart(), ""
        except RetainError as error:
            return None, shorten(error)
        except Exception as error:  # whatever a folder holds, the other pages go on
            LOG.exception("%s and %s could not be compared", self._main, self._branch)
            return None, f"bug of retain: {type(error).__name__}"

    def _compare_apart(self) -> TreesDocument | None:
        """Return the comparison that a worker makes; None if the watch is closed meanwhile."""
        with WorkerExecutor(1) as executor:
            future = executor.submit("compare", self._main, self._branch, self._selection)
            while future.state != "done":
                executor.wait(POLL_SECONDS)
                if self.is_closed:
                    return None
            found: TreesDocument = future.result()
            return found


def compare_in_short(main: str, branch: str, selection: ComparisonConfig) -> TreesDocument:
    """Return what changed, with as many runs as a page shows; a job of workers.

    Raises
    ------
    RetainError
        If the folders cannot be compared, or have more runs than a page compares.
    """
    for text in (main, branch):
        n_runs = len(_sign_tree(text))
        if n_runs > MAX_RUNS:
            count = describe_count(n_runs, "run")
            typed = f"retain-compare {type_value('trees', [main, branch])}"
            expected = f"expected at most {MAX_RUNS:,}; without a limit: {typed}"
            raise RetainError.at("against", f"{text!r} holds {count}", expected)
    found = compare_folders(main, branch, selection)
    studies = (  # under the names that the pages of their runs have
        one.model_copy(
            update={"study": shorten(one.study), "runs": tuple(changed_runs(one)[:MAX_ROWS])}
        )
        for one in found.studies
    )
    return found.model_copy(update={"studies": tuple(studies)})


def _sign_tree(text: str) -> tuple[tuple[str, *tuple[Signature, ...]], ...]:
    """Return what changes with a record, scores or a verdict of a tree; empty if unreadable."""
    root = Path(text).expanduser()
    with suppress(OSError):
        folders = [path for path in sorted(root.iterdir()) if path.is_dir()]
        studies = [StudyDirectory(path) for path in folders if is_inside(path, root)]
        return tuple(
            (str(run.path), *map(sign_file, (run.record, run.scores, study.verdict_json)))
            for study in studies
            for run in study.runs()
        )
    return ()
