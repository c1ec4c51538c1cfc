"""The cleaning of a folder of outputs: what would go, or what went.

Nothing that a result rests on goes. What is listed is what goes: it is looked for while no other
command can write results, and once more right before it is moved. Each thing is moved in one step,
so that every command can read the folder whenever this one is killed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import groupby
from pathlib import Path

from retain.errors import RetainError
from retain.schema.clean import Clean
from retain.schema.parsing import Config
from retain.storage.locks import try_lock
from retain.storage.snapshot import Snapshot
from retain.storage.trash import Trash
from retain.workflows.cleaning.cached import find_leftovers, find_tables
from retain.workflows.cleaning.findings import LEFTOVER, Category, Finding, Findings
from retain.workflows.cleaning.outputs import OutputsFolder, open_outputs
from retain.workflows.cleaning.references import find_references
from retain.workflows.cleaning.runs import find_runs

MAX_REASON = 300
"""Maximum number of characters of a reason."""


class GoingPart(Config):
    """Things of one kind that may go or went, why none is missed, and their size on disk."""

    category: Category
    name: str
    reason: str
    n_bytes: int
    paths: tuple[str, ...]


class StayingPart(Config):
    """Things that could go but for a reason, and how many they are."""

    name: str
    reason: str
    n: int


class CleaningDocument(Config):
    """Things that may go from a folder of outputs, or went, and things that stay.

    Attributes
    ----------
    dir
        The folder.
    is_removed
        Whether ``going`` was removed.
    n_foreign
        Number of files and folders in the folder and its studies that retain did not write.
    busy
        Why nothing can be removed now; null if it can.
    """

    dir: str
    is_removed: bool
    going: tuple[GoingPart, ...]
    staying: tuple[StayingPart, ...]
    n_foreign: int
    busy: str | None


def clean(folder: Path, config: Clean) -> CleaningDocument:
    """List what may go from a folder of outputs, and remove it if ``config.remove``.

    Raises
    ------
    RetainError
        If it is no folder of outputs, cannot be read or written, or is being worked in.
    """
    outputs = open_outputs(folder)
    if not config.remove:
        return _describe(folder, outputs, _find(outputs, config), outputs.find_activity())
    try:
        with _locked(outputs):
            if outputs.has_grown():  # nobody has locked what came
                added = "something was added to the folder"
                raise RetainError(f"{added}; nothing was removed. Type it again.")
            now = open_outputs(folder)  # results may have come until the studies were locked
            findings = _find(now, config)
            _remove(outputs, findings)
    except OSError as error:
        raise RetainError.unwritable(folder, error, "retain-clean FOLDER") from None
    return _describe(folder, now, findings, None, is_removed=True)


def _find(outputs: OutputsFolder, config: Clean) -> Findings:
    chosen: dict[Category, bool] = {
        "failed": config.failed,
        "outdated": config.outdated,
        "cached": config.cached,
    }
    findings = Findings(outputs.path, chosen, config.older_than)
    references = find_references(outputs)
    for study in outputs.studies:
        if study.name in references.unclear:
            findings.staying[f"all of {study.name}", references.unclear[study.name]] += 1
        else:
            find_leftovers(study, find_runs(study, references, findings), findings)
    find_tables(outputs, references, findings)
    return findings


@contextmanager
def _locked(outputs: OutputsFolder) -> Iterator[None]:
    """Keep other commands from writing results into the studies while the block runs.

    Raises
    ------
    RetainError
        If one of them, or a sweep, is at work.
    """
    with ExitStack() as locks:
        activity = outputs.find_activity()
        for study in outputs.studies if activity is None else ():
            if not locks.enter_context(try_lock(study.directory.lock)):
                activity = f"another command is at {study.name}"
        if activity is not None:
            raise RetainError(f"{activity}; nothing was removed. Type it again when it has ended.")
        yield


def _remove(outputs: OutputsFolder, findings: Findings) -> None:
    """Remove what may go; what changed since it was found stays.

    So does all once something is added to the folder, since nobody has locked it: it may be a
    study whose results name runs of others.
    """
    if not findings.going:
        return
    trash, gone = Trash(outputs.path), []
    trash.make()
    for finding in findings.going:
        if finding.kind is LEFTOVER:
            gone.append(finding)
        elif outputs.has_grown():
            findings.keep(finding.kind, "something was added to the folder meanwhile")
        elif _take(finding, outputs.path, trash):
            gone.append(finding)
        else:
            findings.keep(finding.kind, "they changed meanwhile, or cannot be moved")
    findings.going = gone
    trash.empty()


def _take(finding: Finding, folder: Path, trash: Trash) -> bool:
    """Move a thing into the trash if it is as it was found and no process is at it."""
    run = finding.run
    try:
        with ExitStack() as lock:
            is_free = run is None or not run.lock.exists() or lock.enter_context(try_lock(run.lock))
            if not is_free or Snapshot.of(folder / finding.path) != finding.snapshot:
                return False
            trash.take(finding.path)
    except OSError:
        return False
    return True


def _describe(
    folder: Path,
    outputs: OutputsFolder,
    findings: Findings,
    busy: str | None,
    *,
    is_removed: bool = False,
) -> CleaningDocument:
    return CleaningDocument(
        dir=_printable(str(folder)),
        is_removed=is_removed,
        going=tuple(_group(findings.going)),
        staying=tuple(
            StayingPart(name=_printable(name), reason=_printable(reason)[:MAX_REASON], n=n)
            for (name, reason), n in findings.staying.items()
        ),
        n_foreign=outputs.n_foreign + sum(study.n_foreign for study in outputs.studies),
        busy=None if busy is None else _printable(busy),
    )


def _group(going: Sequence[Finding]) -> Iterator[GoingPart]:
    """Yield what goes by kind, in the order of the categories."""
    order = ("failed", "outdated", "cached", "trash")

    def rank(one: Finding) -> tuple[int, str]:
        return order.index(one.kind.category), one.kind.name

    for _, group in groupby(sorted(going, key=rank), rank):
        things = list(group)
        yield GoingPart(
            category=things[0].kind.category,
            name=things[0].kind.name,
            reason=things[0].kind.reason,
            n_bytes=sum(one.snapshot.n_bytes for one in things),
            paths=tuple(_printable(one.path.as_posix()) for one in things),
        )


def _printable(text: str) -> str:
    """Return a text without signs of a name that is no UTF-8."""
    return text.encode(errors="replace").decode()
