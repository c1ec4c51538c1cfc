"""The readout of a campaign: its outcomes against its control group, and the files it leaves.

campaigns/<id>/readout/
  readout.json           the results, for programs; see record/readout_document.py
  effects.csv            the effects, one row per outcome and subgroup
  offers/<name>.yaml     the catalogue with updated save rates
  trial/                 with a learner of effects: the campaign as a trial; see workflows/trial.py
  manifest.json          size and SHA-256 of these files; see record/manifest.py
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits

from retain.campaign.assignment import Assignment, read_assignment, to_yaml_dict
from retain.campaign.effects.spec import EffectsSpec
from retain.campaign.known_customers import read_known_customers
from retain.campaign.readout.campaign_trial import build_campaign_trial
from retain.campaign.readout.log_outcomes import OutcomesSource, observe_campaign
from retain.campaign.readout.outcomes import Outcomes
from retain.campaign.readout.readout import ReadoutResult, build_readout
from retain.campaign.readout.trial_readout import TrialSettings
from retain.errors import NotApplicable, RetainError
from retain.execution.plan import collect_environment
from retain.execution.yaml_writer import to_yaml
from retain.record.directory import CampaignDirectory, ReadoutDirectory
from retain.record.documents import read_document, write_document
from retain.record.effects_document import EffectsDocument
from retain.record.looks_document import Look
from retain.record.manifest import write_manifest
from retain.record.readout_document import EffectRow, ReadoutDocument
from retain.record.study import StudyDirectory
from retain.record.trial_directory import TrialDirectory
from retain.schema.campaign import Catalogue
from retain.schema.effects import PolicyLimits
from retain.schema.readout import Monitoring
from retain.storage.transaction import transaction
from retain.storage.writing import write_text
from retain.verdict.export import flatten_estimates, write_csv
from retain.workflows.effects import judge_campaign_plans, write_effects
from retain.workflows.trial import write_trial, write_trial_page


@dataclass(frozen=True)
class Learning:
    """Learner of effects, limits of the plans judged by them, and the page's language."""

    spec: EffectsSpec
    limits: PolicyLimits
    language: str = "en"


INTERVALS = ("difference", "customers_saved")
"""Keys of an effect that hold an interval."""


def read_out_campaign(  # noqa: PLR0913 - keyword-only settings
    campaign: CampaignDirectory,
    outcomes: OutcomesSource,
    *,
    resamples: int,
    monitoring: Monitoring = "auto",
    learning: Learning | None = None,
    on_wait: Callable[[StudyDirectory], None] = lambda _: None,
) -> ReadoutResult:
    """Measure the effects of a campaign, and write its readout in place of the one before.

    With ``learning`` the campaign is written as a trial too, and effects are learned from it.
    ``on_wait`` is called with the folder to lock if another command holds its lock.

    Raises
    ------
    RetainError
        The campaign, the outcomes or the readout before are invalid, or the folder is not writable.
    """
    study, subfolder = StudyDirectory.to_lock(campaign.path, campaign.readout.path)
    try:
        with study.alone(lambda: on_wait(study)):
            assignment = read_assignment(campaign.path)
            observed = observe_campaign(outcomes, assignment)
            result = build_readout(
                assignment,
                observed,
                resamples=resamples,
                monitoring=monitoring,
                looks=read_looks(campaign, assignment),
            )
            with transaction(study.path) as staging:
                files = ReadoutDirectory(staging.add(subfolder))
                write_readout(files, result)
                if learning is not None:
                    known = read_known_customers(campaign, assignment)
                    observations = (assignment, observed, known)
                    effects = write_campaign_trial(files.trial, observations, result, learning)
                    result = replace(result, effects=effects)
                write_manifest(files.path, collect_environment().code_sha256)
    except OSError as error:
        message = f"copy {campaign.path} to a folder of yours and name that: campaign=FOLDER"
        raise RetainError.unwritable(campaign.readout.path, error, message) from None
    return result


def write_campaign_trial(
    files: TrialDirectory,
    observations: tuple[Assignment, Outcomes, pd.DataFrame],
    result: ReadoutResult,
    learning: Learning,
) -> EffectsDocument | NotApplicable:
    """Write a campaign as a trial with the effects learned, or return why that cannot be."""
    assignment = observations[0]
    try:
        table = build_campaign_trial(*observations)
        settings = TrialSettings(
            name=assignment.id,
            treatment="offer",
            alpha=assignment.alpha,
            power=assignment.power,
            looks=result.document.looks,
            n_planned=len(table.trial.ids),
            refuse=False,
        )
        files.path.mkdir()
        with threadpool_limits(1):
            trial = write_trial(files, table, settings).document
        effects = judge_campaign_plans(table, assignment, learning.spec, learning.limits)
    except NotApplicable as reason:
        return reason
    write_effects(files, effects)
    write_trial_page(files, trial, effects, learning.language)
    return effects


def read_looks(campaign: CampaignDirectory, assignment: Assignment) -> tuple[Look, ...]:
    """Return the looks at a campaign so far; none if there is no readout.

    Raises
    ------
    RetainError
        The readout is not one of this campaign, or does not say how often it was read out.
    """
    path = campaign.readout.readout
    if not path.exists():
        return ()
    try:
        document = read_document(ReadoutDocument, path, within=campaign.path)[1]
    except RetainError as error:
        raise _unknown_looks(path, assignment, f"{str(error).removesuffix('.')}, so it") from None
    if document.campaign_id != assignment.id:
        raise _unknown_looks(path, assignment, str(path))
    return document.looks


def _unknown_looks(path: Path, assignment: Assignment, what: str) -> RetainError:
    return RetainError(
        f"{what} does not say how often campaign {assignment.id} was read out; expected the file "
        f"as retain-readout wrote it. To count from one, remove {path.parent}."
    )


def write_readout(files: ReadoutDirectory, result: ReadoutResult) -> None:
    """Write all files into a new folder."""
    write_csv(effects_table(result.document.effects), files.effects)
    if result.catalogue is not None:
        name = result.catalogue.name
        write_text(files.offers(name), offers_yaml(result.catalogue, result.document.campaign_id))
    write_document(result.document, files.readout)


def effects_table(rows: Sequence[EffectRow]) -> pd.DataFrame:
    """Return the effects as a flat table for ``effects.csv``."""
    return pd.DataFrame([flatten_estimates(row, INTERVALS) for row in rows])


def offers_yaml(catalogue: Catalogue, campaign: str) -> str:
    """Return the catalogue as an option of the config group ``offers``, interpolations escaped."""
    message = f"# Offers, with their save rates as the readout of campaign {campaign} left them."
    return f"{message}\n{to_yaml(_escape_interpolation(to_yaml_dict(catalogue)))}"


def _escape_interpolation(node: Any) -> Any:
    """Return the tree with ``${`` escaped, so that it is not read as a reference."""
    if isinstance(node, dict):
        return {key: _escape_interpolation(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_escape_interpolation(value) for value in node]
    return node.replace("${", "\\${") if isinstance(node, str) else node
