"""Campaigns of known effect, as the experiment on readouts draws them, and their files."""

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from retain.campaign.assignment import CSV, JSON
from retain.campaign.known_customers import write_known_customers
from retain.campaign.value.calibration_map import CalibrationMap
from retain.campaign.value.recalibration import Line, Recalibration
from retain.record.approval_document import Policies
from retain.record.campaign_document import (
    CAMPAIGN_SCHEMA,
    CampaignDocument,
    Concentration,
    OverviewInfo,
    PlanTotals,
    RiskByProfit,
)
from retain.record.control_group import ControlGroup
from retain.record.directory import CampaignDirectory
from retain.record.documents import content_id, to_tree
from retain.record.estimates import Estimate
from retain.record.plan_scenarios import PowerInfo, PowerResult
from retain.schema.parsing import parse
from retain.schema.scoring import CampaignSettings
from retain.storage.writing import hash_file
from retain.verdict.export import ENGLISH_DIALECT, write_csv

_PATH = Path(__file__).resolve().parents[3] / "experiments" / "statistics" / "readout.py"
_SPEC = spec_from_file_location("simulated_readouts", _PATH)
simulation = module_from_spec(_SPEC)
sys.modules[_SPEC.name] = simulation  # dataclasses look their module up
_SPEC.loader.exec_module(simulation)

CONF = Path(__file__).resolve().parents[3] / "conf"
NOBODY = {"n_chosen": 0, "n_treated": 0, "n_control": 0}


def shipped(group, name):
    """An option of a config group."""
    return yaml.safe_load((CONF / group / f"{name}.yaml").read_text(encoding="utf-8"))


def make_plan(assignment, **changes):
    """The content of ``campaign.json`` of a plan for nobody, but for its id and files."""
    one = CalibrationMap("logit", np.array([0.0, 1.0]), np.eye(2) / 100)
    recalibration = Recalibration(one, one, 1000, 400, Line(0.0, 1.0, 0.9, 1.1))
    power = PowerResult(
        n_treated=0,
        n_control=0,
        baseline_rate=0.0,
        expected=0.0,
        minimum_detectable_effect=None,
        required_n=None,
        claimable=False,
    )
    nothing = Estimate(0.0, 0.0, 0.0)
    settings = {
        "segmentation": shipped("segmentation", "risk_value"),
        "assumptions": assignment.assumptions.model_dump(),
        "offers": assignment.catalogue.model_dump(by_alias=True),
        "campaign": shipped("campaign", "default"),
    }
    document = CampaignDocument(
        schema_=CAMPAIGN_SCHEMA,
        seed=3,
        n_customers=len(assignment.table),
        n_contactable=len(assignment.table),
        consent="assume_given",
        ranking="shown",
        free_offers=(),
        objective="profit",
        profit_unit="roubles",
        basis=None,
        policies=Policies(
            max_contacts_current=None,
            contacts_current=None,
            rest_days=None,
            days_since_contact=None,
            channels=(),
            n_spared=0,
        ),
        care=(),
        assumptions=(),
        recalibration=recalibration.to_info(),
        calibration_check=None,
        expected_profit_at_risk=nothing,
        observed_profit_at_risk=None,
        profit_concentration=Concentration(n_first=1, share=0.0, limit=0.2),
        n_missing_profit=0,
        n_simulations=1000,
        offers=(),
        plan=PlanTotals(
            **{**NOBODY, "n_paying": 0, "expected_cost": 0.0, "expected_saved": 0.0},
            segment_offers=None,
            kept=None,
            budget=None,
            max_contacts=None,
            unmet_minimums=(),
            relative_gap=0.0,
            method="dual",
            is_optimal=True,
            expected_net=nothing,
        ),
        control_group=ControlGroup(share=0.2, mean_share=0.2, n_attempts=1, strata=()),
        power=PowerInfo(alpha=0.05, level=0.025, power=0.8, overall=power, segments=()),
        overview=OverviewInfo(
            n_declined=None,
            expected_declines=nothing,
            at_risk_share=None,
            net_share=None,
            channels=(),
            risk_by_profit=RiskByProfit(
                risk_edges=(),
                profit_edges=(),
                n_customers=(),
                profit_at_risk=(),
                n_high=0,
                high_share=0.0,
            ),
        ),
        settings=parse(CampaignSettings, settings),
    )
    return to_tree(document.model_copy(update=changes))


def write_campaign(folder, assignment, dialect=ENGLISH_DIALECT, features=None, **changes):
    """The files of a campaign, as a comparison leaves them but for the offers in words.

    ``features`` are what was known of its customers, in their order; None leaves no such file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(assignment.table, folder / CSV, dialect)
    files = {CSV: hash_file(folder / CSV)}
    if features is not None:
        path = CampaignDirectory(folder).customers
        write_known_customers(features.assign(customer_id=assignment.table["customer_id"]), path)
        files[path.name] = hash_file(path)
    write_tree(folder, {**make_plan(assignment, **changes), "files": files})
    return folder


def write_tree(folder, tree):
    """A campaign's JSON under the id of its content."""
    tree = {**tree, "id": content_id(tree)}
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
