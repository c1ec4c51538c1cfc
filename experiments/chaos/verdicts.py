"""Kill and crowd the commands that write a verdict, and look at what a reader would find.

    python experiments/chaos/verdicts.py [--kills 200] [--pairs 50] [--seed 0]

A small study of made-up customers is compared, read out and scored again and again. Each kill is
a SIGKILL at a random moment, half of them within the time that files are made and put in place;
each pair is two comparisons at once, with different seeds of the control group. After each, every
verdict, campaign, readout and scoring must be whole and of one command (hashes and ids agree, the
ledger knows the winner). Some kills later the same command again must end well and leave nothing
behind. Prints a row for each command and writes them to ``verdicts.csv`` beside this file.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

import pandas as pd

from retain.campaign.assignment import read_assignment
from retain.cli.run import run_command
from retain.record.directory import CampaignDirectory, ScoreDirectory
from retain.record.study import StudyDirectory
from retain.storage.reading import parse_json, read_json, read_json_lines
from retain.storage.writing import hash_file

KILLS_BETWEEN_WHOLE_RUNS = 5
LEFTOVERS = (".staging-*", ".commit", ".unfinished-*", "retain-scratch-*")
STORE = ("data.customers=160", "validation.folds=2", "validation.repeats=1")
QUICK = ("explain=none", "resamples=100", "workers=1")
COMMANDS = ("compare", "readout", "score")


@dataclass
class Counts:
    """One disturbed command, and what was found after it."""

    command: str
    kills: int = 0
    kills_in_transaction: int = 0
    pairs: int = 0
    looks: int = 0
    torn: int = 0
    left_behind: int = 0
    ended_badly: int = 0


class Process(Protocol):
    """As much of a ``subprocess.Popen`` as is needed of a command under way."""

    @property
    def returncode(self) -> int | None:
        """The exit code, None before the end."""

    def poll(self) -> int | None:
        """Return the exit code, None before the end."""

    def kill(self) -> None:
        """End it at once."""

    def communicate(self, *, timeout: float | None = None) -> tuple[str, str | None]:
        """Wait for the end, and return what was printed."""


def start_python(
    command: str, words: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> Process:
    """Start a command as a user would, in a process group of its own."""
    code = f"from retain.cli.{command} import main; main()"
    return subprocess.Popen(  # noqa: S603 - the project's own commands
        [sys.executable, "-P", "-c", code, *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@dataclass(frozen=True)
class Playground:
    """A folder with a study, and what a user would type in it."""

    folder: Path
    start_process: Callable[[str, Sequence[str], Path, Mapping[str, str]], Process] = start_python

    @property
    def study(self) -> StudyDirectory:
        """The study that commands are at."""
        return StudyDirectory(self.folder / "outputs" / "chaos")

    def words(self, command: str, seed: int) -> list[str]:
        """Return a line whose result differs by ``seed``."""
        if command == "compare":
            changed = (f"campaign.seed={seed}", "campaign.replace=true")
            return ["study=chaos", *QUICK, *changed]
        if command == "score":
            what = ("verdict=outputs/chaos", "data.seed=7", f"campaign.seed={seed}")
            return [*what, "campaign.replace=true"]
        return [f"campaign={self.oldest}", "outcomes=outcomes.csv", f"resamples={200 + seed % 50}"]

    @property
    def oldest(self) -> str:
        """The campaign that outcomes are about: the first that was planned."""
        return (self.folder / "sent").read_text(encoding="utf-8")

    def start(self, command: str, words: Sequence[str]) -> Process:
        """Start a command in the folder."""
        environment = os.environ | {"TMPDIR": str(self.folder / "temporary")}
        return self.start_process(command, words, self.folder, environment)

    def run(self, command: str, words: Sequence[str]) -> tuple[int | None, str, float]:
        """Return exit code, what was printed, and the seconds a whole command took."""
        started = time.monotonic()
        process = self.start(command, words)
        said, _ = process.communicate(timeout=300)
        return process.returncode, said, time.monotonic() - started

    def leftovers(self) -> list[Path]:
        """Return what commands leave only while they are at work."""
        roots = (self.folder / "outputs", self.folder / "temporary")
        return [path for root in roots for name in LEFTOVERS for path in root.rglob(name)]


def make_playground(ground: Playground) -> Playground:
    """Sweep, compare, score and read out once, outcomes of the campaign invented.

    All in this process: it is later commands that are killed.
    """
    (ground.folder / "temporary").mkdir(parents=True)
    with contextlib.chdir(ground.folder):
        call("run", ["-m", "model=logreg,dummy", "study.name=chaos", *STORE])
        call("compare", ["study=chaos", *QUICK])
        _send_out(ground)
        for command in ("score", "readout"):
            call(command, ground.words(command, 0))
    return ground


def call(command: str, words: Sequence[str]) -> None:
    """Do a command in this process, which must end well."""
    done = getattr(import_module(f"retain.cli.{command}"), command)
    if code := run_command(done, words, command):
        raise SystemExit(f"{command} ended with {code}")


def _send_out(ground: Playground) -> None:
    """Note the campaign there is as sent, and invent what became of its customers."""
    (sent,) = ground.study.campaign_ids
    (ground.folder / "sent").write_text(sent, encoding="utf-8")
    customers = pd.read_csv(ground.study.campaign(sent).assignment)["customer_id"]
    declined = [random.Random(id_).random() < 0.4 for id_ in customers]  # noqa: S311 - no secret
    table = pd.DataFrame({"customer_id": customers, "declined": declined})
    table.to_csv(ground.folder / "outcomes.csv", index=False)


def find_torn(study: StudyDirectory) -> Iterator[str]:
    """Yield what a reader would find that is not whole, or not of one command."""
    try:
        yield from _torn_verdict(study)
        for id_ in study.campaign_ids:
            yield from _torn_campaign(study.campaign(id_))
        scores = study.score("any").path.parent
        for path in scores.iterdir() if scores.is_dir() else ():
            yield from _torn_scores(study, ScoreDirectory(path))
    except Exception as error:  # noqa: BLE001 - whatever it is, a reader could not read it
        yield repr(error)


def _torn_verdict(study: StudyDirectory) -> Iterator[str]:
    tree = read_json(study.verdict_json)
    for name, sha256 in tree["files"].items():
        if hash_file(study.verdict / name) != sha256:
            yield f"verdict/{name} is of another verdict"
    for part in (tree["model"], tree["reference"]):
        if hash_file(study.verdict / part["file"]) != part["sha256"]:
            yield f"verdict/{part['file']} is of another verdict"
    yield from _torn_pointer(study, tree["campaign"]["id"], tree["campaign_sha256"])
    if tree["campaign"]["id"] not in study.report.read_text(encoding="utf-8"):
        yield "report.html is of another verdict"
    winners = [parse_json(line, "ledger")["run_id"] for _, line in read_json_lines(study.ledger)]
    if tree["winner"]["id"] not in winners:
        yield "the ledger is behind the verdict"


def _torn_pointer(study: StudyDirectory, id_: str, sha256: str) -> Iterator[str]:
    if hash_file(study.campaign(id_).campaign_json) != sha256:
        yield f"campaign {id_} is not the one pointed to"


def _torn_campaign(campaign: CampaignDirectory) -> Iterator[str]:
    assignment = read_assignment(campaign.path)
    readout = campaign.readout
    if readout.path.exists():
        tree = read_json(readout.readout)
        effects = len(pd.read_csv(readout.effects))
        whole = (tree["campaign_id"], tree["campaign_sha256"], len(tree["effects"]))
        if whole != (assignment.id, assignment.fingerprint, effects):
            yield f"the readout of {assignment.id} is of another one"
        if not readout.offers(tree["catalogue"]).is_file():
            yield f"the readout of {assignment.id} lacks its catalogue"


def _torn_scores(study: StudyDirectory, scores: ScoreDirectory) -> Iterator[str]:
    tree = read_json(scores.score_json)
    yield from _torn_pointer(study, tree["campaign_id"], tree["campaign_sha256"])
    if len(pd.read_csv(scores.customers)) != tree["data"]["n_customers"]:
        yield f"{scores.path} holds the scores of others"


def kill_once(
    ground: Playground, command: str, chance: random.Random, counts: Counts, seconds: float
) -> None:
    """Kill a command at a random moment, half of the time while it puts files in place."""
    process = ground.start(command, ground.words(command, chance.randrange(10**6)))
    ends = time.monotonic() + chance.uniform(0, seconds)
    if aimed := chance.random() < 0.5:
        while process.poll() is None and not any(ground.study.path.glob(".staging-*")):
            time.sleep(0.0005)
        ends = time.monotonic() + chance.choice((0.0, chance.uniform(0, seconds / 2)))
    while process.poll() is None and time.monotonic() < ends:
        time.sleep(0.0005)
    busy = any(one for name in (".staging-*", ".commit") for one in ground.study.path.glob(name))
    if process.poll() is None:
        counts.kills += 1
        counts.kills_in_transaction += busy or aimed
    process.kill()
    process.communicate()


def look(ground: Playground, counts: Counts) -> None:
    """Count what a reader finds torn."""
    counts.looks += 1
    for told in find_torn(ground.study):
        print(f"torn after {counts.command}: {told}")
        counts.torn += 1


def run_whole(ground: Playground, command: str, seed: int, counts: Counts) -> float:
    """Run a command to its end, which must be good and leave nothing behind."""
    code, said, seconds = ground.run(command, ground.words(command, seed))
    if code:
        print(f"{command} ended with {code}: {said[-2000:]}")
        counts.ended_badly += 1
    for path in ground.leftovers():
        print(f"left behind by {command}: {path}")
        counts.left_behind += 1
    look(ground, counts)
    return seconds


def pair_once(ground: Playground, chance: random.Random, counts: Counts) -> None:
    """Start two comparisons at once; both end well, and the verdict is of one of them."""
    both = [
        ground.start("compare", ground.words("compare", chance.randrange(10**6))) for _ in range(2)
    ]
    for process in both:
        said, _ = process.communicate(timeout=600)
        if process.returncode:
            print(f"compare ended with {process.returncode}: {said[-2000:]}")
            counts.ended_badly += 1
    counts.pairs += 1
    look(ground, counts)


def disturb(ground: Playground, kills: int, pairs: int, seed: int) -> list[Counts]:
    """Return what was found after so many kills, spread over the commands, and pairs."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    found = {command: Counts(command) for command in COMMANDS}
    seconds: dict[str, float] = {}
    while (done := sum(counts.kills for counts in found.values())) < kills:
        command = COMMANDS[done // KILLS_BETWEEN_WHOLE_RUNS % len(COMMANDS)]
        if command not in seconds:
            seconds[command] = run_whole(ground, command, 1, found[command])
        for _ in range(min(KILLS_BETWEEN_WHOLE_RUNS, kills - done)):
            kill_once(ground, command, chance, found[command], seconds[command])
            look(ground, found[command])
        run_whole(ground, command, chance.randrange(10**6), found[command])
        _forget_campaigns(ground)
    for _ in range(pairs):
        pair_once(ground, chance, found["compare"])
    return list(found.values())


def _forget_campaigns(ground: Playground) -> None:
    """Delete campaigns nothing points to, as a user may, so that looks stay quick."""
    scores = ground.study.score("any").path.parent
    kept = {ground.oldest, read_json(ground.study.verdict_json)["campaign"]["id"]}
    kept |= {read_json(path / "score.json")["campaign_id"] for path in scores.iterdir()}
    for id_ in set(ground.study.campaign_ids) - kept:
        shutil.rmtree(ground.study.campaign(id_).path)


def main() -> None:
    """Print and write the counts; exit with 1 where something was torn or left."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--pairs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        ground = make_playground(Playground(Path(folder) / "chaos"))
        found = disturb(ground, asked.kills, asked.pairs, asked.seed)
    rows = [asdict(counts) for counts in found]
    with Path(__file__).with_suffix(".csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print(row)
    print(f"{time.monotonic() - started:.0f} s")
    sys.exit(any(row["torn"] or row["left_behind"] or row["ended_badly"] for row in rows))


if __name__ == "__main__":
    main()
