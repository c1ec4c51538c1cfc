"""``retain-compare``: from finished runs to the verdict, the sealed test and the segments.

Exit codes: 0 done, 2 config, runs or data refused.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retain.app.command_line import Line
from retain.app.run import answer
from retain.errors import RetainError

if TYPE_CHECKING:
    import pandas as pd

    from retain.app.prepared import Prepared
    from retain.customers.customers import Customers
    from retain.record import DataFacts, Record, StudyDirectory
    from retain.schema import Compare
    from retain.verdict.verdict import SealedTest, Verdict


def main() -> None:
    """The console command ``retain-compare``."""
    sys.exit(answer(compare, sys.argv[1:], "compare"))


@dataclass(frozen=True)
class Carried:
    """The winner carried on: sealed test, model file, segments and who is in them."""

    sealed: SealedTest
    model: dict[str, str]
    segments: pd.DataFrame
    scored: dict[str, int]
    caption: str


def compare(line: Line) -> int:
    """Read the records, judge them, carry the winner on, and write the verdict."""
    from rich.console import Console

    from retain.app.board import report
    from retain.app.prepared import forget
    from retain.record import write_text
    from retain.verdict.export import write_csv
    from retain.verdict.verdict import as_json, judge

    forget()
    config = _config(line)
    study = _study(config)
    records, unfinished = _records(study)
    verdict = judge(records)
    prepared, missing = _data(config, verdict.winner)
    carried = None if prepared is None else _carried(config, study, verdict, prepared)
    write_csv(verdict.table, study.verdict / "leaderboard.csv")
    if carried is not None:
        write_csv(carried.segments, study.verdict / "segments.csv")
    extra = {"segments": None} if carried is None else _extra(config, carried)
    sealed = None if carried is None else carried.sealed
    write_text(study.verdict / "verdict.json", as_json(verdict, sealed, extra))
    report(Console(), study, verdict, carried, unfinished=unfinished, missing=missing)
    return 0


def _config(line: Line) -> Compare:
    """The tree of ``compare.yaml``; ``study=NAME`` stands for ``study.name=NAME``."""
    from retain.app.configs import Composer
    from retain.schema import Compare, parse

    overrides = [
        f"study.name={text.removeprefix('study=')}" if text.startswith("study=") else text
        for text in line.overrides
    ]
    with Composer(replace(line, overrides=tuple(overrides)), "compare") as composer:
        return parse(Compare, composer.one())


def _study(config: Compare) -> StudyDirectory:
    from retain.errors import did_you_mean
    from retain.record import StudyDirectory

    if (config.study.name is None) == (config.runs is None):
        raise RetainError("name what to compare: study=NAME, or runs=DIR (one of the two).")
    if config.runs is not None:
        study = StudyDirectory(Path(config.runs))
        if not study.path.is_dir():
            raise RetainError(f"runs={config.runs} is no folder.")
        return study
    outputs = Path(config.outputs)
    study = StudyDirectory(outputs / str(config.study.name))
    if not study.path.is_dir():
        known = (
            [path.name for path in outputs.iterdir() if path.is_dir()] if outputs.is_dir() else []
        )
        listed = ", ".join(sorted(known)) or "nothing"
        hint = did_you_mean(study.path.name, known)
        raise RetainError(
            f"there are no runs of study {study.path.name!r}: {outputs} holds {listed}.{hint} "
            f"To launch it: retain -m study={study.path.name}"
        )
    return study


def _records(study: StudyDirectory) -> tuple[list[Record], int]:
    """All records of a study, and how many runs have none yet."""
    found = [run.read() for run in study.runs()]
    records = [record for record in found if record is not None]
    return records, len(found) - len(records)


def _data(config: Compare, winner: Record) -> tuple[Prepared | None, str | None]:
    """The winner's customers, or a sentence that asks for them.

    Data that are given must be the very same; data that are only recorded may have moved.
    """
    from retain.app.prepared import prepare
    from retain.schema import Run, parse

    given = config.data is not None
    run = parse(Run, {**winner.config, **({"data": config.data} if given else {})})
    try:
        prepared = prepare(run)
        _refuse_other(prepared, winner)
    except RetainError as error:
        if given:
            raise
        ask = f"The sealed test and the segments need the {_told(winner.data)}: "
        return None, f"{error}\n{ask}data=NAME data.dir=PATH"
    return prepared, None


def _refuse_other(prepared: Prepared, winner: Record) -> None:
    """Refuse customers or splits that are not those the winner learnt from."""
    if prepared.data.fingerprint != winner.data.fingerprint:
        raise RetainError(
            f"these runs learnt from {_told(winner.data)}; found {_told(prepared.data)}."
        )
    if prepared.split.fingerprint != winner.split.fingerprint:
        raise RetainError("the splits of these runs cannot be made again with this version.")


def _told(data: DataFacts) -> str:
    return f"customers with fingerprint {data.fingerprint[:12]} ({data.rows} rows)"


def _carried(
    config: Compare, study: StudyDirectory, verdict: Verdict, prepared: Prepared
) -> Carried:
    """Refit the winner on all training customers, open the sealed test, place every customer."""
    from threadpoolctl import threadpool_limits

    from retain.app.components import experiment
    from retain.campaign.segments import placed, profiles
    from retain.learning.experiment import fit, score_sealed
    from retain.learning.metrics import chosen
    from retain.schema import Run, parse
    from retain.verdict.model_file import save
    from retain.verdict.sealed import Ledger, measured
    from retain.verdict.verdict import SealedTest

    customers, splits = prepared.customers, prepared.splits
    winner = experiment(parse(Run, {**verdict.winner.config, "threads": config.threads}))
    with threadpool_limits(config.threads):
        model = fit(winner, customers, splits.ids)
    scores = score_sealed(model, winner, customers, splits.sealed)
    metrics = chosen(winner.metrics, with_profit=customers.profit is not None)
    results = measured(scores, customers.profit, metrics, resamples=config.resamples)
    outside = _out_of_fold(study, verdict.winner)
    table = placed([outside, scores], customers, config.segmentation)
    openings = Ledger(study.ledger).note(verdict.winner, results["roc_auc"]["value"])
    path = study.verdict / "model.skops"
    return Carried(
        SealedTest(len(splits.sealed), results, tuple(openings)),
        {"file": path.name, "sha256": save(model, path)},
        profiles(table, customers),
        {str(origin): int(n) for origin, n in table["origin"].value_counts().items()},
        _caption(config, customers),
    )


def _caption(config: Compare, customers: Customers) -> str:
    """What the money in the table is, assumptions included."""
    if customers.profit is None:
        return "no profit is known, so segments are of risk alone"
    assumed = config.segmentation
    return (
        f"profit in {customers.profit_unit or 'a unit not stated'}; at risk = risk × profit × "
        f"{assumed.horizon:g} months × {assumed.share_lost:g} of it lost (assumptions)"
    )


def _out_of_fold(study: StudyDirectory, winner: Record) -> Any:
    """The winner's own scores, as its run wrote them."""
    import pandas as pd

    from retain.learning.scores import Scores

    path = next(run for run in study.runs() if (r := run.read()) and r.id == winner.id).scores
    try:
        return Scores(pd.read_parquet(path), "out_of_fold")
    except (OSError, ValueError) as error:
        raise RetainError(f"{path} cannot be read as scores: {error}") from None


def _extra(config: Compare, carried: Carried) -> dict[str, Any]:
    import json

    return {
        "model": carried.model,
        "segments": json.loads(carried.segments.to_json(orient="records", double_precision=15)),
        "segmentation": config.segmentation.model_dump(),
        "scored": carried.scored,
    }
