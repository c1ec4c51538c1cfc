"""The pages of the dashboard as HTML, each of which holds all its data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from retain.dashboard.campaigns import add_up_value, view_campaigns
from retain.dashboard.comparison import compare_rows
from retain.dashboard.history import trace_study
from retain.dashboard.index import OutputsIndex, StudyIndex
from retain.dashboard.links import Links
from retain.dashboard.plots import bar_scale, plot_curves
from retain.dashboard.rows import RunRow
from retain.dashboard.runs_table import RunsTable, table_data, tabulate_runs
from retain.dashboard.studies import view_studies
from retain.dashboard.trees import TreesComparison
from retain.report.page.embedded_data import STEPS_PER_UNIT, escape_json
from retain.report.page.leaderboard import MAX_FILTER_VALUES
from retain.report.page.page import environment, hash_script, read_asset, wrap_script
from retain.report.text import trees
from retain.report.text.numbers import format_number
from retain.report.text.words import LANGUAGES, words
from retain.verdict.paired import METRIC

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent
SHARED = ("numbers", "words", "cells", "tables", "frame")
"""Files of the report's script, in order of dependency."""
SCRIPT = ("language", "groups", "runs", "table", "live", "start_dashboard")
"""Files of ``script/``, likewise."""
ROWS_PER_PAGE = 50
SCRIPT_WORDS = (
    *("script.", "interval.", "tag.", "metric.", "measure.", "state."),
    *("dash.script.", "dash.progress.", "dash.studies."),
)
"""Beginnings of the texts that the script needs."""


@dataclass(frozen=True)
class DashboardPages:
    """The pages of an index, with links of one kind.

    Attributes
    ----------
    fold_bytes
        Size of the fold values on a page of runs; see ``table_data``.
    hide_id
        What stands for the id of a customer; with it, reasons of runs are left out too, since
        they may quote customers.
    """

    index: OutputsIndex
    links: Links
    language: str
    title: str
    fold_bytes: int
    hide_id: Callable[[str], str] | None = None

    def studies(self) -> str:
        """Return the first page: all studies."""
        return self._render("studies", "studies", views=view_studies(self.index.studies))

    def runs(self, studies: Sequence[StudyIndex]) -> str:
        """Return the page with the runs of studies."""
        table = tabulate_runs(studies)
        return self._render(
            "runs",
            "runs",
            self._runs_data(table),
            table=table,
            choices=table.choices(MAX_FILTER_VALUES),
            states=sorted({row.state for row in table.rows}),
            n_tied=sum(tag != "" for tag in table.tags),
            report=self._report(studies),
        )

    def compare(self, rows: Sequence[RunRow]) -> str:
        """Return the page of runs beside each other."""
        comparison = compare_rows([(row, self._tag(row)) for row in rows])
        return self._render(
            "compare",
            "runs",
            comparison=comparison,
            scale=bar_scale(comparison.gap_ends, with_zero=True),
            plots=plot_curves([(run.letter, run.curves) for run in comparison.runs if run.curves]),
            hide_id=self.hide_id or str,
            reasons=self.hide_id is None,
        )

    def history(self, study: StudyIndex) -> str:
        """Return the page of the history of a study."""
        history = trace_study(study)
        ends = [end for step in history.steps for end in (step.best.low, step.best.high)]
        return self._render(
            "history", "studies", history=history, scale=bar_scale(ends, with_zero=False)
        )

    def campaigns(self) -> str:
        """Return the page of the campaigns of all studies."""
        campaigns = view_campaigns(self.index.studies)
        steps = add_up_value(campaigns)
        ends = [end for step in steps for end in (step.total.low, step.total.high)]
        return self._render(
            "campaigns",
            "campaigns",
            campaigns=campaigns,
            steps=steps,
            scale=bar_scale(ends, with_zero=True),
        )

    def trees(self, compared: TreesComparison | None) -> str:
        """Return the page of what changed from another folder; None if no other was named."""
        return self._render(
            "trees",
            "trees",
            {"trees": 0 if compared is None else compared.version, "news": "trees"},
            compared=compared,
            text=trees,
            bar_scale=bar_scale,
            hide_id=self.hide_id or str,
            reasons=self.hide_id is None,
        )

    def message(self, key: str) -> str:
        """Return a page that says one thing, such as that nothing is there."""
        return self._render("message", "", key=key)

    def _runs_data(self, table: RunsTable) -> dict[str, object]:
        return {
            "runs": table_data(table, self.fold_bytes, reasons=self.hide_id is None),
            "links": self.links.script_data(),
            "steps": STEPS_PER_UNIT,
            "page": ROWS_PER_PAGE,
        }

    def _tag(self, row: RunRow) -> str:
        study = self.index.study(row.study)
        return study.tags.get(row.id, "") if study else ""

    def _report(self, studies: Sequence[StudyIndex]) -> str | None:
        """Return the address of the verdict's page of the only study."""
        verdict = studies[0].verdict if len(studies) == 1 else None
        has_report = verdict is not None and verdict.has_report
        return self.links.report(studies[0].name) if has_report else None

    def _render(
        self, template: str, place: str, data: Mapping[str, object] | None = None, **view: object
    ) -> str:
        has_news = self.links.live and template in ("studies", "runs", "trees")
        version = {"version": self.index.version, "news": "version", "live": has_news}
        island = {"words": _script_texts(), **version, **(data or {})}
        return self._environment.get_template(f"{template}.html.j2").render(
            **view,
            index=self.index,
            links=self.links,
            outputs=self.title,
            place=place,
            language=self.language,
            island=escape_json(island),
            **_assets(),
        )

    @cached_property
    def _environment(self) -> Environment:
        return dashboard_environment(self.language)


@cache
def dashboard_environment(language: str) -> Environment:
    """Return the report's environment with the templates of the dashboard before its own."""
    from jinja2 import FileSystemLoader

    base = environment(language)
    folders = [HERE / "templates", *base.loader.searchpath]  # type: ignore[union-attr]
    overlay = base.overlay(loader=FileSystemLoader(folders))
    overlay.globals = {
        **base.globals,
        "moment": format_moment,
        "format_number": format_number,
        "METRIC": METRIC,
    }
    return overlay


def format_moment(text: str) -> str:
    """Return a time to the minute, in UTC; what is no time stays as it is, in short.

    >>> format_moment("2026-01-01T03:30:59+03:00"), format_moment("yesterday")
    ('2026-01-01 00:30', 'yesterday')
    """
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError):
        return text[:25]


@cache
def _assets() -> dict[str, Markup | str]:
    """Return style and script, and the hashes that let a page use them and nothing else."""
    own = Markup((HERE / "dashboard.css").read_text(encoding="utf-8"))  # noqa: S704 - ours
    style = read_asset("style.css") + own
    script = wrap_script([*map(_shared_part, SHARED), *map(_own_part, SCRIPT)])
    return {
        "style": style,
        "script": script,
        "style_hash": hash_script(Markup("\n{}\n").format(style)),
        "script_hash": hash_script(script),
    }


def _shared_part(name: str) -> Markup:
    return read_asset(f"script/{name}.js")


def _own_part(name: str) -> Markup:
    return Markup((HERE / "script" / f"{name}.js").read_text(encoding="utf-8"))  # noqa: S704 - ours


@cache
def _script_texts() -> dict[str, dict[str, object]]:
    return {
        name: {k: text for k, text in words(name).texts.items() if k.startswith(SCRIPT_WORDS)}
        for name in LANGUAGES
    }
