"""The page: one HTML file that opens from disk and loads nothing from a network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from retain.record.verdict_document import VerdictDocument
from retain.report.page.embedded_data import compare_command, page_json
from retain.report.page.functions import template_functions
from retain.report.page.leaderboard import (
    choices,
    columns,
    rows,
)
from retain.report.render import CURVES, render_charts
from retain.report.text.amounts import naming_money
from retain.report.text.answer import answer, describe_accesses
from retain.report.text.captions import caption
from retain.report.text.checks import question
from retain.report.text.overview import (
    warnings,
)
from retain.report.tree import (
    left_out,
)
from retain.wording import show_bidi_controls

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent
SCRIPT = (
    "numbers",
    "words",
    "cells",
    "leaderboard",
    "pairs",
    "tables",
    "spots",
    "frame",
    "start",
)
"""Files of ``script/`` in order of dependency."""


def page(verdict: VerdictDocument, language: str) -> str:
    """Return the page of a verdict as HTML.

    Parameters
    ----------
    verdict
        The verdict.
    language
        The language shown first, ``en`` or ``ru``; the page holds both.
    """
    with naming_money(verdict):
        return _render_page(verdict, language)


def _render_page(verdict: VerdictDocument, language: str) -> str:
    rendered = render_charts(verdict)
    numbers = columns(verdict)
    script = join_script(SCRIPT)
    return (
        environment(language)
        .get_template("page.html.j2")
        .render(
            verdict=verdict,
            language=language,
            answer=answer(verdict),
            warnings=warnings(verdict),
            pictures=rendered.pictures,
            captions={name: caption(name, verdict) for name in rendered.pictures},
            curves=[name for name in CURVES if name in rendered.pictures],
            columns=numbers,
            rows=rows(verdict, numbers),
            choices=choices(verdict),
            raced=any(row.get("stopped_early") for row in verdict.leaderboard),
            left_out=left_out(verdict),
            opened=None if verdict.sealed_test is None else describe_accesses(verdict),
            campaign=verdict.planned_campaign,
            compare=compare_command(verdict),
            question=question(verdict.question),
            island=page_json(verdict, numbers, rendered.charts),
            style=read_asset("style.css"),
            script=script,
            script_hash=hash_script(script),
        )
    )


@cache
def environment(language: str) -> Environment:
    """Return Jinja's environment, strict and escaping; cached, so templates are parsed once."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_show_bidi_controls,
    )
    environment.globals |= template_functions(language)
    return environment


def _show_bidi_controls(value: object) -> object:
    """Return what a template prints, which turns no writing direction, whoever wrote it."""
    return show_bidi_controls(value) if isinstance(value, str) else value


def join_script(names: Sequence[str]) -> Markup:
    """Return files of ``script/`` as one function without global names."""
    return wrap_script([read_asset(f"script/{name}.js") for name in names])


def wrap_script(parts: Sequence[Markup]) -> Markup:
    """Return parts of a script as one function without global names."""
    return Markup('\n(() => {{\n"use strict";\n{}\n}})();\n').format(Markup("\n").join(parts))


def read_asset(name: str) -> Markup:
    """Return the text of a file in this folder."""
    return Markup((HERE / name).read_text(encoding="utf-8"))  # noqa: S704 - ours


def hash_script(script: Markup) -> str:
    """Return the hash that lets the page's content security policy run this script only."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")
