"""The model of the fishbone: head, bones and ribs of a verdict in one language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from retain.record.estimates import DisplayName, Estimate
from retain.record.explanations_document import ExplanationsDocument, FeatureInfo, GroupInfo
from retain.report.text.names import printable
from retain.report.text.numbers import Number, count_path, format_number
from retain.report.text.words import interval, message, words
from retain.report.tree import present

SIGNS, RISKIEST, PHIK = {"up": "+", "down": "−", "mixed": "±"}, "↑", "φk"
GROUPS = {
    "communication": "group.communication",
    "product": "group.product",
    "purchase": "group.purchase",
    "site": "group.site",
    "other": "group.other",
}
"""Groups with a display name."""
UNBROKEN = "\u00a0"
Tone = Literal["strong", "plain", "weak", "unused"]
"""The tone of a rib: plain without measured strengths, unused if the winner does not see it."""


@dataclass(frozen=True)
class Rib:
    """A feature: its texts, its share of the strongest, and its tooltip."""

    name: str
    sign: str
    level: str
    figures: str
    share: float
    tone: Tone
    values: tuple[tuple[str, float | None, str], ...]


@dataclass(frozen=True)
class Bone:
    """A group of features: its texts, its share of the largest contribution, its ribs."""

    name: str
    description: str
    share: float
    dashed: bool
    used: bool
    ribs: tuple[Rib, ...]


@dataclass(frozen=True)
class Head:
    """The head: the target and its rate."""

    target: str
    rate: str
    customers: str


@dataclass(frozen=True)
class VerdictReader:
    """Reader of the explanations of a verdict, the source of every text of the picture."""

    reasons: ExplanationsDocument
    language: str

    def say(self, key: str, /, **values: Any) -> str:
        """Return a text of the catalogue."""
        return words(self.language).plain(message(key, **values))

    def name(self, label: DisplayName | None) -> str:
        """Return a label of the data, safe to draw."""
        return printable(label.text(self.language)) if label else ""

    @property
    def measured_groups(self) -> bool:
        """True if any feature has a strength; φk replaces it otherwise."""
        return any(one.mean_abs_shap for one in self.reasons.features)

    def head(self) -> Head:
        """Return the target and its base rate."""
        target = self.reasons.target
        return Head(
            self.name(target.label) or self.say("fishbone.target"),
            format_number(target.decline_rate, "percent", self.language),
            self.say("fishbone.customers", n=count_path(target.n_customers, "")),
        )

    def bones(self) -> list[Bone]:
        """Return the groups in the verdict's order, largest contribution first."""
        groups = self.reasons.groups
        losses = [one.ablation.auc_loss.value for one in groups if one.ablation]
        most = max([0.0, *losses])
        return [self._bone(group, most) for group in groups]

    def _bone(self, group: GroupInfo, most: float) -> Bone:
        contribution = group.ablation
        loss = contribution.auc_loss.value if contribution else 0.0
        ribs = [self._rib(one) for one in self.reasons.features if one.group == group.name]
        return Bone(
            name=group_name(group.name, self.language),
            description=self._describe_group(group),
            share=max(loss, 0.0) / most if most and group.in_model else 0.0,
            dashed=contribution is None or not group.in_model,
            used=group.in_model,
            ribs=tuple(sorted(ribs, key=lambda rib: rib.tone == "unused")),
        )

    def _describe_group(self, group: GroupInfo) -> str:
        """Return the text of a group's contribution, or the reason why it is missing."""
        if not group.in_model:
            return self.say("fishbone.unused")
        if group.ablation is None:
            return self.say("fishbone.unmeasured")
        loss = self._interval(group.ablation.auc_loss, "score").replace(" ", UNBROKEN)
        return self.say("fishbone.loses", loss=loss)

    def _rib(self, feature: FeatureInfo) -> Rib:
        used = feature.in_model and group_is_used(self.reasons, feature.group)
        mean, low, high = _strength(feature) if self.measured_groups else (feature.phik, None, None)
        form = self._form if self.measured_groups else "times"
        shown = used and mean is not None
        key = "fishbone.tip.strength" if self.measured_groups else "fishbone.tip.phik"
        numbers = ((key, mean), ("tip.low", low), ("tip.high", high))
        return Rib(
            name=self.name(feature.label),
            sign=SIGNS.get(feature.direction or "", "") if shown else "",
            level=self._level(feature) if shown else "",
            figures=self._figures(feature) if shown else "",
            share=(mean or 0.0) / self._strongest if shown and self._strongest else 0.0,
            tone=self._tone(feature) if used else "unused",
            values=tuple((word, value if shown else None, form) for word, value in numbers),
        )

    def _tone(self, feature: FeatureInfo) -> Tone:
        """Return the tone of a feature's rib."""
        if not self.measured_groups:
            return "plain"
        return "weak" if feature.is_weak or not feature.mean_abs_shap else "strong"

    def _level(self, feature: FeatureInfo) -> str:
        """Return the level with the highest risk, empty for a number."""
        level = self.name(feature.top_level)
        return f"{RISKIEST} {level}" if level else ""

    def _figures(self, feature: FeatureInfo) -> str:
        """Return a feature's strength and its interval, or its φk."""
        if self.measured_groups:
            return self._interval(present(feature.mean_abs_shap), self._form)
        return f"{PHIK} {format_number(feature.phik, 'times', self.language)}"

    def _interval(self, estimate: Estimate, form: str) -> str:
        mean = Number(estimate.value, form)
        ends = interval(estimate.low, estimate.high, form)
        return self.say("fishbone.interval", mean=mean, range=ends)

    @property
    def _strongest(self) -> float:
        """The strength of the longest rib."""
        features = self.reasons.features
        known_ = [_strength(one)[0] if self.measured_groups else one.phik for one in features]
        return max((value for value in known_ if value is not None), default=0.0)

    @property
    def _form(self) -> str:
        """The number format, with more decimals for small strengths."""
        return "times" if self._strongest >= 0.1 else "score" if self._strongest >= 0.01 else "fine"


def group_name(name: str, language: str) -> str:
    """Return the display name of a feature group; a group without a text keeps its name.

    >>> group_name("site", "en"), group_name("my_group", "en")
    ('Site behaviour', 'my_group')
    """
    return words(language).plain(message(GROUPS[name])) if name in GROUPS else printable(name)


def group_is_used(explanations: ExplanationsDocument, name: str) -> bool:
    """Return whether the winner sees the group of a feature."""
    return all(one.in_model for one in explanations.groups if one.name == name)


def _strength(feature: FeatureInfo) -> tuple[float | None, float | None, float | None]:
    strength = feature.mean_abs_shap
    return (None,) * 3 if strength is None else (strength.value, strength.low, strength.high)
