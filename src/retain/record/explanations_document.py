"""``explanations`` of ``verdict.json``: why customers decline, as far as scores and data tell.

SHAP values are in log-odds, ablation and permutation importance in ROC-AUC.
"""

from __future__ import annotations

from typing import Literal

from retain.record.estimates import DisplayName, Effect, Estimate
from retain.schema.parsing import Config

Kind = Literal["number", "category"]


class ExplainedTarget(Config):
    """The label of the target, and its base rate among training customers."""

    label: DisplayName | None
    n_customers: int
    n_declined: int
    decline_rate: float


class Ablation(Config):
    """ROC-AUC lost without a group, mean over the folds, with its corrected 95 % interval.

    Above 0 the group helps. ``source``: ``sweep``, the mean over the ``n_pairs`` of runs that
    differ only in this group; ``refit``, the winner fitted again without the group.
    """

    auc_loss: Estimate
    source: Literal["sweep", "refit"]
    n_pairs: int | None


class GroupInfo(Config):
    """A feature group; ``reason`` says why there is no ablation."""

    name: str
    n_features: int
    in_model: bool
    mean_abs_shap: Estimate | None
    ablation: Ablation | None
    reason: str | None


class Beeswarm(Config):
    """Counts of SHAP values in equal bins, and the mean rank (0 to 1) of the feature in each."""

    min: float
    max: float
    counts: tuple[int, ...]
    mean_ranks: tuple[float | None, ...]


class DependencePoint(Config):
    """Mean and 10th to 90th percentile of SHAP values in a bin, or of the level ``label``.

    ``x`` is the bin's median.
    """

    x: float | None
    n_customers: int
    mean: float
    p10: float
    p90: float
    label: DisplayName | None


class Spread(Config):
    """Percentiles of a class's observed values, None where there are none, and their share."""

    observed_share: float
    p5: float | None = None
    p25: float | None = None
    p50: float | None = None
    p75: float | None = None
    p95: float | None = None


class NumberDistribution(Config):
    """The distribution of a number among decliners and stayers."""

    declined: Spread
    stayed: Spread
    kind: Literal["number"] = "number"


class Level(Config):
    """One level of a category: its share of each class, and its decline rate (Wilson interval)."""

    label: DisplayName
    n_customers: int
    share_of_declined: float
    share_of_stayed: float
    decline_rate: Estimate


class LevelDistribution(Config):
    """The levels of a category, largest first; then all smaller ones; then missing values."""

    levels: tuple[Level, ...]
    kind: Literal["category"] = "category"


class FeatureInfo(Config):
    """A feature: association with the target, and effect on the winner's scores.

    Attributes
    ----------
    phik, significance
        φk with the target, and its significance in standard deviations.
    mean_abs_shap
        Mean absolute SHAP value; None if the model does not use the feature, or is not explained.
    is_weak
        True far below the strongest feature.
    direction
        up, down or mixed for a number; level for a category, whose ``top_level`` raises the risk
        most.
    rank_correlation
        Spearman's ρ of a number and its SHAP values.
    effect_size, distribution
        Of the two classes of training customers.
    """

    name: str
    group: str
    label: DisplayName
    kind: Kind
    is_derived: bool
    in_model: bool
    phik: float | None
    significance: float | None
    mean_abs_shap: Estimate | None
    is_weak: bool
    direction: Literal["up", "down", "mixed", "level"] | None
    rank_correlation: float | None
    top_level: DisplayName | None
    permutation_importance: Estimate | None
    beeswarm: Beeswarm | None
    dependence: tuple[DependencePoint, ...] | None
    effect_size: Effect | None
    distribution: NumberDistribution | LevelDistribution | None


class RedundantFeatures(Config):
    """Features that say nearly the same, and the smallest φk that joins them."""

    features: tuple[str, ...]
    phik: float


class FeaturePair(Config):
    """Two features with their φk, and its significance in standard deviations."""

    a: str
    b: str
    phik: float
    significance: float | None


class DriversInfo(Config):
    """The explainer and the measures of its reliability.

    Attributes
    ----------
    standard_error
        Of a SHAP value that is sampled; None if it is exact.
    max_probability_gap
        Largest difference between the sum of a customer's SHAP values and its score.
    rank_correlation, rank_correlation_p, ranks_agree
        Kendall's τ of mean absolute SHAP and permutation importance.
    """

    explainer: str
    n_customers: int
    n_repeats: int
    background_size: int | None
    standard_error: float | None
    max_probability_gap: float
    rank_correlation: float | None
    rank_correlation_p: float | None
    ranks_agree: bool | None


class Driver(Config):
    """One feature that drives a customer's score, beside typical values of stayers."""

    feature: str
    kind: Kind
    value: float | None
    level: DisplayName | None
    typical_low: float | None
    typical_high: float | None
    typical_share: float | None
    log_odds: float
    probability_points: float


class ExampleCustomer(Config):
    """A training customer of high risk, and its strongest drivers."""

    customer_id: str
    probability: float
    drivers: tuple[Driver, ...]


class ClassDecrease(Config):
    """Customers of a class with both figures observed; the share that decreased (Wilson, 95 %).

    ``median_change`` is the median of current ÷ previous − 1; None unless most had a positive
    figure in the previous period.
    """

    n_customers: int
    n_decreased: int
    decreased_share: Estimate
    median_change: float | None


class LabelAudit(Config):
    """One figure in two successive periods, by class.

    ``z`` is positive if customers labelled as declined decreased more often; ``is_consistent``
    where they did so beyond chance.
    """

    previous: DisplayName
    current: DisplayName
    derived: DisplayName
    declined: ClassDecrease
    stayed: ClassDecrease
    z: float
    is_consistent: bool


class ExplanationsDocument(Config):
    """The explanations of a verdict.

    Attributes
    ----------
    level
        fast or full, as asked for.
    groups, features
        Most important first.
    redundant, feature_pairs
        Features that say the same, by φk.
    drivers
        None if there are none; ``reason`` then says why.
    examples
        The customers with the highest risk.
    label_audit
        The label compared with what the periods say.
    """

    level: str
    target: ExplainedTarget
    groups: tuple[GroupInfo, ...]
    features: tuple[FeatureInfo, ...]
    redundant: tuple[RedundantFeatures, ...]
    feature_pairs: tuple[FeaturePair, ...]
    drivers: DriversInfo | None
    reason: str | None
    examples: tuple[ExampleCustomer, ...]
    label_audit: tuple[LabelAudit, ...]
