"""Readers of what retain wrote: records, scores, verdicts, models, campaigns and ledgers."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from random import Random

import numpy as np
import pyarrow.parquet as pq
import skops.io
from ground import Ground, Read, Reader
from lightgbm import LGBMClassifier
from mutations import (
    mutate_bytes,
    mutate_json,
    mutate_text,
    mutate_tree,
    mutate_zip,
    write_hostile_parquet,
    write_json,
)
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from retain.campaign.assignment import read_assignment
from retain.campaign.known_customers import read_known_customers
from retain.campaign.trial.saved_trial import read_trial
from retain.cli.readout import readout
from retain.cli.run import run_command
from retain.errors import RetainError
from retain.learning.score_file import read_scores
from retain.record.consistency import RecordChecker
from retain.record.directory import CampaignDirectory
from retain.record.document import Record, identity, slug_of
from retain.record.documents import content_id
from retain.record.study import BrokenRun, StudyDirectory
from retain.record.trial_directory import TrialDirectory
from retain.storage.reading import MODEL_SCHEMA_FILE
from retain.verdict.model_file import load_model
from retain.verdict.sealed_test import Ledger
from retain.workflows.saved_winner import load_winner


def _finished(ground: Ground) -> tuple[Path, Record]:
    """Return the folder of a finished run and its record."""
    found = {run.path: record for run, record in ground.study.read() if isinstance(record, Record)}
    return next((path, one) for path, one in found.items() if path.name.startswith("logreg"))


def vary_record(ground: Ground) -> Reader:
    """Read records, and check that they say what they are."""
    path, _ = _finished(ground)
    tree = json.loads((path / "record.json").read_text("utf-8"))
    study = StudyDirectory(ground.folder / "fuzz")

    def read() -> None:
        checker = RecordChecker()
        for run, record in study.read():
            if isinstance(record, BrokenRun):
                raise RetainError(record.reason)
            problem = record and checker.find_problem(record, run.path)
            if problem:
                raise RetainError(problem)

    def vary(chance: Random) -> Read:
        shutil.rmtree(study.path, ignore_errors=True)
        changed, name = tree, path.name
        if chance.random() < 0.4:
            raw = mutate_json(chance, tree, indent=1)
        else:  # a part of it, under the right id
            part = chance.choice(sorted(tree))
            changed = {**tree, part: mutate_tree(chance, tree[part])}
            with contextlib.suppress(Exception):
                changed["id"] = identity(changed["config"])
                name = f"{slug_of(changed['config'])}-{changed['id']}"
            raw = write_json(changed, indent=1)
        run = study.path / ("run" if "/" in name or "\0" in name or len(name) > 80 else name)
        run.mkdir(parents=True)
        (run / "record.json").write_bytes(raw)
        return read

    return vary


PARTS = ("model", "reference", "recalibration", "settings", "fitted_thresholds", "winner")
"""The parts of a verdict that scoring reads."""


def vary_verdict(ground: Ground) -> Reader:
    """Read winners that were saved, with their references."""
    tree = json.loads(ground.study.verdict_json.read_text("utf-8"))
    needed = {
        key: one for key, one in tree.items() if key in PARTS or len(json.dumps(one)) < 20_000
    }
    reference = ground.study.reference.read_bytes()
    path = ground.folder / "verdict.json"
    beside = ground.folder / tree["reference"]["file"]

    def vary(chance: Random) -> Read:
        changed, beside_it = needed if chance.random() < 0.9 else tree, reference
        if chance.random() < 0.25:
            beside_it = mutate_json(chance, json.loads(reference))
            sha256 = hashlib.sha256(beside_it).hexdigest()
            path.write_bytes(
                write_json({**tree, "reference": {**tree["reference"], "sha256": sha256}})
            )
        elif chance.random() < 0.6:
            part = chance.choice(PARTS)
            path.write_bytes(write_json({**changed, part: mutate_tree(chance, changed[part])}))
        else:
            path.write_bytes(mutate_json(chance, changed))
        beside.write_bytes(beside_it)
        return lambda: load_winner(path)

    return vary


def vary_campaign(ground: Ground) -> Reader:
    """Read campaigns, most of them under the id and the hashes of what they hold."""
    (id_,) = ground.study.campaign_ids
    home = ground.study.campaign(id_)
    tree = json.loads(home.campaign_json.read_text("utf-8"))
    raws = {name: (home.path / name).read_bytes() for name in tree["files"]}
    known, campaign = pq.read_table(home.customers), CampaignDirectory(ground.folder)

    def vary(chance: Random) -> Read:
        changed, files = dict(tree), dict(raws)
        if chance.random() < 0.3:
            name = chance.choice(sorted(files))
            if name == campaign.customers.name:
                write_hostile_parquet(chance, known, campaign.customers)
                files[name] = campaign.customers.read_bytes()
            else:
                files[name] = mutate_text(chance, files[name].decode())
            changed["files"] = {one: hashlib.sha256(raw).hexdigest() for one, raw in files.items()}
        else:
            part = chance.choice(("files", "profit_unit", "power", "seed", "settings", "settings"))
            changed[part] = mutate_tree(chance, changed[part])
        with contextlib.suppress(Exception):
            changed["id"] = content_id(json.loads(write_json(changed)))
        raw = write_json(changed) if chance.random() < 0.7 else mutate_json(chance, tree)
        (ground.folder / "campaign.json").write_bytes(raw)
        for name, content in files.items():
            (ground.folder / name).write_bytes(content)
        return lambda: read_known_customers(campaign, read_assignment(ground.folder))

    return vary


def vary_trial(ground: Ground) -> Reader:
    """Read trials, most of them under the id and the hash of what they hold."""
    home, files = _read_out(ground), TrialDirectory(ground.folder)
    tree, table = json.loads(home.trial_json.read_text("utf-8")), pq.read_table(home.table)

    def vary(chance: Random) -> Read:
        changed = tree
        if chance.random() < 0.5:
            write_hostile_parquet(chance, table, files.table)
            sha256 = hashlib.sha256(files.table.read_bytes()).hexdigest()
            changed = {**tree, "table": {**tree["table"], "sha256": sha256}}
        else:
            files.table.write_bytes(home.table.read_bytes())
            parts = ("arms", "outcomes", "covariates", "table")
            part = chance.choice(parts) if chance.random() < 0.7 else chance.choice(sorted(tree))
            changed = {**tree, part: mutate_tree(chance, tree[part])}
        with contextlib.suppress(Exception):
            changed["id"] = content_id(json.loads(write_json(changed)))
        raw = write_json(changed) if chance.random() < 0.8 else mutate_json(chance, tree)
        files.trial_json.write_bytes(raw)
        return lambda: read_trial(files)

    return vary


def _read_out(ground: Ground) -> TrialDirectory:
    """Return a trial in the study's folder, read out at the first call."""
    study = StudyDirectory(ground.study.path.parent / "trial")
    if not study.trial.trial_json.exists():
        random = np.random.default_rng(0)
        path = study.path.with_name("experiment.csv")
        bought, arm = random.integers(0, 2, 200), random.choice(["none", "news"], 200)
        rows = zip(range(200), arm, random.integers(0, 9, 200), bought, strict=True)
        lines = ["id,arm,orders,bought", *(",".join(map(str, row)) for row in rows)]
        path.write_text("\n".join(lines), encoding="utf-8")
        words = ("data=table", f"data.path={path}", "data.id=id", "treatment=arm", "control=none")
        line = (*words, "outcome=bought", "name=trial", f"outputs={study.path.parent}", "--quiet")
        if run_command(readout, line, "readout"):
            raise RuntimeError("the trial cannot be read out")
    return study.trial


