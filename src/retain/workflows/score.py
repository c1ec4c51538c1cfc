"""The scoring of new customers by a saved winner: scores, segments, offers and their files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import pandas as pd
from threadpoolctl import threadpool_limits

from retain.campaign.audience import Audience, OpenCampaigns
from retain.campaign.drift import drift, drift_warnings
from retain.campaign.new_customers import apply_to_new_customers
from retain.campaign.value.value import build_audience
from retain.errors import RetainError
from retain.execution.executor import WorkerExecutor
from retain.execution.shared_memory import launch_dir, share
from retain.learning.scores import Scores
from retain.record.campaign_document import CampaignDocument, NoCampaignInfo
from retain.record.comparison_document import RunName
from retain.record.directory import ScoreDirectory
from retain.record.documents import write_document
from retain.record.score_document import DriftInfo, NewData, ScoreDocument
from retain.schema.parsing import deep_merge, parse
from retain.schema.scoring import CampaignSettings, Score
from retain.storage.writing import hash_files
from retain.verdict.export import ExportDialect, write_csv, write_dropped_rows
from retain.workflows.campaign import CampaignFiles, to_campaign_files
from retain.workflows.new_customers import NewCustomers, add_training_levels
from retain.workflows.offer_effects import read_offer_trials
from retain.workflows.saved_winner import LoadedWinner


@dataclass(frozen=True)
class ScoreResult:
    """The segments and campaign of new customers, and their drift from the training customers.

    ``drift`` is the table of ``campaign.drift``.
    """

    winner: LoadedWinner
    customers: NewCustomers
    campaign: CampaignFiles
    drift: pd.DataFrame


def score_customers(
    config: Score,
    saved: LoadedWinner,
    settings: CampaignSettings,
    new: NewCustomers,
    others: OpenCampaigns,
) -> ScoreResult:
    """Score new customers by a saved winner, and plan a campaign for them beside ``others``.

    Raises
    ------
    RetainError
        If the model is not the verdict's, or offers or limits are impossible for these customers.
    """
    trials = read_offer_trials(config.effects, settings, config.seed, config.threads)
    scores = _compute_scores(config, saved, new)
    with threadpool_limits(config.threads):
        ageing = {name for name, column in new.customers.columns.items() if column.is_ageing}
        score = scores.table["probability"].to_numpy()
        shifts = drift(saved.reference, new.table, score, ageing)
        audience = _build_audience(saved, settings, new, scores)
        audience = replace(audience, open_campaigns=others)
        measured = None if trials is None else trials.learn().measure(audience, settings)
        planned = settings if measured is None else measured.in_settings(settings)
        campaign = apply_to_new_customers(
            audience, saved.recalibration, planned, saved.ranking, measured
        )
        language = config.report.language
        files = to_campaign_files(campaign, settings, saved.recalibration, language, None)
        files = replace(files, dialect=ExportDialect(config.export.choose(config.report)))
    return ScoreResult(saved, new, files, shifts)


def _compute_scores(config: Score, saved: LoadedWinner, new: NewCustomers) -> Scores:
    """Return the scores of new customers by the saved model, in a process of its own."""
    model = (saved.folder / saved.model_file.file, saved.model_file.sha256)
    with launch_dir() as folder:
        table = share(new.table, folder / "table")
        arguments = (*model, table, config.rows, config.threads)
        with WorkerExecutor(1) as executor:
            scores: Scores = executor.submit("score", *arguments).result()
    return scores


def _build_audience(
    saved: LoadedWinner, settings: CampaignSettings, new: NewCustomers, scores: Scores
) -> Audience:
    """Return the audience, with all levels of categories that the comparison knows."""
    audience = build_audience(
        [scores],
        new.customers,
        saved.recalibration,
        settings.assumptions,
        consent=settings.campaign.consent,
    )
    return replace(
        audience,
        columns=add_training_levels(audience.columns, saved),
    )


def merge_settings(config: Score, saved: LoadedWinner) -> CampaignSettings:
    """Return the settings of the comparison with the typed overrides.

    A typed option of a group replaces the whole group. Segments, and offers unless others are
    typed, keep the thresholds of the comparison.
    """
    tree = {
        **saved.settings.model_dump(by_alias=True),
        **saved.thresholds.model_dump(by_alias=True),
    }
    for key in ("assumptions", "offers", "campaign"):
        typed = getattr(config, key)
        if typed is not None:
            tree[key] = typed if "name" in typed else deep_merge(tree[key], typed)
    return parse(CampaignSettings, tree)


def begin_after_snapshot(
    settings: CampaignSettings, config: Score, snapshot: date | None
) -> CampaignSettings:
    """Return the settings without a start of the comparison that is before the new snapshot.

    Raises
    ------
    RetainError
        A start before the snapshot was typed: the outcomes of the days between are features.
    """
    start = settings.campaign.start
    if start is None or snapshot is None or date.fromisoformat(start) >= snapshot:
        return settings
    if (config.campaign or {}).get("start") is not None:
        raise RetainError.at(
            "campaign.start",
            f"{start} is before {snapshot}, the day that these customers are scored at",
            f"expected that day or a later one, such as campaign.start={snapshot}",
        )
    campaign = settings.campaign.model_copy(update={"start": None})
    return settings.model_copy(update={"campaign": campaign})


ASSUMED_RATES = (
    "The campaign of the comparison was planned with measured effects, and this one with assumed "
    "save rates: type effects=dr_learner effects.from=[DIR] as there."
)
NO_DRIVERS = (
    "Drivers are not computed for new customers: offers tied to drivers go by their rules alone."
)


def write_scores(directory: ScoreDirectory, result: ScoreResult) -> None:
    """Write scores, campaign and drift into a new folder, ``score.json`` with their hashes."""
    result.campaign.write(directory)
    dialect = result.campaign.dialect
    write_csv(result.customers.list_not_scored(dialect.language), directory.not_scored, dialect)
    if dropped := result.customers.customers.reading.dropped_rows:
        write_dropped_rows(dropped, directory.dropped_rows)
    write_csv(result.drift, directory.drift, dialect)
    document = score_document(result).model_copy(update={"files": hash_files(directory.path)})
    write_document(document, directory.score_json)


def score_document(result: ScoreResult) -> ScoreDocument:
    """Return the content of ``score.json``, without the hashes of files."""
    saved, new, results = result.winner, result.customers, result.campaign.results
    planned = results.campaign
    return ScoreDocument(
        winner=RunName(id=saved.winner.id, name=saved.winner.name),
        model_sha256=saved.model_file.sha256,
        data=NewData(
            fingerprint=new.customers.fingerprint,
            n_customers=len(new.table),
            n_not_scored=len(new.list_not_scored()),
            n_in_comparison=new.n_known,
            snapshot=None if new.customers.snapshot is None else str(new.customers.snapshot),
        ),
        drift=_summarise_drift(result),
        segments=results.segments,
        settings=results.settings,
        campaign_id=planned.id if isinstance(planned, CampaignDocument) else None,
        campaign_sha256=results.campaign_sha256,
        no_campaign=planned if isinstance(planned, NoCampaignInfo) else None,
        cautions=tuple(list_cautions(result)),
    )


def list_cautions(result: ScoreResult) -> list[str]:
    """Return warnings: drift, training customers among the new ones, missing drivers."""
    cautions = drift_warnings(result.drift)
    if known := result.customers.n_known:
        cautions.append(
            f"{known} of these ids are in the comparison too: where their rows are the same as "
            "there, the model has seen them, and their scores are surer than they should be."
        )
    results, begun = result.campaign.results, result.winner.settings.campaign.start
    if begun is not None and results.settings.campaign.start is None:
        cautions.append(
            f"The campaign has no start: that of the comparison, {begun}, is before these "
            f"customers' snapshot, {result.customers.customers.snapshot}. Type campaign.start=DAY."
        )
    planned = results.campaign
    if result.winner.has_effects and isinstance(planned, CampaignDocument):
        cautions += [] if planned.effects is not None else [ASSUMED_RATES]
    return [*cautions, NO_DRIVERS]


def _summarise_drift(result: ScoreResult) -> DriftInfo:
    features = result.drift[result.drift["kind"] == "feature"]
    shifts = {
        shift: tuple(features.loc[features["shift"] == shift, "name"])
        for shift in ("strong", "moderate", "chance")
    }
    return DriftInfo(
        n_training_customers=result.winner.reference.n_training_customers,
        score_psi=float(result.drift["psi"].iloc[0]),
        **shifts,
    )
