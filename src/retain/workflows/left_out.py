"""Customers whom the reading of a file left out, each with the reason."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from retain.campaign.offers.texts import Language
from retain.customers.customers import CleaningStep
from retain.record.document import FunnelStep
from retain.report.text.checks import step_message
from retain.report.text.words import words

REASONS = {"newcomers": "newcomer", "outlier": "outlier", "unreadable": "cannot be read"}


def list_left_out(funnel: Sequence[CleaningStep], language: Language = "en") -> pd.DataFrame:
    """Return ``customer_id`` and ``reason`` of all customers that the steps dropped."""
    rows = [(id_, _reason(step, language)) for step in funnel for id_ in step.dropped]
    return pd.DataFrame(rows, columns=["customer_id", "reason"])


def _reason(step: FunnelStep, language: Language) -> str:
    """Return the reason of a step; in English where no other text is known."""
    translated = None if language == "en" else step_message(step)
    if translated is not None:
        return words(language).plain(translated)
    return f"{REASONS.get(step.name, step.name)}: {step.reason}"