def vary_ledger(ground: Ground) -> Reader:
    """Read ledgers, and write another opening into some."""
    _, record = _finished(ground)
    lines = ground.study.ledger.read_text("utf-8") * 3
    one = json.loads(lines.splitlines()[0])
    path = ground.folder / "ledger.jsonl"

    def vary(chance: Random) -> Read:
        raw = mutate_json(chance, one) if chance.random() < 0.5 else mutate_text(chance, lines)
        path.write_bytes(raw)
        ledger = Ledger(path, others=(path,))
        if chance.random() < 0.3:
            return lambda: ledger.add(record, 0.8)
        return lambda: ledger.entries(record.data.fingerprint)

    return vary


def vary_skops(ground: Ground) -> Reader:
    """Read models under the hash of what they are."""
    X, y = np.random.default_rng(9).normal(size=(80, 3)), np.arange(80) % 2
    models: list[BaseEstimator] = [
        LogisticRegression(),
        DecisionTreeClassifier(max_depth=3),
        LGBMClassifier(n_estimators=3, verbose=-1),
    ]
    path = ground.folder / "model.skops"
    raws = [skops.io.dumps(model.fit(X, y)) for model in models]
    raws.append(ground.study.model.read_bytes())
    weights, apart = (4, 4, 4, 1), _Apart()

    def vary(chance: Random) -> Read:
        raw = mutate_zip(chance, chance.choices(raws, weights)[0], MODEL_SCHEMA_FILE)
        path.write_bytes(raw)
        sha256 = hashlib.sha256(raw).hexdigest()
        apart.start()
        return lambda: apart.load(path, sha256)

    return vary


class _Apart:
    """A process that loads models, as the one that scores customers is: its death is a refusal."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    def start(self) -> ProcessPoolExecutor:
        """Return the process; where there is none, start it and wait for what it imports."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
            self._pool.submit(_import).result()
        return self._pool

    def load(self, path: Path, sha256: str) -> None:
        """Load a model there."""
        try:
            self.start().submit(_load, path, sha256).result()
        except BrokenProcessPool:
            self._pool = None
            raise RetainError("the process that loads the model died") from None


def _import() -> None:
    """Do nothing: to find this, a process imports all that this file does."""


def _load(path: Path, sha256: str) -> None:
    load_model(path, sha256)


def vary_scores(ground: Ground) -> Reader:
    """Read scores out of fold beside their record."""
    folder, record = _finished(ground)
    whole, raw = pq.read_table(folder / "scores.parquet"), (folder / "scores.parquet").read_bytes()
    path = ground.folder / "scores.parquet"

    def vary(chance: Random) -> Read:
        if chance.random() < 0.3:
            path.write_bytes(mutate_bytes(chance, raw))
        else:
            write_hostile_parquet(chance, whole, path)
        beside = record.model_copy(update={"scores_bytes": path.stat().st_size})
        return lambda: read_scores(path, beside, within=ground.folder)

    return vary
