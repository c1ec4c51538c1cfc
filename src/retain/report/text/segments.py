"""Segments in sentences: where most is at risk, and how each differs."""

from __future__ import annotations

from collections.abc import Sequence

from retain.record.estimates import DisplayName
from retain.record.segments_document import ContrastInfo, SegmentInfo, Stability
from retain.record.verdict_document import VerdictDocument
from retain.report.text.campaign import customers
from retain.report.text.names import segment_label
from retain.report.text.numbers import VALUES, Number, format_number
from retain.report.text.words import Message, Values, has_text, interval, message
from retain.report.tree import has_observed_profit, has_profit, segments_by_risk

MIN_STABLE_OVERLAP = 0.75
"""Minimum mean Jaccard overlap of a stable segment (Hennig 2007)."""
STABILITY_DEGREES = (("highly", 0.85), ("mostly", MIN_STABLE_OVERLAP), ("hardly", 0.6))
"""Degrees of stability by minimum overlap."""


def segment_sentences(segments: Sequence[SegmentInfo]) -> list[Message]:
    """Return sentences about segments: most at risk, least consent, least stable."""
    messages = [_most(segments), _consent(segments), _least_stable(segments)]
    return [one for one in messages if one is not None]


def _most(segments: Sequence[SegmentInfo]) -> Message:
    ranked = segments_by_risk(segments)
    if not ranked:
        return message("segments.too_few")
    (first, weight), *others = ranked
    form = "money" if has_profit(segments) else "share"
    values: Values = {
        "segment": segment_label(first),
        "customers": customers(first.n_customers),
        "value": Number(weight.value, form),
        "range": interval(weight.low, weight.high, form),
    }
    if form == "share":
        return message("segments.riskiest", **values)
    values["basis"] = message(
        "segments.observed" if has_observed_profit(segments) else "segments.forecast"
    )
    if not others:
        return message("segments.most.alone", **values)
    after, its = others[0]
    values["next"] = segment_label(after)
    if its.high < weight.low:
        return message("segments.most.clear", **values)
    next_range = interval(its.low, its.high, form)
    return message("segments.most.unclear", next_range=next_range, **values)


def band_sentence(tree: VerdictDocument) -> Message | None:
    """Return where each band of risk begins; None for other segments."""
    fitted = tree.fitted_thresholds
    bands = None if fitted is None else fitted.segmentation.risk
    if bands is None:
        return None
    names = bands.labels
    return message(
        "segments.bands",
        bands=[
            message(
                "segments.band",
                name=names.get(name, DisplayName(name, name)),
                begin=Number(begin, "share"),
            )
            for name, begin in bands.bands.items()
        ],
    )


def dominant_caution(tree: VerdictDocument) -> Message | None:
    """Return the warning that one band or segment holds nearly all customers, if one does."""
    one = tree.dominant_segment
    if one is None:
        return None
    called = one.label or DisplayName(one.name, one.name)
    return message("segments.dominant", name=called, share=Number(one.share, "share"))


def _consent(segments: Sequence[SegmentInfo]) -> Message | None:
    """Return the segment with the smallest contactable share, None if all are equal."""
    shares = [(one.contactable_share, one) for one in segments]
    known = [(share, one) for share, one in shares if share is not None]
    if len({share for share, _ in known}) < 2:
        return None
    lowest, rarest = min(known, key=lambda pair: pair[0])
    share = Number(lowest, "share")
    return message("segments.consent", segment=segment_label(rarest), share=share)


def _least_stable(segments: Sequence[SegmentInfo]) -> Message | None:
    resampled = [(one.stability.jaccard, one) for one in segments if one.stability is not None]
    if not resampled:
        return None
    overlap, least = min(resampled, key=lambda pair: pair[0])
    key = "segments.hold" if overlap >= MIN_STABLE_OVERLAP else "segments.fall"
    return message(key, segment=segment_label(least), jaccard=Number(overlap, "times"))


def contrast_message(one: ContrastInfo) -> Message:
    """Return the difference of one feature inside and outside a segment."""
    if one.kind == "category":
        form = "share"
        level = DisplayName(str(one.level), str(one.level))
        named: Values = {"level": one.level_label or level}
    else:
        form, named = _form(one.in_segment, one.elsewhere), {}
    return message(
        f"segments.{one.kind}.{one.direction}",
        feature=one.label,
        inside=Number(one.in_segment, form),
        outside=Number(one.elsewhere, form),
        **named,
    )


def _form(inside: float, outside: float) -> str:
    """Return the form with the fewest digits in which two values differ.

    >>> _form(2.0, 6.0), _form(5.0004, 5.0)
    ('value', 'value_5')
    """
    seen = (
        form
        for form in VALUES
        if format_number(inside, form, "en") != format_number(outside, form, "en")
    )
    return next(seen, "value")


def stability_message(stability: Stability) -> Message:
    """Return the stability of a segment under resampling and shifted thresholds."""
    degree = next((word for word, least in STABILITY_DEGREES if stability.jaccard >= least), "not")
    return message(f"segments.stable.{degree}")


def measure(one: ContrastInfo) -> Message:
    """Return the name of an effect size; one without a text keeps its key."""
    key = f"effect.{one.effect_size.measure}"
    return message(key) if has_text(key) else message("measure.other", key=one.effect_size.measure)


def segment_named(tree: VerdictDocument, name: str) -> DisplayName:
    """Return the display name of a segment by its key."""
    labels = {one.segment: segment_label(one) for one in tree.segments or []}
    return labels.get(name, DisplayName(name, name))
