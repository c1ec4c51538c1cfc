"""The campaign of a comparison: segments, offers and control group, as a document and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from retain.campaign.audience import Audience, OpenCampaigns
from retain.campaign.campaign import Campaign, make_campaign
from retain.campaign.hand_over import (
    HandOver,
    approval_table,
    contacts_table,
    do_not_contact_table,
)
from retain.campaign.known_customers import known_customers_table
from retain.campaign.offers.catalogue import fit_catalogue
from retain.campaign.offers.texts import Language
from retain.campaign.planning.plan import CampaignPlan
from retain.campaign.segmentation.outcomes import AudienceOutcomes
from retain.campaign.tables import (
    arms_table,
    customers_table,
    offers_table,
    segments_table,
)
from retain.campaign.value.fit_recalibration import cross_fit_risk, fit_recalibration
from retain.campaign.value.recalibration import Recalibration
from retain.campaign.value.value import build_audience
from retain.customers.customers import Customers
from retain.execution.dataset import Dataset
from retain.execution.shared_memory import SharedValue
from retain.learning.scores import Scores, select_latest_snapshot
from retain.record.campaign_document import CampaignDocument
from retain.record.comparison_document import Ranking
from retain.record.directory import ScoreDirectory
from retain.record.explanations_document import FeatureInfo
from retain.record.study import StudyDirectory
from retain.record.verdict_document import CustomerResults
from retain.report.text.drivers import Levels, driver_sentences
from retain.report.text.segments import contrast_message
from retain.report.text.words import words
from retain.schema.compare import Compare
from retain.schema.scoring import CampaignSettings, FittedThresholds
from retain.verdict.export import ENGLISH_DIALECT, ExportDialect, write_csv
from retain.verdict.workbook import write_workbook
from retain.workflows.offer_answers import answers_by_customer
from retain.workflows.offer_effects import read_offer_trials


@dataclass(frozen=True)
class DriverTexts:
    """The drivers of customers, with the features and levels that describe them in words.

    ``features`` are those of the explanations in ``verdict.json``. ``n_listed`` are listed of each
    customer, beside those that an offer addresses.
    """

    drivers: pd.DataFrame
    features: Mapping[str, FeatureInfo]
    levels: Levels
    n_listed: int


@dataclass(frozen=True)
class CampaignFiles:
    """Segments and campaign as in ``verdict.json`` (``results``) and as tables.

    ``offers``, ``assignment``, ``known_customers`` and ``hand_over`` are None if no campaign was
    planned.
    """

    results: CustomerResults
    customers: pd.DataFrame
    segments: pd.DataFrame
    offers: pd.DataFrame | None
    assignment: pd.DataFrame | None
    known_customers: pd.DataFrame | None = None
    hand_over: HandOver | None = None
    dialect: ExportDialect = ENGLISH_DIALECT

    def write(self, files: StudyDirectory | ScoreDirectory) -> None:
        """Write the tables of customers and segments."""
        write_csv(self.segments, files.segments, self.dialect)
        write_csv(self.customers, files.customers, self.dialect)
        sheets = [("segments", self.segments), ("customers", self.customers)]
        write_workbook(sheets, files.workbook, self.dialect)


def plan_campaign(  # noqa: PLR0913, PLR0917 - a job has positional arguments
    config: Compare,
    settings: CampaignSettings,
    shared: tuple[SharedValue, SharedValue],
    test_scores: Scores,
    driver_texts: DriverTexts | None,
    ranking: Ranking,
    open_campaigns: OpenCampaigns,
) -> CampaignFiles:
    """Segment all scored customers and plan a campaign for them.

    Parameters
    ----------
    shared
        The ``Dataset`` and the out-of-fold ``Scores``.
    test_scores
        Scores of the customers of the sealed test.
    ranking
        The result of the sealed test's comparison with chance.
    open_campaigns
        The other campaigns that customers are in, see ``find_open_campaigns``.

    Raises
    ------
    RetainError
        If the limits of the campaign cannot be kept.
    """
    dataset: Dataset = shared[0].load()
    oof_scores: Scores = shared[1].load()
    recalibrated = fit_recalibration(oof_scores, dataset.customers)
    customers, scores, drivers = select_latest_snapshot(
        dataset.customers,
        (oof_scores, test_scores),
        None if driver_texts is None else driver_texts.drivers,
    )
    cross_fitted = cross_fit_risk(oof_scores, dataset.customers, recalibrated)
    if driver_texts is not None and drivers is not None:
        driver_texts = replace(driver_texts, drivers=drivers)
    trials = read_offer_trials(config.effects, settings, config.seed, config.threads)
    with threadpool_limits(config.threads):
        audience = build_audience(
            scores,
            customers,
            recalibrated,
            settings.assumptions,
            consent=settings.campaign.consent,
            drivers=drivers,
        )
        expected = select_latest_snapshot(dataset.customers, (cross_fitted, test_scores))[1]
        outcomes = collect_outcomes(audience, customers, expected)
        audience = replace(audience, open_campaigns=open_campaigns)
        measured = None if trials is None else trials.learn().measure(audience, settings)
        planned = settings if measured is None else measured.in_settings(settings)
        campaign = make_campaign(audience, recalibrated, planned, outcomes, ranking, measured)
    files = to_campaign_files(
        campaign, settings, recalibrated, config.report.language, driver_texts
    )
    return replace(files, dialect=ExportDialect(config.export.choose(config.report)))


def collect_outcomes(
    audience: Audience, customers: Customers, expected: Sequence[Scores]
) -> AudienceOutcomes:
    """Return the outcomes of an audience.

    Customers of the sealed test, in none of the cross-fitted risks ``expected``, have no part in
    the calibration: their risk is their expectation.
    """
    ids = audience.table.index
    risks = [one.per_customer() for one in expected if one.origin == "out_of_fold"]
    cross_fitted = pd.concat(risks).reindex(ids) if risks else pd.Series(np.nan, index=ids)
    groups = pd.factorize(customers.duplicate_groups.loc[ids])[0]
    return AudienceOutcomes(
        declined=customers.y.loc[ids].to_numpy(dtype=float),
        expected=cross_fitted.fillna(audience.table["risk"]).to_numpy(),
        duplicate_group=groups,
    )


def to_campaign_files(
    campaign: Campaign,
    settings: CampaignSettings,
    recalibrated: Recalibration,
    language: Language,
    driver_texts: DriverTexts | None,
) -> CampaignFiles:
    """Return a campaign as a document and tables.

    ``fitted_thresholds`` in the document are fitted on these customers, for new ones.
    """
    audience, plan = campaign.audience, campaign.plan
    origins = audience.table["origin"].value_counts()
    catalogue = settings.offers
    if plan is not None and audience.with_profit:  # else the offers were not fitted
        catalogue = fit_catalogue(catalogue, audience)
    results = CustomerResults(
        segments=campaign.segments,
        dominant_segment=campaign.dominant,
        campaign=campaign.document,
        settings=settings,
        fitted_thresholds=FittedThresholds(
            segmentation=campaign.fitted_segmentation, offers=catalogue
        ),
        recalibration=recalibrated.to_info(),
        calibration_check=None if campaign.observed is None else campaign.observed.check(),
        n_scored={str(origin): int(count) for origin, count in origins.items()},
    )
    offers, assignment, known, hand_over = None, None, None, None
    if isinstance(plan, CampaignPlan) and isinstance(campaign.document, CampaignDocument):
        reasons = _join_reasons(
            _reasons_by_customer(audience, plan, driver_texts, language),
            answers_by_customer(audience, plan, campaign.document.effects, language),
        )
        offers = offers_table(campaign, plan, language, reasons, settings.campaign.start)
        assignment = arms_table(campaign, plan)
        known = known_customers_table(audience, plan)
        planning = settings.campaign
        hand_over = HandOver(
            contacts_table(audience, plan, settings.offers, planning, language),
            do_not_contact_table(campaign, plan, planning, language),
            approval_table(campaign.document.approval, language, counted=audience.counts_customers),
        )
    return CampaignFiles(
        results=results,
        customers=customers_table(campaign, language),
        segments=segments_table(
            campaign.segments, lambda one: words(language).plain(contrast_message(one))
        ),
        offers=offers,
        assignment=assignment,
        known_customers=known,
        hand_over=hand_over,
    )


def _reasons_by_customer(
    audience: Audience, plan: CampaignPlan, driver_texts: DriverTexts | None, language: Language
) -> pd.Series | None:
    """Return what raises the risk of each customer with an offer as one text, by customer."""
    if driver_texts is None:
        return None
    drivers = select_reasons(audience, plan, driver_texts.drivers, driver_texts.n_listed)
    sentences = driver_sentences(drivers, driver_texts.features, language, driver_texts.levels)
    return sentences.groupby(drivers["customer_id"], sort=False).agg("; ".join)


def _join_reasons(drivers: pd.Series | None, answers: pd.Series) -> pd.Series | None:
    """Return what raises the risk, then how customers alike answered, as one text by customer."""
    if drivers is None or answers.empty:
        return drivers if answers.empty else answers
    joined: pd.Series = pd.concat([drivers, answers]).groupby(level=0, sort=False).agg("; ".join)
    return joined


def select_reasons(
    audience: Audience, plan: CampaignPlan, drivers: pd.DataFrame, n_listed: int
) -> pd.DataFrame:
    """Return what raises the risk of treated customers: the offer's own drivers, then the top."""
    treated = plan.treated_offer_index
    rows = np.flatnonzero(treated >= 0)
    offers = pd.Series(treated[rows], index=audience.table.index[rows])
    raising = drivers[(drivers["log_odds"] > 0) & drivers["customer_id"].isin(offers.index)]
    named = [set(offer.drivers) for offer in plan.offers.catalogue.offers.values()]
    given = offers.loc[raising["customer_id"]].to_numpy()
    own = [feature in named[j] for feature, j in zip(raising["feature"], given, strict=True)]
    is_own = np.array(own, dtype=bool)
    order = np.lexsort((-raising["log_odds"].to_numpy(), ~is_own))
    is_shown = is_own | (raising["rank"] <= n_listed).to_numpy()
    return raising.iloc[order[is_shown[order]]].reset_index(drop=True)
