"""The readout of a randomised campaign in a table, and the files it leaves.

outputs/<name>/trial/
  report.html       the results for people
  trial.json        the checks and results, for programs; see record/trial_document.py
  trial.parquet     the customers, from which effects are learned
  effects.csv       the effects, one row per arm and outcome
  subgroups.csv     the effects by subgroup, with the test that they differ
  balance.csv       the covariates by arm
  dropped_rows.csv  rows of the files that are no customers, if there are any
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from threadpoolctl import threadpool_limits

from retain.campaign.effects.next_campaign import NextCustomers
from retain.campaign.effects.spec import EffectsSpec, build_effects_spec
from retain.campaign.readout.trial_readout import (
    TrialResult,
    TrialSettings,
    build_trial_readout,
)
from retain.campaign.trial.from_table import TrialTable, build_trial, named_columns
from retain.campaign.trial.saved_trial import write_trial_table
from retain.customers.customers import CleaningStep, Customers
from retain.errors import NotApplicable, RetainError
from retain.execution.dataset import capture_log
from retain.learning.components import build_source
from retain.record.documents import SavedFile, write_document
from retain.record.effects_document import EffectsDocument
from retain.record.study import StudyDirectory
from retain.record.subgroups_document import SubgroupRow
from retain.record.trial_directory import TrialDirectory
from retain.record.trial_document import ArmEffect, TrialDocument
from retain.report.page.trial_page import trial_page
from retain.schema.effects import PolicyLimits
from retain.schema.parsing import Node
from retain.schema.readout import TrialKeys
from retain.storage.writing import write_text
from retain.verdict.export import flatten_estimates, write_csv, write_dropped_rows
from retain.workflows.earlier_look import look_at_trial
from retain.workflows.effects import check_learner, judge_plans, write_effects
from retain.workflows.left_out import list_left_out
from retain.workflows.next_campaign import read_next_customers


@dataclass(frozen=True)
class TrialReadout:
    """The readout of a trial, where it lies, what the readers said, and effects if asked for.

    ``left_out`` are steps of the reading that dropped customers of a file, ``n_dropped_rows``
    counts rows of files that are no customers.
    """

    document: TrialDocument
    directory: TrialDirectory
    messages: tuple[str, ...]
    left_out: tuple[CleaningStep, ...]
    n_dropped_rows: int
    effects: EffectsDocument | NotApplicable | None


def read_out_trial(
    data: Node,
    keys: TrialKeys,
    outputs: Path,
    *,
    on_wait: Callable[[StudyDirectory], None] = lambda _: None,
) -> TrialReadout:
    """Read a randomised campaign from a table, check it, and write its readout.

    ``on_wait`` is called with the folder to lock if another command holds its lock.

    Raises
    ------
    RetainError
        The table or a key is invalid, the campaign fails a check, or the folder is not writable.
    """
    check_learner(keys)
    spec = build_effects_spec(keys.effects, keys.seed, keys.threads)
    with capture_log() as messages:
        customers = read_trial_customers(data, keys)
        table = build_trial(customers, keys)
        following = read_next_customers(data, keys, customers, table)
    study = StudyDirectory(outputs / (keys.name or name_trial(data)))
    with study.rewriting(lambda: on_wait(study), "outputs=FOLDER") as staging:
        settings = look_at_trial(study, table, keys)
        files = TrialDirectory(staging.add(study.trial.path.name))
        with threadpool_limits(1):  # small fits, which more threads would only slow down
            result = write_trial(files, table, settings)
        effects = None if spec is None else learn(files, table, spec, keys.limits, following)
        write_trial_page(files, result.document, effects, keys.report.language)
        rows = () if following is None else following.dropped_rows
        if dropped := (*customers.reading.dropped_rows, *rows):
            write_dropped_rows(dropped, files.dropped_rows)
    left_out = tuple(_list_left_out(customers, table, following))
    lines = tuple(messages)
    return TrialReadout(result.document, study.trial, lines, left_out, len(dropped), effects)


def _list_left_out(
    customers: Customers, table: TrialTable, following: NextCustomers | None
) -> Iterator[CleaningStep]:
    """Yield the steps that left customers out: of the trial, then of the next campaign."""
    yield from (step for step in customers.funnel if step.dropped)
    ids = customers.features.index
    if not (is_in := ids.isin(table.trial.ids)).all():
        reason, dropped = "the treatment is missing", tuple(ids[~is_in])
        yield CleaningStep("without an arm", len(ids), int(is_in.sum()), reason, dropped=dropped)
    if following is not None:
        for step in following.left_out:
            yield replace(step, name=f"{following.file}: {step.name}")


def learn(
    files: TrialDirectory,
    table: TrialTable,
    spec: EffectsSpec,
    limits: PolicyLimits,
    customers: NextCustomers | None = None,
) -> EffectsDocument | NotApplicable:
    """Learn effects, judge plans by them, and write both; or return why that cannot be.

    The plan of the next campaign for its ``customers`` is written too.
    """
    try:
        document, plan = judge_plans(table, spec, limits, customers)
    except NotApplicable as reason:
        return reason
    if plan is not None:
        write_csv(plan.table, files.next_campaign)
    if customers is not None and customers.left_out:
        write_csv(list_left_out(customers.left_out), files.next_left_out)
    write_effects(files, document)
    return document


def write_trial_page(
    files: TrialDirectory,
    trial: TrialDocument,
    effects: EffectsDocument | NotApplicable | None,
    language: str,
) -> None:
    """Write the page of a trial, with plans if effects were learned."""
    learned = effects if isinstance(effects, EffectsDocument) else None
    write_text(files.report, trial_page(trial, learned, language))


def read_trial_customers(data: Node, keys: TrialKeys) -> Customers:
    """Return the customers of a table with all columns that the keys name.

    Raises
    ------
    RetainError
        The table cannot be read, or a key of models to be trained is typed.
    """
    for key in ("target", "profit"):
        if data.get(key) is not None:
            expected = "expected outcome=COLUMN for what came of the campaign"
            raise RetainError.at(f"data.{key}", "no model is trained here", expected)
    named = named_columns(keys)
    listed = data.get("categorical_columns") or ()
    texts = [*([listed] if isinstance(listed, str) else listed), *named["treatment"]]
    node = {**data, "categorical_columns": [*texts, *named["strata"]]}
    return build_source(node, named_columns=named)()


def name_trial(data: Node) -> str:
    """Return the name of a trial by its file, safe as the name of a folder.

    >>> name_trial({"path": "data/e-mail test (2).csv"}), name_trial({"path": "..."})
    ('e-mail_test_2', 'trial')
    """
    stem = Path(str(data.get("path"))).name.split(".")[0]
    return re.sub(r"[^\w-]+", "_", stem).strip("_-") or "trial"


def write_trial(files: TrialDirectory, table: TrialTable, settings: TrialSettings) -> TrialResult:
    """Write all files into a new folder, and return the readout."""
    sha256 = write_trial_table(table.trial, files.table)
    saved = SavedFile(file=files.table.name, sha256=sha256)
    result = build_trial_readout(table, settings, saved)
    write_csv(arm_effects_table(result.document.effects), files.effects)
    write_csv(subgroups_table(result.document), files.subgroups)
    balance = [row.model_dump() for row in result.balance]
    columns = None if balance else ["covariate", "arm"]
    write_csv(pd.DataFrame(balance, columns=columns), files.balance)
    write_document(result.document, files.trial_json)
    return result


INTERVALS = ("difference", "adjusted", "log1p")
"""Keys of an effect that hold an interval, or none."""


def arm_effects_table(rows: Sequence[ArmEffect]) -> pd.DataFrame:
    """Return the effects as a flat table for ``effects.csv``."""
    cells = ((*row, *(row.robust or ())) for row in rows)
    flat = [flatten_estimates(one, INTERVALS) for one in cells]
    return pd.DataFrame(flat).drop(columns="robust")


def subgroups_table(document: TrialDocument) -> pd.DataFrame:
    """Return the effects by subgroup as a flat table for ``subgroups.csv``."""
    rows = [flatten_estimates(row, INTERVALS) for row in document.subgroups.rows]
    if not rows:
        return pd.DataFrame(columns=list(SubgroupRow.model_fields))
    tests = pd.DataFrame([dict(test) for test in document.subgroups.tests])
    return pd.DataFrame(rows).merge(tests, on=["covariate", "arm"])
