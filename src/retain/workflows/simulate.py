"""Invented outcomes of a campaign, drawn by a known truth, and the files they leave.

outputs/<study>/simulated/<campaign id>/
  outcomes.csv         the outcomes, as ``retain-readout`` reads them
  truth.json           the truth and what the plan is worth by it; see record/truth_document.py
  true_customers.csv   the true risk and net value of each customer, which no readout reads
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from retain.campaign.assignment import Assignment, read_assignment
from retain.campaign.simulation.outcomes import simulate_outcomes
from retain.campaign.simulation.truth import (
    TrueCustomers,
    add_new_offers,
    evaluate_plan,
    find_true_customers,
    make_truth,
)
from retain.errors import RetainError
from retain.record.directory import CampaignDirectory
from retain.record.documents import read_document, write_document
from retain.record.simulation_directory import SimulationDirectory
from retain.record.study import StudyDirectory
from retain.record.truth_document import PlanValue, Truth, TruthDocument
from retain.schema.simulate import Simulate
from retain.storage.paths import parse_path
from retain.verdict.export import write_csv


@dataclass(frozen=True)
class Simulation:
    """Invented outcomes, the truth behind them, and where both lie."""

    document: TruthDocument
    outcomes: pd.DataFrame
    customers: pd.DataFrame
    directory: SimulationDirectory


def simulate_campaign(
    campaign: CampaignDirectory,
    config: Simulate,
    *,
    on_wait: Callable[[StudyDirectory], None] = lambda _: None,
) -> Simulation:
    """Invent the outcomes of a campaign, and write them in place of those before.

    ``on_wait`` is called with the folder to lock if another command holds its lock.

    Raises
    ------
    RetainError
        The campaign, the truth or a key are invalid, or the folder is not writable.
    """
    study = _output_study(campaign, config.output_dir)
    with study.rewriting(lambda: on_wait(study), "output_dir=FOLDER") as staging:
        assignment = read_assignment(campaign.path)
        truth, earlier = _find_truth(config, assignment)
        customers = find_true_customers(truth, assignment)
        plan = evaluate_plan(truth, customers, assignment)
        simulation = Simulation(
            TruthDocument(truth=truth, plan=plan, earlier=earlier),
            simulate_outcomes(truth, customers, assignment, config, config.seed),
            true_customers_table(customers, assignment),
            study.simulation(assignment.id),
        )
        place = simulation.directory.path.relative_to(study.path).as_posix()
        write_simulation(SimulationDirectory(staging.add(place)), simulation)
    return simulation


def write_simulation(files: SimulationDirectory, simulation: Simulation) -> None:
    """Write outcomes and truth into a new folder."""
    write_csv(simulation.outcomes, files.outcomes)
    write_csv(simulation.customers, files.customers)
    write_document(simulation.document, files.truth)


def true_customers_table(customers: TrueCustomers, assignment: Assignment) -> pd.DataFrame:
    """Return the rows of ``true_customers.csv``."""
    return assignment.table[["customer_id", "offer", "arm"]].assign(
        true_risk=customers.risk,
        true_risk_with_offer=customers.risk_with_offer,
        true_save_rate=customers.save_rate,
        true_cost=customers.cost,
        true_net=customers.net,
    )


def _find_truth(config: Simulate, assignment: Assignment) -> tuple[Truth, PlanValue | None]:
    """Return the truth of the file that is named, with its plan, or a new one."""
    if config.truth is None:
        return make_truth(config, assignment, config.seed), None
    saved = read_document(TruthDocument, parse_path("truth", config.truth))[1]
    return add_new_offers(saved.truth, assignment.catalogue), saved.plan


def _output_study(campaign: CampaignDirectory, output_dir: str | None) -> StudyDirectory:
    """Return the study that gets ``simulated/``.

    Raises
    ------
    RetainError
        The campaign lies in no study, and no folder is named.
    """
    if output_dir is not None:
        return StudyDirectory(parse_path("output_dir", output_dir))
    study = StudyDirectory.around(campaign.path)
    if study is None:
        raise RetainError(
            f"{campaign.path} is not in the campaigns/ of a study, beside which outcomes could "
            "lie; name a folder for them: output_dir=FOLDER"
        )
    return study
