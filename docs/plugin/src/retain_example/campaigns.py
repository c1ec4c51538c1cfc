"""A rule for offers and segments, and a segmentation."""

import numpy as np

from retain import plugins


@plugins.offer_rule("worth_a_call")
def worth_a_call(features, risk, profit):
    """Return True where profit × risk is above its mean, None where profit is not known."""
    at_risk = risk * profit
    above = at_risk > np.nanmean(at_risk)
    return np.where(np.isnan(at_risk), None, above)


@plugins.segmentation("risk_halves")
def risk_halves(features, risk, profit, *, share=0.5):
    """Return two segments: the customers at the highest risk, and all others."""
    label = {"en": f"Top {share:.0%} by risk", "ru": f"Верхние {share:.0%} по риску"}
    return {"at risk": {"label": label, "when": {"risk": {"top": share}}}}
