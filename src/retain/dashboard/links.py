"""The targets of the links of a page: to the server, or to files beside the page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode

MAX_COMPARED = 8
"""Maximum number of runs beside each other."""


class Links(Protocol):
    """The addresses of all pages; None where a page is not there."""

    @property
    def live(self) -> bool:
        """True if pages can ask for progress."""

    def home(self) -> str:
        """Return the address of the studies."""

    def runs(self, studies: Sequence[str]) -> str | None:
        """Return that of the runs of studies, of all studies if none is named."""

    def compare(self, runs: Sequence[tuple[str, str]]) -> str | None:
        """Return that of a comparison of runs, each a study and an id."""

    def history(self, study: str) -> str:
        """Return that of the history of a study."""

    def campaigns(self) -> str:
        """Return that of the campaigns of all studies."""

    def trees(self) -> str | None:
        """Return that of the comparison with another folder."""

    def report(self, study: str) -> str | None:
        """Return that of the verdict's own page."""

    def script_data(self) -> dict[str, object]:
        """Return what the script needs to link a comparison of pinned runs."""


@dataclass(frozen=True)
class ServerLinks:
    """Addresses of the server, relative to its root."""

    live: bool = True

    def home(self) -> str:
        """Return the address of the studies."""
        return "./"

    def runs(self, studies: Sequence[str]) -> str | None:
        """Return that of the runs of studies, of all studies if none is named."""
        return _query("runs", [("study", name) for name in studies])

    def compare(self, runs: Sequence[tuple[str, str]]) -> str | None:
        """Return that of a comparison of runs."""
        return _query("compare", [("run", f"{study}/{id_}") for study, id_ in runs])

    def history(self, study: str) -> str:
        """Return that of the history of a study."""
        return _query("history", [("study", study)])

    def campaigns(self) -> str:
        """Return that of the campaigns of all studies."""
        return "campaigns"

    def trees(self) -> str | None:
        """Return that of the comparison with another folder."""
        return "trees"

    def report(self, study: str) -> str | None:
        """Return that of the verdict's own page."""
        return _query("report", [("study", study)])

    def script_data(self) -> dict[str, object]:
        """Return what the script needs to link a comparison of pinned runs."""
        return {"compare": "compare?", "most": MAX_COMPARED}


@dataclass(frozen=True)
class FileLinks:
    """Names of files beside each other.

    Attributes
    ----------
    slugs
        The part of file names that stands for a study.
    compared
        The runs of each study that its page of comparison holds, by id.
    has_all_runs
        True if there is a page with the runs of all studies.
    has_trees
        True if there is one of the comparison with another folder.
    """

    slugs: Mapping[str, str]
    compared: Mapping[str, tuple[str, ...]]
    has_all_runs: bool
    has_trees: bool = False
    live: bool = False

    def home(self) -> str:
        """Return the file of the studies."""
        return "index.html"

    def runs(self, studies: Sequence[str]) -> str | None:
        """Return that of the runs of one study, or of all studies."""
        named = studies or tuple(self.slugs)
        if len(named) == 1:
            return f"runs-{self.slugs[named[0]]}.html"
        return "runs.html" if named and self.has_all_runs else None

    def compare(self, runs: Sequence[tuple[str, str]]) -> str | None:
        """Return that of a comparison, None if it does not hold all these runs."""
        studies = {study for study, _ in runs}
        held = self.compared.get(next(iter(studies)), ()) if len(studies) == 1 else ()
        is_there = bool(runs) and all(id_ in held for _, id_ in runs)
        return f"compare-{self.slugs[next(iter(studies))]}.html" if is_there else None

    def history(self, study: str) -> str:
        """Return that of the history of a study."""
        return f"history-{self.slugs[study]}.html"

    def campaigns(self) -> str:
        """Return that of the campaigns of all studies."""
        return "campaigns.html"

    def trees(self) -> str | None:
        """Return that of the comparison with another folder."""
        return "trees.html" if self.has_trees else None

    def report(self, study: str) -> str | None:  # noqa: ARG002 - a report names customers
        """Return None: the verdict's page names customers, and stays where it is."""
        return None

    def script_data(self) -> dict[str, object]:
        """Return what the script needs to link a comparison of pinned runs."""
        pages = {
            study: [f"compare-{self.slugs[study]}.html", list(ids)]
            for study, ids in self.compared.items()
        }
        return {"compared": pages, "most": MAX_COMPARED}


def name_slugs(studies: Sequence[str]) -> dict[str, str]:
    """Return a distinct safe part of a file name for each study.

    >>> name_slugs(["models", "a b", "a/b"])
    {'models': 'models', 'a b': 'a-b', 'a/b': 'a-b-2'}
    """
    slugs: dict[str, str] = {}
    for study in studies:
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", study)[:60].strip("-") or "study"
        taken = {slug.lower() for slug in slugs.values()}
        numbered = (plain if n == 1 else f"{plain}-{n}" for n in range(1, len(studies) + 1))
        slugs[study] = next(slug for slug in numbered if slug.lower() not in taken)
    return slugs


def _query(path: str, pairs: Sequence[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(pairs)}" if pairs else path
