"""Campaigns of known effect, as the experiment on readouts draws them, and their files."""

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pandas as pd

from retain.campaign.assignment import CSV, JSON, SCHEMA, campaign_id
from retain.storage.writing import hash_file
from retain.verdict.export import write_csv

_PATH = Path(__file__).resolve().parents[3] / "experiments" / "statistics" / "readout.py"
_SPEC = spec_from_file_location("simulated_readouts", _PATH)
simulation = module_from_spec(_SPEC)
sys.modules[_SPEC.name] = simulation  # dataclasses look their module up
_SPEC.loader.exec_module(simulation)

PLAN = {
    "schema": SCHEMA,
    "profit_unit": "roubles",
    "seed": 3,
    "power": {"alpha": 0.05, "power": 0.8},
}


def write_campaign(folder, assignment, plan=PLAN):
    """The files of a campaign, as a comparison leaves them but for the offers in words."""
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(assignment.table, folder / CSV)
    settings = {
        "offers": assignment.catalogue.model_dump(mode="json", by_alias=True),
        "assumptions": assignment.assumptions.model_dump(mode="json"),
    }
    write_tree(folder, {**plan, "files": {CSV: hash_file(folder / CSV)}, "settings": settings})
    return folder


def write_tree(folder, tree):
    """A campaign's JSON under the id of its content."""
    tree = {**tree, "id": campaign_id(tree)}
    (folder / JSON).write_text(json.dumps(tree, ensure_ascii=False), encoding="utf-8")


def simulate_campaign(design=simulation.SMALL, seed=5):
    """One campaign, who declined, and what each customer was worth: kept where he stayed."""
    (treated,), (declined,) = design.sample(1, seed)
    kept = np.where(declined, 0.0, design.table["profit"])
    return design.assignment(treated), declined, kept


def outcomes_table(assignment, declined, kept=None, **columns):
    """The rows of an outcomes file."""
    table = pd.DataFrame({"customer_id": assignment.table["customer_id"]})
    table["declined"] = np.where(declined, "yes", "no")
    if kept is not None:
        table["profit"] = kept
    return table.assign(**columns)
