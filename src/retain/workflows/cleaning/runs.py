"""Runs that may go: those that failed, were interrupted, or were done again with other code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from retain.errors import RetainError
from retain.execution.plan import collect_environment
from retain.record.directory import RunDirectory
from retain.record.document import CANNOT_CHANGE_A_RESULT, SCHEMA, Record
from retain.record.reading import RECORD_BYTES, Reader
from retain.storage.reading import read_json_object
from retain.workflows.cleaning.findings import FAILED, INTERRUPTED, OUTDATED, Findings, Kind
from retain.workflows.cleaning.outputs import StudyContents
from retain.workflows.cleaning.references import References

HYDRA_FILES = ("config", "hydra", "overrides")
MAX_VERSIONS = 50
"""Runs of the same words that a run is held against, the last ones."""


@dataclass(frozen=True)
class RunFacts:
    """The facts of a run's record that decide, also of one that an earlier version wrote."""

    directory: RunDirectory
    id: str
    state: str
    code: str
    finished_at: str
    overrides: frozenset[str]
    config: Mapping[str, Any]
    rows: tuple[str, str]
    """Fingerprints of its customers and of its folds."""

    @property
    def is_done(self) -> bool:
        """True of a run that no sweep has to do again, or to complete."""
        return self.state in ("done", "not_applicable")

    @cached_property
    def leaves(self) -> dict[str, Any]:
        """The keys of the config that can change a result, with their values."""
        return dict(_iter_leaves(self.config))

    @classmethod
    def of(cls, directory: RunDirectory, record: Record) -> RunFacts:
        """Return the facts of a record."""
        return cls(
            directory,
            record.id,
            "stopped early" if record.stopped_early else record.state,
            record.environment.code_sha256,
            record.finished_at,
            frozenset(record.overrides),
            record.config,
            (record.data.fingerprint, record.split.fingerprint),
        )


def find_runs(
    study: StudyContents, references: References, findings: Findings
) -> Sequence[RunFacts]:
    """Add the runs of a study that may go, and return all that ended."""
    ended, reader = [], Reader()
    data: dict[int, Mapping[str, Any]] = {}
    for run in study.runs:
        facts = _read(run, reader)
        if facts is not None:
            ended.append(facts)
            data[id(facts.config.get("data"))] = facts.config  # runs of a sweep share the node
        elif not run.record.exists():
            references.add_text(run.hydra / f"{HYDRA_FILES[0]}.yaml", run.path)
            _add_interrupted(run, study, references, findings)
        else:
            references.has_unread_runs = True
    for config in data.values():
        references.add_data(config)
    for facts in ended:
        if facts.state == "failed":
            _add(FAILED, facts.directory, facts.id, references, findings)
    for facts in _iter_outdated(ended):
        _add(OUTDATED, facts.directory, facts.id, references, findings)
    return ended


def _read(run: RunDirectory, reader: Reader) -> RunFacts | None:
    """Return the facts of a run's record; None without one, or with one that is not its own."""
    try:
        record = reader.read(run.record, within=run.path)
    except RetainError:
        return _read_earlier(run)
    is_own = record is not None and run.path.name.endswith(f"-{record.id}")
    return RunFacts.of(run, record) if is_own and record is not None else None


def _read_earlier(run: RunDirectory) -> RunFacts | None:
    """Return the facts of a record of an earlier schema, None for one that is broken."""
    try:
        tree = read_json_object(run.record, max_bytes=RECORD_BYTES, within=run.path)
        schema, id_, config = tree["schema"], tree["id"], tree["config"]
        overrides = frozenset(map(str, tree["overrides"]))
        finished = str(tree["finished_at"])
        rows = str(tree["data"]["fingerprint"]), str(tree["split"]["fingerprint"])
    except (RetainError, KeyError, TypeError):
        return None
    is_earlier = isinstance(schema, int) and not isinstance(schema, bool) and schema < SCHEMA
    is_own = isinstance(id_, str) and run.path.name.endswith(f"-{id_}")
    if not is_earlier or not is_own or not isinstance(config, dict):
        return None
    return RunFacts(run, id_, "earlier", "", finished, overrides, config, rows)


def _add_interrupted(
    run: RunDirectory, study: StudyContents, references: References, findings: Findings
) -> None:
    if run.folds.exists():
        findings.keep(INTERRUPTED, "the next sweep goes on from their folds")
    elif study.directory.jobs.exists():
        findings.keep(INTERRUPTED, "jobs of a cluster may still be at them")
    elif study.name in references.counted:
        findings.keep(INTERRUPTED, "a verdict counts them")
    else:
        _add(INTERRUPTED, run, run.path.name[-8:], references, findings)


def _add(
    kind: Kind, run: RunDirectory, id_: str, references: References, findings: Findings
) -> None:
    if id_ in references.ids:
        findings.keep(kind, "a result names them")
    elif run.busy:
        findings.keep(kind, "a process is at them")
    else:
        findings.add(kind, run.path, run=run, known=_files_of(run))


def _files_of(run: RunDirectory) -> frozenset[str]:
    """Return the names of all that retain writes into the folder of a run."""
    files = (run.record, run.scores, run.folds, run.log, run.lock, run.hydra)
    hydra = (f"{run.hydra.name}/{name}.yaml" for name in HYDRA_FILES)
    return frozenset((*(path.name for path in files), *hydra))


def _iter_outdated(ended: Sequence[RunFacts]) -> Iterator[RunFacts]:
    """Yield runs of other code than today's that were done again later with yet other code.

    A run of today's code is one that a sweep skips as done.
    """
    alike = defaultdict(list)
    for facts in ended:
        alike[facts.overrides].append(facts)
    today = collect_environment().code_sha256
    for group in alike.values():
        last = sorted(group, key=lambda facts: facts.finished_at)[-MAX_VERSIONS:]
        for facts in group:
            if facts.code != today and any(_replaces(other, facts) for other in last):
                yield facts


def _replaces(new: RunFacts, old: RunFacts) -> bool:
    """Return whether a run is done, and a later one of the same config and rows with other code.

    Versions differ in the keys they have, so those of both are compared.
    """
    if new.state != "done" or new.rows != old.rows or old.state == "failed":
        return False
    if new.code == old.code or new.finished_at <= old.finished_at:
        return False
    both = new.leaves.keys() & old.leaves.keys()
    is_same = all(new.leaves[key] == old.leaves[key] for key in both)
    return is_same and {"seed", "model.name"} <= both


def _iter_leaves(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the keys of a config that can change a result, with their values."""
    for name, value in node.items():
        key = f"{prefix}{name}"
        if key in CANNOT_CHANGE_A_RESULT:
            continue
        if isinstance(value, Mapping):
            yield from _iter_leaves(value, f"{key}.")
        else:
            yield key, value
