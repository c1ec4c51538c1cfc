"""Change files and numbers of verdicts, and count what ``retain-verify`` finds.

    python experiments/fuzz/verification.py [--untouched 100] [--bytes 1000] [--numbers 200]
                                            [--seed 0]

Small studies of made-up customers are compared under different settings, some campaigns are read
out. An untouched verdict must agree. Then one byte of any file of a verdict, of its campaigns and
readouts is changed; and one number is changed that the records suffice for, or that is written in
two places, after which the page and all hashes are made anew, ids of campaigns included. Each
change must be found. Prints a row for each kind and writes them to ``verification.csv`` beside
this file.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import json
import random
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from retain.cli.run import run_command
from retain.errors import RetainError
from retain.record.directory import CampaignDirectory
from retain.record.documents import content_id, read_document
from retain.record.manifest import MANIFEST, write_manifest
from retain.record.study import StudyDirectory
from retain.record.verdict_document import VerdictDocument
from retain.report.page.page import page
from retain.storage.reading import read_json
from retain.storage.writing import hash_file
from retain.workflows.verification.page import read_page
from retain.workflows.verification.verify import verify

STORE = ("validation.folds=2", "workers=2")
SWEEPS = (
    ("model=logreg,tree", "data.customers=200", "validation.repeats=2"),
    ("model=dummy,logreg", "data.customers=300", "seed=1,2", "validation.repeats=1"),
    ("model=tree", "data.customers=160", "features.site=true,false", "validation.repeats=1"),
)
SETTINGS = (
    ("segmentation=rules", "segmentation=tree", "segmentation=risk_value"),
    ("report.language=en", "report.language=ru"),
    ("export.dialect=en", "export.dialect=ru", "export.dialect=auto"),
    ("campaign.explore=0", "campaign.explore=0.2", "campaign.control_design=least_cost"),
    ("gate.roc_auc=0.5", "selection.rule=simplest_tied", "sealed_test=closed", "explain=fast"),
    ("campaign.seed=1", "campaign.seed=2", "campaign.budget=40", "campaign=none"),
)
"""Choices of a comparison, of each row one."""
RECOMPUTED = (
    "selection",
    "winner",
    "leaderboard",
    "fold_values",
    "t_quantiles",
    "main_effects",
    "diffs",
    "by_snapshot",
    "data",
    "split",
    "n_scored",
)
"""Keys of ``verdict.json`` all of whose numbers the records of the runs suffice for."""
CURVES = ("roc", "precision_recall", "lift", "calibration")
TOTALS = ("n_chosen", "n_treated", "n_control", "expected_cost")
_TEXT = re.compile(r">[^<]*\d[^<]*<")


@dataclass
class Counts:
    """What was done to verdicts, how often, and how often that was found."""

    kind: str
    trials: int = 0
    found: int = 0
    seconds: float = 0.0


def call(command: str, *words: str, folder: Path) -> None:
    """Run a command in a folder, which must end well or with a gate that is missed."""
    do, said = getattr(import_module(f"retain.cli.{command}"), command), io.StringIO()
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(contextlib.redirect_stdout(said))
        stack.enter_context(contextlib.redirect_stderr(said))
        code = run_command(do, words, command)
    if code:
        raise SystemExit(f"{command} {' '.join(words)} ended with {code}:\n{said.getvalue()}")


def make_studies(folder: Path, sweeps: Sequence[tuple[str, ...]] = SWEEPS) -> list[StudyDirectory]:
    """Sweep the studies that are compared."""
    names = [f"study{number}" for number in range(len(sweeps))]
    for name, words in zip(names, sweeps, strict=True):
        call("run", "-m", f"study.name={name}", *words, *STORE, folder=folder)
    return [StudyDirectory(folder / "outputs" / name) for name in names]


def compare(study: StudyDirectory, *words: str) -> str | None:
    """Compare the runs of a study, and return the id of the campaign, if one was planned."""
    named = (f"study={study.path.name}", "campaign.replace=true", "resamples=100", "workers=2")
    call("compare", *named, *words, folder=study.path.parents[1])
    planned: dict[str, str] = read_json(study.verdict_json)["campaign"] or {}
    return planned.get("id")


def compare_somehow(study: StudyDirectory, chance: random.Random) -> None:
    """Compare the runs of a study under settings drawn, and at times read out its campaign."""
    words = [chance.choice(row) for row in SETTINGS]
    if "campaign=none" in words:
        words = [word for word in words if not word.startswith("campaign.")]
    if "explain=fast" not in words:
        words.append("explain=none")
    id_ = compare(study, *words)
    if id_ is not None and chance.random() < 0.5:
        read_out(study, id_)


def read_out(study: StudyDirectory, id_: str) -> None:
    """Invent the outcomes of a campaign, and read them out."""
    home, outcomes = study.path.parents[1], study.simulation(id_).outcomes
    named = f"campaign={study.campaign(id_).path}"
    call("simulate", named, folder=home)
    call("readout", named, f"outcomes={outcomes}", "resamples=200", folder=home)


def is_found(study: StudyDirectory) -> bool:
    """Return whether something does not agree, or cannot be read."""
    try:
        return not verify(study.path).agrees
    except RetainError:
        return True


def untouched(studies: Sequence[StudyDirectory], count: int, chance: random.Random) -> Counts:
    """Count verdicts under different settings in which nothing is found: there is nothing."""
    counts = Counts("untouched")
    for number in range(count):
        study = studies[number % len(studies)]
        compare_somehow(study, chance)
        with timed(counts):
            found = verify(study.path)
        if not found.agrees:
            counts.found += 1
            print(found.disagreement)
        for id_ in study.campaign_ids[:-3]:
            if id_ != (read_json(study.verdict_json)["campaign"] or {}).get("id"):
                shutil.rmtree(study.campaign(id_).path)
    return counts


@contextlib.contextmanager
def timed(counts: Counts) -> Iterator[None]:
    """Count a trial, and its seconds."""
    started = time.monotonic()
    yield
    counts.trials += 1
    counts.seconds += time.monotonic() - started


def change_bytes(study: StudyDirectory, count: int, chance: random.Random) -> Counts:
    """Count changes of one byte, anywhere in the files of a verdict and its campaigns, found."""
    counts = Counts("one byte")
    files = sorted(
        path
        for folder in (study.verdict, study.campaigns)
        for path in folder.rglob("*")
        if path.is_file() and path.stat().st_size
    )
    for _ in range(count):
        path = chance.choice(files)
        content = path.read_bytes()
        at = chance.randrange(len(content))
        other = bytes([content[at] ^ chance.randrange(1, 256)])
        path.write_bytes(content[:at] + other + content[at + 1 :])
        with timed(counts):
            found = is_found(study)
        counts.found += found
        if not found:
            print(f"not found: byte {at} of {path}")
        path.write_bytes(content)
    return counts


def change_numbers(study: StudyDirectory, count: int, chance: random.Random) -> Counts:
    """Count changes of one recomputable number found, after all hashes were made anew."""
    counts = Counts("one number, hashes anew")
    copy = StudyDirectory(study.path.with_name("changed"))
    changes = list(CHANGES.values())
    for number in range(-1, count):
        shutil.rmtree(copy.path, ignore_errors=True)
        shutil.copytree(study.path, copy.path)
        if number < 0:
            hash_anew(copy, draw=True)
            if is_found(copy):
                raise SystemExit("what was hashed anew without a change does not agree")
            continue
        change = changes[number % len(changes)]
        what = change(copy, chance)
        # Of a campaign's customers the page is looked at first; all else is found before.
        hash_anew(copy, draw=change in {change_totals, change_customers})
        with timed(counts):
            found = is_found(copy)
        counts.found += found
        if not found:
            print(f"not found: {what}")
    shutil.rmtree(copy.path)
    return counts


def hash_anew(study: StudyDirectory, *, draw: bool) -> None:
    """Make every hash, every id and the page fit what is there, as who changed it would."""
    verdict = read_json(study.verdict_json)
    for id_ in study.campaign_ids:
        campaign = study.campaign(id_)
        tree = read_json(campaign.campaign_json)
        tree["files"] = {path.name: hash_file(path) for path in campaign.tables}
        tree["id"] = content_id(tree)
        write(campaign.campaign_json, tree)
        if campaign.readout.readout.exists():
            readout = read_json(campaign.readout.readout)
            readout |= {
                "campaign_id": tree["id"],
                "campaign_sha256": hash_file(campaign.assignment),
            }
            write(campaign.readout.readout, readout)
            _write_manifest(campaign.readout.path)
        _write_manifest(campaign.path)
        if (verdict["campaign"] or {}).get("id") == id_:
            verdict["campaign"]["id"] = tree["id"]
            verdict["campaign_sha256"] = hash_file(campaign.campaign_json)
        campaign.path.rename(study.campaign(tree["id"]).path)
    verdict["files"] = {name: hash_file(study.verdict / name) for name in verdict["files"]}
    write(study.verdict_json, verdict)
    if draw:
        document = read_document(VerdictDocument, study.verdict_json)[1]
        study.report.write_text(page(document, read_page(study)[1]), encoding="utf-8")
    _write_manifest(study.verdict)


def _write_manifest(folder: Path) -> None:
    before = read_json(folder / MANIFEST)
    write_manifest(folder, before["code_sha256"], before.get("runs"))


def write(path: Path, tree: object) -> None:
    """Write a JSON document."""
    path.write_text(json.dumps(tree, ensure_ascii=False), encoding="utf-8")


def other_number(value: float, chance: random.Random) -> float:
    """Return another number, a whole one of a whole one."""
    if isinstance(value, int):
        return value + chance.choice((-1, 1))
    return value + chance.choice((-1, 1)) * max(abs(value) * 10 ** chance.uniform(-6, -1), 1e-6)


Leaf = tuple[Any, Any, str]
"""A list or object, the index or key of a number in it, and its place."""


def list_numbers(tree: Any, place: str = "") -> Iterator[Leaf]:
    """Yield every number in a tree."""
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in pairs:
        where = f"{place}.{key}"
        if isinstance(value, dict | list):
            yield from list_numbers(value, where)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield tree, key, where


def change_one(numbers: Sequence[Leaf], chance: random.Random) -> str:
    """Change one of the numbers, and return its place."""
    tree, key, where = chance.choice(numbers)
    tree[key] = other_number(tree[key], chance)
    return where


def change_verdict(study: StudyDirectory, chance: random.Random) -> str:
    """Change a number of ``verdict.json``."""
    verdict = read_json(study.verdict_json)
    nodes = {key: list(list_numbers(verdict[key], key)) for key in RECOMPUTED}
    curves = verdict["curves"] or {}
    nodes |= {key: list(list_numbers(curves.get(key) or [], key)) for key in CURVES}
    for one in verdict.get("segments") or ():
        nodes.setdefault("segments", []).append((one, "n_customers", one["segment"]))
        nodes["segments"].append((one, "share", one["segment"]))
    where = change_one(chance.choice([one for one in nodes.values() if one]), chance)
    write(study.verdict_json, verdict)
    return f"verdict.json: {where}"


def change_table(study: StudyDirectory, chance: random.Random) -> str:
    """Change a cell of a table that is written from ``verdict.json``."""
    tables = (study.leaderboard, study.segments, study.features, study.groups)
    return change_cell(chance.choice([path for path in tables if path.exists()]), chance)


def change_cell(path: Path, chance: random.Random) -> str:
    """Change a number in a table."""
    text = path.read_text(encoding="utf-8-sig")
    mark = ";" if ";" in text.split("\n", 1)[0] else ","
    rows = list(csv.reader(io.StringIO(text), delimiter=mark))
    cells = [
        (row, column)
        for row, cells in enumerate(rows[1:], start=1)
        for column, cell in enumerate(cells)
        if re.fullmatch(r"-?\d+([.,]\d+)?(e-?\d+)?", cell)
    ]
    row, column = chance.choice(cells)
    before = rows[row][column]
    number = float(before.replace(",", "."))
    changed = str(other_number(int(number) if number.is_integer() else number, chance))
    rows[row][column] = changed.replace(".", "," if mark == ";" else ".")
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=mark, lineterminator="\n").writerows(rows)
    return f"{path.name}: {before} became {rows[row][column]}"


def _own_campaign(study: StudyDirectory) -> CampaignDirectory:
    return study.campaign(read_json(study.verdict_json)["campaign"]["id"])


def change_plan(study: StudyDirectory, chance: random.Random) -> str:
    """Change any number of the plan in ``campaign.json`` alone."""
    campaign = _own_campaign(study)
    tree = read_json(campaign.campaign_json)
    plan = {key: tree[key] for key in tree if key not in {"id", "schema", "files", "settings"}}
    where = change_one(list(list_numbers(plan)), chance)
    write(campaign.campaign_json, tree | plan)
    return f"campaign.json: {where}"


def change_totals(study: StudyDirectory, chance: random.Random) -> str:
    """Change a total of the plan, in ``campaign.json`` and in ``verdict.json``."""
    campaign = _own_campaign(study)
    tree, verdict = read_json(campaign.campaign_json), read_json(study.verdict_json)
    places = [("plan", None), *(("offers", row) for row in range(len(tree["offers"])))]
    (key, row), name = chance.choice(places), chance.choice(TOTALS)
    found = tree[key] if row is None else tree[key][row]
    value = other_number(found[name], chance)
    for document in (tree, verdict["campaign"]):
        node = document[key] if row is None else document[key][row]
        node[name] = value
    write(campaign.campaign_json, tree)
    write(study.verdict_json, verdict)
    return f"campaign: {key} {row} {name}"


def change_customers(study: StudyDirectory, chance: random.Random) -> str:
    """Change the arm of a customer, or a cost, in ``campaign.csv``; or the table to approve."""
    campaign = _own_campaign(study)
    if chance.random() < 0.3:
        return change_cell(campaign.approval, chance)
    path = campaign.assignment
    lines = path.read_text(encoding="utf-8").split("\n")
    swaps = {"control": "treatment", "treatment": "control", "получает": "контроль"}
    rows = [row for row, line in enumerate(lines) if any(word in line for word in swaps)]
    row = chance.choice(rows)
    word = next(word for word in swaps if word in lines[row])
    lines[row] = lines[row].replace(word, swaps[word])
    path.write_text("\n".join(lines), encoding="utf-8")
    return f"campaign.csv: row {row}: {word} became {swaps[word]}"


def change_page(study: StudyDirectory, chance: random.Random) -> str:
    """Change a digit in a text of the page."""
    text = study.report.read_text(encoding="utf-8")
    found = chance.choice(list(_TEXT.finditer(text)))
    digits = [at for at in range(*found.span()) if text[at].isdigit()]
    at = chance.choice(digits)
    digit = str((int(text[at]) + chance.randrange(1, 10)) % 10)
    study.report.write_text(text[:at] + digit + text[at + 1 :], encoding="utf-8")
    return f"report.html: {found[0][:80]}"


def change_effects(study: StudyDirectory, chance: random.Random) -> str:
    """Change a number of the readout in its table alone."""
    readouts = [study.campaign(id_).readout for id_ in study.campaign_ids]
    return change_cell(next(one.effects for one in readouts if one.effects.exists()), chance)


CHANGES: dict[str, Callable[[StudyDirectory, random.Random], str]] = {
    "verdict": change_verdict,
    "table": change_table,
    "plan": change_plan,
    "totals": change_totals,
    "customers": change_customers,
    "page": change_page,
    "effects": change_effects,
}


def main() -> None:
    """Print and write the counts; exit with 1 where one was missed, or found without a change."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("untouched", 100), ("bytes", 1000), ("numbers", 200), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)  # noqa: S311 - no secret
    with tempfile.TemporaryDirectory() as folder:
        studies = make_studies(Path(folder))
        first = studies[0]
        counts = [untouched(studies, asked.untouched, chance)]
        prepare(first)
        counts.append(change_bytes(first, asked.bytes, chance))
        counts.append(change_numbers(first, asked.numbers, chance))
    rows = [asdict(one) | {"seconds": round(one.seconds, 1)} for one in counts]
    with Path(__file__).with_suffix(".csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print(row)
    sys.exit(counts[0].found > 0 or any(one.found < one.trials for one in counts[1:]))


def prepare(study: StudyDirectory) -> None:
    """Have a verdict with all parts: explanations, a campaign that explores, and its readout."""
    shutil.rmtree(study.campaigns, ignore_errors=True)
    id_ = compare(study, "explain=fast", "campaign.explore=0.2", "gate.roc_auc=0.5")
    if id_ is None:
        raise SystemExit("no campaign was planned")
    read_out(study, id_)


if __name__ == "__main__":
    main()
