"""Give every reader inputs that somebody else might have made, and count what it answers.

    python experiments/fuzz/readers.py [--inputs 20000] [--readers table,log] [--seed 0]
                                       [--minutes 60] [--workers 2]

A small study of made-up customers is swept and compared; its files, and tables made here, are
changed at random as their structure allows (``mutations.py``) and read through the doors that
commands read them by (``doors.py``). A reader must accept an input or refuse it with a
``RetainError`` or ``NotApplicable``, within five seconds of computing. Anything else fails: it is
printed once for each place, and its input saved in a folder that is printed too. Each reader runs
in a process of its own, whose death counts as one failure. Prints a row a reader and writes them to
``readers.csv`` beside this file; readers that were not asked for keep their rows.
"""

from __future__ import annotations

import argparse
import csv
import faulthandler
import io
import logging
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import (
    AbstractContextManager,
    chdir,
    contextmanager,
    nullcontext,
    redirect_stderr,
    redirect_stdout,
)
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

from doors import READERS
from ground import Ground

from retain.cli.run import run_command
from retain.errors import NotApplicable, RetainError
from retain.record.study import StudyDirectory

CPU_SECONDS = 5.0
"""How long a reader may compute, all threads together: a busy machine changes nothing."""
WALL_SECONDS = 60.0
"""How long a reader may take at all; then its process is ended."""
MEMORY = 8 * 2**30
"""Bytes a reader's process may have."""
OURS = 70
"""How a process ends where the fault is not the reader's."""
MOST_DEATHS = 20
"""Deaths of its process after which a reader gets no more inputs: each costs a new process."""
COMMANDS = (
    (
        "run",
        ("-m", "model=logreg", "study.name=fuzz", "data.customers=160"),
        ("validation.folds=2", "validation.repeats=1"),
    ),
    ("compare", ("study=fuzz", "explain=none", "resamples=100", "workers=1"), ()),
)


@dataclass
class Counts:
    """The answers of a reader."""

    reader: str
    inputs: int = 0
    accepted: int = 0
    refused: int = 0
    failed: int = 0
    slowest_seconds: float = 0.0
    places: dict[str, str] = field(default_factory=dict)
    """A stack for each distinct place where something failed."""

    @property
    def row(self) -> dict[str, Any]:
        """The counts as a row of the table."""
        found = asdict(replace(self, slowest_seconds=round(self.slowest_seconds, 2)))
        del found["places"]
        return found


@dataclass(frozen=True)
class Trial:
    """The seed of inputs, and the folder for those that fail."""

    seed: int
    failures: Path


class TooSlowError(BaseException):
    """A reader that takes longer than it may; no reader may catch it."""


def make_study(folder: Path) -> StudyDirectory:
    """Sweep and compare made-up customers."""
    for command, *words in COMMANDS:
        do, said = getattr(import_module(f"retain.cli.{command}"), command), io.StringIO()
        with chdir(folder), redirect_stdout(said), redirect_stderr(said):
            code = run_command(do, [*words[0], *words[1]], command)
        if code:
            raise SystemExit(f"{command} ended with {code}:\n{said.getvalue()}")
    return StudyDirectory(folder / "outputs" / "fuzz")


@contextmanager
def readable(ground: Ground) -> Iterator[None]:
    """Have readers print nothing, and stay in a folder of their own."""
    before = Path.cwd()
    os.chdir(ground.folder)
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
        os.chdir(before)


