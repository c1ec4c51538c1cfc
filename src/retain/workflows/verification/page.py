"""The page of a verdict, held against the page that its numbers make."""

from __future__ import annotations

import re

from retain.record.manifest import DisagreementError
from retain.record.study import StudyDirectory
from retain.record.verdict_document import VerdictDocument
from retain.report.page.page import page
from retain.storage.reading import MAX_TABLE_BYTES, read_text

_LANGUAGE = re.compile(r'<html lang="(en|ru)">')
_PICTURE = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
_TEXTS = re.compile(r">([^<]+)<")
_NUMBER = re.compile(r"\d")
QUOTED = 40
"""Signs of the page that a message has before and behind the first that differs."""


def read_page(study: StudyDirectory) -> tuple[str, str]:
    """Return the page and the language that it is shown in first.

    Raises
    ------
    DisagreementError
        If it is not a page of retain.
    """
    text = read_text(study.report, max_bytes=MAX_TABLE_BYTES, within=study.verdict)
    found = _LANGUAGE.search(text[:1000])
    if found is None:
        raise DisagreementError(f"{study.report} is not a page of retain: it names no language.")
    return text, found[1]


def check_page(study: StudyDirectory, saved: VerdictDocument) -> int:
    """Return the number of texts with numbers on the page, which is made of the verdict's.

    Lines of charts differ with the fonts and libraries of a machine; their texts do not.

    Raises
    ------
    DisagreementError
        With the first part of the page that differs.
    """
    text, language = read_page(study)
    one, other = _reduce(text), _reduce(page(saved, language))
    if one != other:
        at = next(
            (row for row, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
            min(len(one), len(other)),
        )
        parts = (side[max(at - QUOTED, 0) : at + QUOTED] for side in (one, other))
        shown = " instead of ".join(repr(" ".join(part.split())) for part in parts)
        raise DisagreementError(f"{study.report} does not show what verdict.json has: {shown}.")
    return sum(bool(_NUMBER.search(part)) for part in _TEXTS.findall(text))


def _reduce(text: str) -> str:
    """Return a page with the texts of its charts in place of the charts."""
    return _PICTURE.sub(lambda found: "\n".join(_TEXTS.findall(found[0])), text)
