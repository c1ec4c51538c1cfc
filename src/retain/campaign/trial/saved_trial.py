"""A trial in ``trial.parquet``, and its reading together with ``trial.json``.

trial.parquet     customer_id, arm, stratum, and by position propensity_0 …, outcome_0 …,
                  covariate_0 …, as trial.json names them
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from retain.campaign.trial.from_table import cost_in_outcome
from retain.campaign.trial.outcome_columns import fits_kind
from retain.campaign.trial.trial import Outcome, Trial
from retain.errors import RetainError
from retain.record.documents import content_id, read_document
from retain.record.trial_directory import TrialDirectory
from retain.record.trial_document import TrialDocument
from retain.storage.parquet import read_frame
from retain.storage.pinned import check_pinned
from retain.storage.writing import hash_file

MAX_SHARE_ERROR = 1e-6


def write_trial_table(trial: Trial, path: Path) -> str:
    """Write the customers of a trial, and return the SHA-256 of the file."""
    columns: dict[str, object] = {
        "customer_id": trial.ids,
        "arm": np.array(trial.arms, dtype=object)[trial.arm],
        "stratum": trial.stratum,
    }
    columns |= {f"propensity_{k}": trial.propensity[:, k] for k in range(len(trial.arms))}
    outcomes = enumerate(trial.outcomes.values())
    columns |= {f"outcome_{k}": np.asarray(outcome.values) for k, outcome in outcomes}
    covariates = enumerate(trial.covariates.items())
    columns |= {f"covariate_{k}": cells.to_numpy() for k, (_, cells) in covariates}
    frame = pd.DataFrame(columns)
    frame.to_parquet(path, index=False, compression="zstd")
    return hash_file(path)


def read_trial_document(directory: TrialDirectory) -> TrialDocument:
    """Return ``trial.json``.

    Raises
    ------
    RetainError
        It cannot be read, or is not what was written.
    """
    path = directory.trial_json
    tree, document = read_document(TrialDocument, path, within=directory.path)
    if document.id != content_id(tree):
        raise RetainError(
            f"{path} was changed since the campaign was read out: its id and its content disagree. "
            "Put back the file as it was written."
        )
    return document


def read_trial(directory: TrialDirectory) -> tuple[Trial, TrialDocument]:
    """Return a trial that was read out, and its document.

    Raises
    ------
    RetainError
        A file is missing, is not the one that was written, or does not fit the other.
    """
    home, document = directory.path, read_trial_document(directory)
    sha256, name = document.table.sha256, directory.trial_json.name
    check_pinned(directory.table, sha256, name, within=home)
    frame = read_frame(directory.table, within=home)
    try:
        return _assemble(frame, document), document
    except (KeyError, ValueError, TypeError) as error:
        raise _unfit(directory, str(error)) from None


def _unfit(directory: TrialDirectory, problem: str) -> RetainError:
    expected = "expected the files as retain-readout wrote them"
    return RetainError.at(str(directory.table), problem, expected)


def _assemble(frame: pd.DataFrame, document: TrialDocument) -> Trial:
    """Return the trial; raise ``ValueError`` or ``KeyError`` for columns that are not its own."""
    arms = tuple(arm.name for arm in document.arms)
    if len(set(arms)) < len(arms):
        raise ValueError("trial.json names an arm twice")
    outcomes = {
        one.name: Outcome(
            one.name, one.kind, frame[f"outcome_{k}"].to_numpy(dtype=float), one.is_reversed
        )
        for k, one in enumerate(document.outcomes)
    }
    names = [f"covariate_{k}" for k in range(len(document.covariates))]
    covariates = frame[names].set_axis(list(document.covariates), axis="columns")
    ids = pd.Index(frame["customer_id"], name="customer_id")
    value = {one.name: one.value for one in document.outcomes if one.value is not None}
    primary = next(iter(outcomes.values()))
    cost = np.array([arm.cost for arm in document.arms])
    if primary.name not in value:  # as in a campaign of retain, where it differs by customer
        cost = np.zeros(len(arms))
    trial = Trial(
        ids=ids,
        arms=arms,
        arm=pd.Index(arms).get_indexer(pd.Index(frame["arm"])),
        propensity=frame[[f"propensity_{k}" for k in range(len(arms))]].to_numpy(dtype=float),
        stratum=frame["stratum"].to_numpy(dtype=np.int64),
        outcomes=outcomes,
        covariates=covariates.set_axis(ids),
        cost=cost_in_outcome(cost, value, primary),
    )
    _check_values(trial)
    _check_document(trial, document)
    return trial


def _check_values(trial: Trial) -> None:
    total, arm = trial.propensity.sum(axis=1), np.maximum(trial.arm, 0)
    own = np.take_along_axis(trial.propensity, arm[:, None], axis=1)
    problems = {
        "an id is repeated or missing": not trial.ids.is_unique or trial.ids.hasnans,
        "an arm is not one of trial.json": (trial.arm < 0).any(),
        "a stratum is below 0 or above the number of customers": (
            (trial.stratum < 0) | (trial.stratum > len(trial.ids))
        ).any(),
        "propensities are below 0, or not 1 in total": not (
            (trial.propensity >= 0).all() and (np.abs(total - 1) < MAX_SHARE_ERROR).all()
        ),
        "a customer is in an arm of propensity 0": not (own > 0).all(),
        "an outcome is infinite": any(
            np.isinf(outcome.values).any() for outcome in trial.outcomes.values()
        ),
    }
    found = [problem for problem, is_found in problems.items() if is_found]
    if found:
        raise ValueError(found[0])


def _check_document(trial: Trial, document: TrialDocument) -> None:
    """Raise ``ValueError`` if ``trial.json`` says of the customers what the table does not."""
    sizes = np.bincount(trial.arm, minlength=len(trial.arms)).tolist()
    missing = {
        name: np.bincount(trial.arm[np.isnan(one.values)], minlength=len(trial.arms)).tolist()
        for name, one in trial.outcomes.items()
    }
    problems = {
        "customers": document.n_customers != len(trial.ids),
        "customers in an arm": [arm.n_customers for arm in document.arms] != sizes,
        "customers without an outcome": any(
            arm.n_missing != {name: counts[index] for name, counts in missing.items()}
            for index, arm in enumerate(document.arms)
        ),
    }
    for problem, is_found in problems.items():
        if is_found:
            raise ValueError(f"trial.json has another number of {problem}")
    for one in trial.outcomes.values():
        sign = -1 if one.is_reversed and one.kind != "binary" else 1
        observed = sign * np.compress(np.isfinite(one.values), one.values)
        if not fits_kind(observed, one.kind).all():
            raise ValueError(f"trial.json calls outcome {one.name!r} {one.kind}, and it is not")
