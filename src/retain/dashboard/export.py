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
from retain.execution.plan import collect_environment
from retain.record.manifest import MANIFEST, check_manifest, write_manifest
from retain.storage.transaction import exchange
from retain.storage.writing import write_text

FOLD_BYTES = 600_000
"""Size of the fold values on a page: 10,000 runs of ten folds stay below 2 MB."""
MAX_TOGETHER = 10_000
"""Runs of all studies that have a page together."""


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
        write_manifest(staging, collect_environment().code_sha256)
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
    """Raise unless there is no such folder, or it is empty, or an export as it was written."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise RetainError.at("export", f"{folder} is no folder", "expected a new folder")
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if there and there != _exported(folder):
        found = f"{folder} holds what no export wrote"
        raise RetainError.at("export", found, "expected a new folder, or an export as it was made")


def _exported(folder: Path) -> set[str]:
    """Return the names of an untouched export's files, none if the folder is anything else."""
    try:
        files = check_manifest(folder)[0].files
    except RetainError:
        return set()
    pages = {name for name in files if name.endswith(".html")}
    return {*pages, MANIFEST} if len(pages) == len(files) else set()


def _put(staging: Path, folder: Path) -> None:
    """Put the new folder in place in one step; the old one is removed."""
    if folder.is_dir():
        exchange(staging, folder)
    else:
        staging.rename(folder)
