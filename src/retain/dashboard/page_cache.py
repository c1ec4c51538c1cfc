"""Pages of the newest index by the names in their address, kept until something changes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from retain.dashboard.index import OutputsIndex
from retain.dashboard.links import MAX_COMPARED, ServerLinks
from retain.dashboard.pages import DashboardPages
from retain.dashboard.trees import TreesComparison, TreesWatch
from retain.dashboard.watch import OutputsWatch

FOLD_BYTES = 3_000_000
"""Size of the fold values on a page of runs."""
KEPT_PAGES = 8


class PageCache:
    """The pages of a server. A method returns None for what is not there."""

    def __init__(
        self, watch: OutputsWatch, title: str, language: str, trees: TreesWatch | None = None
    ) -> None:
        self.watch, self.trees_watch = watch, trees
        self._title, self._language = title, language
        self._runs = lru_cache(KEPT_PAGES)(self._make_runs)
        self._compare = lru_cache(KEPT_PAGES)(self._make_comparison)
        self._trees = lru_cache(1)(self._make_trees)

    def studies(self) -> str:
        """Return the first page; never kept, since progress goes stale while no file changes."""
        return self._pages(self.watch.index).studies()

    def campaigns(self) -> str:
        """Return the page of all campaigns."""
        return self._pages(self.watch.index).campaigns()

    def not_found(self) -> str:
        """Return the page for what is not there."""
        return self._pages(self.watch.index).message("dash.not_found")

    def runs(self, studies: Sequence[str]) -> str | None:
        """Return the page with the runs of studies, of all without names."""
        return self._runs(self.watch.index, tuple(studies))

    def compare(self, runs: Sequence[str]) -> str | None:
        """Return the page of runs beside each other, each named as ``study/id``."""
        return self._compare(self.watch.index, tuple(dict.fromkeys(runs))[:MAX_COMPARED])

    def history(self, studies: Sequence[str]) -> str | None:
        """Return the page of the history of the one study that is named."""
        index = self.watch.index
        study = index.study(studies[0]) if len(studies) == 1 else None
        return None if study is None else self._pages(index).history(study)

    def trees(self) -> str:
        """Return the page of what changed from another folder."""
        compared = None if self.trees_watch is None else self.trees_watch.comparison
        return self._trees(self.watch.index, compared)

    def _make_trees(self, index: OutputsIndex, compared: TreesComparison | None) -> str:
        return self._pages(index).trees(compared)

    def _make_runs(self, index: OutputsIndex, names: tuple[str, ...]) -> str | None:
        studies = [study for name in names if (study := index.study(name)) is not None]
        if len(studies) != len(names):
            return None
        return self._pages(index).runs(studies or index.studies)

    def _make_comparison(self, index: OutputsIndex, names: tuple[str, ...]) -> str | None:
        parts = [name.rpartition("/") for name in names]
        rows = [row for study, _, id_ in parts if (row := index.run(study, id_)) is not None]
        return self._pages(index).compare(rows) if rows and len(rows) == len(names) else None

    def _pages(self, index: OutputsIndex) -> DashboardPages:
        return DashboardPages(index, ServerLinks(), self._language, self._title, FOLD_BYTES)
