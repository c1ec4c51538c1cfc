"""How often a comparison reads the data of its winner, counted in all of its processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

# Arrow opens the file by itself, unseen by Python, but only after its head was read through here.
HOOK = """
import os, sys

def note(event, arguments):
    if event == "open" and str(arguments[0]).endswith("shop.csv"):
        log = os.open(os.environ["OPENED"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(log, f"{os.getpid()}\\n".encode())
        os.close(log)

sys.addaudithook(note)
"""
TABLE = (
    "data=table",
    "data.path=shop.csv",
    "data.id=id",
    "data.target=left",
    "data.profit=money",
    "data.profit_unit=euro",
    "data.groups={site:[pages],purchase:[contacts,revenue_previous,revenue_current]}",
)


def jobs_in(verdict):
    """The jobs that need customers and left something in a verdict."""
    reasons = verdict["explanations"]
    left = {
        "refit": verdict["sealed_test"],
        "associate": any(one["phik"] for one in reasons["features"]),
        "explain": reasons["drivers"],
        "ablate": any(
            (one["ablation"] or {}).get("source") == "refit" for one in reasons["groups"]
        ),
        "plan": verdict["campaign"]["plan"],
    }
    return {job for job, part in left.items() if part}


@pytest.fixture
def audited_compare(here):
    """``retain-compare`` in processes that all note when they open the customers."""
    (here / "hook").mkdir()
    (here / "hook" / "sitecustomize.py").write_text(HOOK)
    paths = [str(here / "hook"), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {"PYTHONPATH": os.pathsep.join(paths), "OPENED": str(here / "opened.log")}

    def called(*words):
        command = [str(Path(sys.executable).with_name("retain-compare")), *words]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=os.environ | environment,
        )
        log = here / "opened.log"
        return done, log.read_text().split() if log.exists() else []

    return called


def test_a_comparison_with_two_workers_opens_the_data_once(retain, audited_compare, shop):
    customers = shop(240)
    table = customers.features.assign(left=customers.target, money=customers.profit)
    table.reset_index(names="id").to_csv("shop.csv", index=False)
    code, output = retain(*TABLE, "validation.folds=2", "validation.repeats=1", "study.name=once")
    assert code == 0, output
    words = ("explain=full", "explain.permutation_repeats=1", "resamples=100")
    words += ("campaign.budget=50", "offers.costs=accept")
    done, opened = audited_compare("study=once", "workers=2", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    verdict = Path("outputs/once/verdict/verdict.json").read_text(encoding="utf-8")
    assert jobs_in(json.loads(verdict)) == {"refit", "associate", "explain", "ablate", "plan"}
    assert len(opened) == 1
