"""The dashboard as static files, for somebody without the outputs."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from retain.dashboard.index import OutputsIndex, StudyIndex
from retain.dashboard.links import MAX_COMPARED, FileLinks, name_slugs
from retain.dashboard.pages import DashboardPages
from retain.dashboard.rows import RunRow, rank_runs
from retain.dashboard.trees import TreesComparison
from retain.errors import RetainError
from retain.storage.transaction import exchange
from retain.storage.writing import write_text

FOLD_BYTES = 600_000
"""Size of the fold values on a page: 10,000 runs of ten folds stay below 2 MB."""
MAX_TOGETHER = 10_000
"""Runs of all studies that have a page together."""
MARK = "retain-dashboard.txt"
"""A file that an export has, by which a later one knows that it may replace it."""


def export_site(  # noqa: PLR0913 - what a user may choose
    index: OutputsIndex,
    folder: Path,
    title: str,
    language: str,
    *,
    hashed_ids: bool,
    trees: TreesComparison | None = None,
) -> int:
    """Write every page into a new folder or that of an earlier export; return their number.

    ``trees`` is what changed from another folder, which has a page if it is there. With
    ``hashed_ids`` customers are called by a hash that nobody can compute again, and reasons of
    failed runs are left out, since they may quote customers.

    Raises
    ------
    RetainError
        If the folder holds anything else, or cannot be written.
    """
    _check_replaceable(folder)
    compared = {study.name: _leaders(study) for study in index.studies}
    links = FileLinks(
        slugs=name_slugs([study.name for study in index.studies]),
        compared={name: tuple(row.id for row in rows) for name, rows in compared.items() if rows},
        has_all_runs=sum(len(study.rows) for study in index.studies) <= MAX_TOGETHER,
        has_trees=trees is not None,
    )
    hide = _make_hash() if hashed_ids else None
    pages = DashboardPages(index, links, language, title, FOLD_BYTES, hide)
    staging = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    try:
        n_pages = 0
        for name, text in _iter_pages(pages, links, compared, trees):
            write_text(staging / name, text, durable=False)
            n_pages += 1
        write_text(staging / MARK, "Written by retain-dashboard export=FOLDER.\n", durable=False)
        _put(staging, folder)
    except OSError as error:
        raise RetainError.unwritable(folder, error, "export=FOLDER") from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return n_pages


def _iter_pages(
    pages: DashboardPages,
    links: FileLinks,
    compared: dict[str, list[RunRow]],
    trees: TreesComparison | None,
) -> Iterator[tuple[str, str]]:
    yield links.home(), pages.studies()
    yield links.campaigns(), pages.campaigns()
    if trees is not None:
        yield str(links.trees()), pages.trees(trees)
    together = links.runs([])
    if together is not None and len(links.slugs) > 1:
        yield together, pages.runs(pages.index.studies)
    for study in pages.index.studies:
        yield str(links.runs([study.name])), pages.runs([study])
        yield links.history(study.name), pages.history(study)
        if rows := compared[study.name]:
            file = links.compare([(study.name, row.id) for row in rows])
            yield str(file), pages.compare(rows)


def _leaders(study: StudyIndex) -> list[RunRow]:
    """Return the runs that a study's page of comparison holds: winner or best, tied, next best."""
    done = [row for row in rank_runs(study.rows) if row.state == "done"]
    verdict = study.verdict
    winner = verdict.winner if verdict else ""
    tied = verdict.tied if verdict else frozenset()
    done.sort(key=lambda row: (row.id != winner, row.id not in tied))
    return done[:MAX_COMPARED]


def _make_hash() -> Callable[[str], str]:
    """Return a hash of ids by a key that is kept nowhere: the same id has one within an export."""
    key = secrets.token_bytes(32)

    def hide(id_: str) -> str:
        return hmac.new(key, id_.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()[:12]

    return hide


def _check_replaceable(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise RetainError.at("export", f"{folder} is no folder", "expected a new folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).is_file():
        found = f"{folder} holds other files"
        raise RetainError.at("export", found, "expected a new folder, or an earlier export")


def _put(staging: Path, folder: Path) -> None:
    """Put the new folder in place in one step; the old one is removed."""
    if folder.is_dir():
        exchange(staging, folder)
    else:
        staging.rename(folder)
