"""The steps of retain: sweep, compare, plan, score, read out, learn, each as its command does."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from retain.cli.compare import compare as compare_command
from retain.cli.readout import readout as readout_command
from retain.cli.run import run as run_command
from retain.cli.score import score_and_write
from retain.errors import RetainError
from retain.library.options import write_options
from retain.library.readouts import SavedEffects, SavedReadout
from retain.library.results import SavedCampaign, SavedScores, SavedStudy, SavedVerdict
from retain.library.source import source_words, to_file
from retain.library.words import command, output, to_words
from retain.record.directory import CampaignDirectory
from retain.record.study import StudyDirectory
from retain.workflows.trial import name_trial

if TYPE_CHECKING:
    from retain.customers.customers import Customers

    Folder = str | os.PathLike[str]
    Table = str | os.PathLike[str] | pd.DataFrame


def sweep(
    customers: Customers, *, study: Folder, quiet: bool = False, **axes: object
) -> SavedStudy:
    """Fit every combination of the values in lists, each in a run directory of its own.

    Runs that are done are not done again, whoever did them: this function, or ``retain -m`` in a
    shell, which finds and makes the same.

    Parameters
    ----------
    customers
        Of ``read_table``, ``read_purchases``, ``read_store`` or ``demo``.
    study
        Folder of the study, such as ``outputs/mine``.
    quiet
        True: print neither plan nor progress.
    axes
        Keys of ``conf/run.yaml``. A list is swept: ``model=["logreg", "svc"]``,
        ``validation__folds=[3, 5]``. A model, sampler or scaling may be an unfitted object of
        scikit-learn, imbalanced-learn, LightGBM or CatBoost.

    Raises
    ------
    RetainError
        A key or the customers are wrong, or the study cannot be written.
    KeyboardInterrupt
        After Ctrl-C; the same call goes on with the runs that are left.
    """
    path = _folder("study", study)
    for key in ("study", "study.name", "outputs"):
        if any(name.replace("__", ".") == key for name in axes):
            raise RetainError.at(
                key, "the folder is named by study=FOLDER", "expected it there alone"
            )
    axes, folders = write_options(axes, path)
    words = (*source_words(customers), *_name(path, "study.name"))
    line = command(axes, *words, multirun=True, config_dirs=folders)
    with output(quiet=quiet):
        run_command(line)
    return SavedStudy(path, line.words)


def compare(study: SavedStudy | Folder, *, quiet: bool = True, **keys: object) -> SavedVerdict:
    """Compare the runs of a study, and evaluate, explain and plan with the winner.

    Parameters
    ----------
    study
        A study, or its folder.
    quiet
        False: print what ``retain-compare`` prints.
    keys
        Keys of ``conf/compare.yaml``, such as ``explain="none"``.

    Raises
    ------
    RetainError
        There are no runs, they cannot be compared, or a key is wrong.
    """
    path = study.path if isinstance(study, SavedStudy) else _folder("study", study)
    return _compare(path, command(keys, *_name(path, "study.name")).overrides, quiet=quiet)


def plan_campaign(
    verdict: SavedVerdict | Folder,
    *,
    offers: str | None = None,
    budget: float | None = None,
    effects: SavedEffects | None = None,
    quiet: bool = True,
    **keys: object,
) -> SavedCampaign:
    """Plan a campaign with the winner of a comparison, in place of the plan that it points to.

    Parameters
    ----------
    verdict
        A verdict, or the folder of its study.
    offers
        A catalogue of ``conf/offers``.
    budget
        The most that the campaign may cost, in the unit of profit.
    effects
        Of ``learn_effects``: they take the place of assumed save rates.
    keys
        Keys of ``conf/compare.yaml``, such as ``campaign__control_share=0.2``.

    Raises
    ------
    RetainError
        No campaign can be planned, for the reason given, or a key is wrong.
    """
    if isinstance(verdict, SavedVerdict):
        path, before = verdict.path.parent, verdict.overrides
    else:
        path, before = _folder("verdict", verdict), ()
    before = before or _name(path, "study.name")
    typed: dict[str, object] = {"offers": offers, "campaign.budget": budget}
    typed = {key: value for key, value in typed.items() if value is not None}
    if effects is not None:
        typed |= {"effects": effects.document.learner, "effects.from": [effects.path]}
    words = (*before, *to_words({**typed, **keys}), "campaign.replace=true")
    renewed = _compare(path, words, quiet=quiet)
    if renewed.campaign is None:
        planned = renewed.document.campaign
        raise RetainError(
            "no campaign was planned"
            + (f": {reason}" if (reason := getattr(planned, "reason", None)) else ".")
        )
    return renewed.campaign


def _compare(path: Path, words: tuple[str, ...], *, quiet: bool) -> SavedVerdict:
    with output(quiet=quiet):
        compare_command(command({}, *words))
    return SavedVerdict(StudyDirectory(path).verdict, words)


def score(
    verdict: SavedVerdict | Folder,
    table: Table | None = None,
    *,
    quiet: bool = True,
    **keys: object,
) -> SavedScores:
    """Score new customers by a saved winner, and plan a campaign for them.

    Parameters
    ----------
    verdict
        A verdict, or the folder of its study.
    table
        The new customers, as the training customers were: a file or a frame; None where ``keys``
        name them, as ``data__dir=FOLDER`` or ``data__snapshot=DAY`` do.
    keys
        Keys of ``conf/score.yaml``.

    Raises
    ------
    RetainError
        The verdict holds no model, the customers cannot be read, or a key is wrong.
    """
    path = verdict.path if isinstance(verdict, SavedVerdict) else _folder("verdict", verdict)
    beside = path.parent.parent if path.name == StudyDirectory(path).verdict.name else path.parent
    typed = {} if table is None else {"data.path": to_file(table, beside)}
    line = command({**typed, **keys}, *to_words({"verdict": path}))
    with output(quiet=quiet):
        home = score_and_write(line)
    return SavedScores(home.path, line.overrides)


def readout(
    what: SavedCampaign | Table,
    outcomes: Table | None = None,
    *,
    outputs: Folder = "outputs",
    quiet: bool = True,
    **keys: object,
) -> SavedReadout:
    """Return what a campaign did, or any randomised trial in a table.

    Parameters
    ----------
    what
        A campaign that was planned, with ``outcomes``; or a file or frame with a row per customer
        and ``treatment="column", control="arm", outcome="column"``.
    outcomes
        A file or frame with a row per customer of the campaign; None for those in a newer purchase
        log, ``data="purchases", data__path=LOG``.
    outputs
        Folder of the studies, in which the readout of a table gets one of its own.
    keys
        Keys of ``conf/readout.yaml``.

    Raises
    ------
    RetainError
        The table cannot be read, is not randomised, or a key is wrong.
    """
    if isinstance(what, SavedCampaign):
        studies = StudyDirectory(what.path.parents[1]).path.parent
        table = None if outcomes is None else to_file(outcomes, studies)
        named = {} if table is None else {"outcomes": table}
        words = to_words({"campaign": what.path, **named, **keys})
        home = CampaignDirectory(what.path).readout.path
    else:
        table = to_file(what, Path(outputs))
        name = str(keys.pop("name", None) or name_trial({"path": table}))
        typed: dict[str, object] = {"data.path": table, "outputs": outputs, "name": name}
        words = ("data=table", *to_words({**typed, **keys}))
        home = StudyDirectory(Path(outputs) / name).trial.path
    return _read_out(words, home, quiet=quiet)


def _read_out(words: tuple[str, ...], home: Path, *, quiet: bool) -> SavedReadout:
    with output(quiet=quiet):
        readout_command(command({}, *words))
    return SavedReadout(home, words)


def learn_effects(
    readout: SavedReadout, learner: str = "dr_learner", *, quiet: bool = True, **keys: object
) -> SavedEffects:
    """Learn what each offer does to whom from a readout, and judge plans by it.

    Parameters
    ----------
    readout
        Of ``readout`` in this process: its outcomes are read again.
    learner
        A name of ``conf/effects``.
    keys
        Keys of ``conf/readout.yaml``, such as ``limits__budget=100``.

    Raises
    ------
    RetainError
        The trial does not allow it, for the reason given, or a key is wrong.
    """
    if not isinstance(readout, SavedReadout):
        found = f"it is a {type(readout).__name__}"
        raise RetainError.at("readout", found, "expected what retain.readout returns")
    if not readout.overrides:
        raise RetainError(
            f"{readout.path} was loaded, and its outcomes are not named there; "
            "expected what retain.readout(campaign, OUTCOMES) returns."
        )
    words = (*readout.overrides, *to_words({"effects": learner, **keys}))
    effects = _read_out(words, readout.path, quiet=quiet).effects
    if effects is None:
        raise RetainError(f"no effects can be learned from {readout.path}; quiet=False says why.")
    return effects


def _name(path: Path, key: str) -> tuple[str, ...]:
    """Return the words that name a study by its folder."""
    return to_words({key: path.name, "outputs": path.parent})


def _folder(name: str, value: object) -> Path:
    """Return the path of a folder that an argument names."""
    if not isinstance(value, str | os.PathLike) or not os.fspath(value):
        found = f"it is a {type(value).__name__}" if value != "" else "it is empty"
        raise RetainError.at(name, found, "expected the folder of a study, or what made it")
    return Path(value)
