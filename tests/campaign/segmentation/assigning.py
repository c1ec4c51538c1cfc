"""Customers put into segments in one step, as a campaign does in two."""

from retain.campaign.segmentation.segments import fit_segmentation, segments_of


def assign_segments(audience, segmentation, *, break_even_risk=None):
    """The customers with their segments."""
    fitted = fit_segmentation(audience, segmentation, break_even_risk=break_even_risk)
    return audience.with_segments(segments_of(audience, fitted))