def read_all(
    counts: Counts,
    ground: Ground,
    numbers: range,
    trial: Trial,
    watch: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Iterator[int]:
    """Read inputs and count the answers; yield each number before its input is read.

    ``watch`` is around each call of a reader.
    """
    vary = READERS[counts.reader](ground)
    for number in numbers:
        chance = random.Random(f"{trial.seed}/{counts.reader}/{number}")  # noqa: S311 - no secret
        read = vary(chance)
        yield number
        started = time.process_time()
        problem = ""
        try:
            with watch():
                read()
            counts.accepted += 1
        except (RetainError, NotApplicable):
            counts.refused += 1
        except (Exception, TooSlowError, SystemExit) as error:  # noqa: BLE001 - what is looked for
            problem = _told(error)
        seconds = time.process_time() - started
        if not problem and seconds > CPU_SECONDS:
            problem = f"it computed for {seconds:.1f} s"
        counts.inputs += 1
        counts.slowest_seconds = max(counts.slowest_seconds, seconds)
        if problem:
            _note(counts, problem, number, ground, trial.failures)


def _told(error: BaseException) -> str:
    """Return type, message and the innermost lines of a stack."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/retain/" in frame.filename][-3:]
    lines = [f"  {Path(f.filename).name}:{f.lineno} {f.name}" for f in (*ours, frames[-1])]
    return "\n".join([f"{type(error).__name__}: {str(error)[:200]!r}", *lines])


def _note(counts: Counts, problem: str, number: int, ground: Ground, failures: Path) -> None:
    counts.failed += 1
    first, *stack = problem.splitlines()
    place = "\n".join([first.split(":")[0], *stack])
    if place not in counts.places:
        home = failures / f"{counts.reader}-{number}"
        shutil.copytree(ground.folder, home, dirs_exist_ok=True)
        counts.places[place] = f"{problem}\n  input {number}: {home}"


def _serve(
    sending: Connection, counts: Counts, ground: Ground, numbers: range, trial: Trial
) -> None:
    """Read inputs in this process, and send what is known before each of them."""
    os.environ.update({"TMPDIR": str(ground.folder.parent)})
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGPROF, _too_slow)
    try:
        with readable(ground):
            for number in read_all(counts, ground, numbers, trial, _watched):
                sending.send((number, counts))
        sending.send((numbers.stop, counts))
    except BaseException:  # noqa: BLE001 - the process ends here, whatever it is
        traceback.print_exc()
        os._exit(OURS)


@contextmanager
def _watched() -> Iterator[None]:
    """End what takes too long: by a signal, or with its process where that is not heeded."""
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    faulthandler.dump_traceback_later(WALL_SECONDS, exit=True)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.cancel_dump_traceback_later()


def _too_slow(*_: object) -> None:
    raise TooSlowError


def count_answers(
    reader: str, study: StudyDirectory, inputs: int, trial: Trial, minutes: float
) -> Counts:
    """Return what a reader in a process of its own answers to so many inputs."""
    counts, number, ends = Counts(reader), 0, time.monotonic() + 60 * minutes
    deaths = 0
    while number < inputs and deaths < MOST_DEATHS and time.monotonic() < ends:
        with tempfile.TemporaryDirectory(dir=study.path.parent) as folder:
            ground = Ground(study, Path(folder) / "in")
            ground.folder.mkdir()
            receiving, sending = (context := get_context("spawn")).Pipe(duplex=False)
            what = (counts, ground, range(number, inputs), trial)
            process = context.Process(target=_serve, args=(sending, *what))
            process.start()
            sending.close()
            number, counts = _followed(receiving, process, (number, counts), ends)
            process.join()
            if process.exitcode == OURS:
                raise SystemExit(f"{reader}: no input could be made after {number}")
            if number < inputs and time.monotonic() < ends:
                problem = f"it ended its process with {process.exitcode}"
                counts.inputs += 1
                _note(counts, problem, number, ground, trial.failures)
                number, deaths = number + 1, deaths + 1
    return counts


def _followed(
    receiving: Connection, process: Any, known: tuple[int, Counts], ends: float
) -> tuple[int, Counts]:
    """Return the last that a process told, which is ended when time is over."""
    while time.monotonic() < ends:
        try:
            known = receiving.recv()
        except EOFError:
            return known
    process.kill()
    return known


def write_rows(path: Path, found: Sequence[Counts]) -> None:
    """Write the counts in place of those of the same readers."""
    rows = {counts.reader: counts.row for counts in found}
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            rows = {row["reader"]: row for row in csv.DictReader(file)} | rows
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(found[0].row), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[name] for name in READERS if name in rows)


def main() -> None:
    """Print and write the counts; exit with 1 where a reader failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--readers", default=",".join(READERS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=60, help="for each reader at most")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="readers at once")
    asked = parser.parse_args()
    failures = Path(tempfile.mkdtemp(prefix="retain-fuzz-failures-"))
    shared = Path("/dev/shm")  # noqa: S108 - memory, where there is such a folder
    found = []
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        study = make_study(Path(folder))
        count = partial(
            count_answers,
            study=study,
            inputs=asked.inputs,
            trial=Trial(asked.seed, failures),
            minutes=asked.minutes,
        )
        with ThreadPoolExecutor(asked.workers) as pool:  # each waits for a process of its own
            for counts in pool.map(count, asked.readers.split(",")):
                found.append(counts)
                for problem in counts.places.values():
                    print(f"{counts.reader}: {problem}")
                print(counts.row, flush=True)
                write_rows(Path(__file__).with_suffix(".csv"), found)
    sys.exit(any(counts.failed for counts in found))


if __name__ == "__main__":
    main()
