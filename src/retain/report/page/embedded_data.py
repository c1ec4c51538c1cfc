"""The data of the page's script: columns as JSON, escaped for HTML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from retain.errors import type_value
from retain.record.comparison_document import RunDifference
from retain.record.documents import to_tree
from retain.record.verdict_document import VerdictDocument
from retain.report.charts.canvas import Chart
from retain.report.page.leaderboard import ROWS_PER_PAGE, WRAP_LENGTH, BoardColumn, choices
from retain.report.text.names import Row, run_label
from retain.report.text.words import LANGUAGES, words
from retain.wording import BIDI_CONTROLS, format_value

STEPS_PER_UNIT = 1_000_000
"""Numbers are whole millionths, which keeps 10,000 runs small and every digit shown."""
MAX_COMPARED = 200
"""Maximum number of runs in the comparison of two."""
ESCAPES = {letter: f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"} | {
    letter: f"\\\\u{ord(letter):04x}" for letter in BIDI_CONTROLS
}
"""Escapes of letters in JSON; those that turn the writing direction become visible."""


def page_json(
    tree: VerdictDocument, numbers: Sequence[BoardColumn], charts: Mapping[str, Chart]
) -> Markup:
    """Return the JSON with every character escaped that means something to HTML or a script."""
    holds = {
        "steps": STEPS_PER_UNIT,
        "page": ROWS_PER_PAGE,
        "long": WRAP_LENGTH,
        "words": {name: _script_texts(name) for name in LANGUAGES},
        "board": _leaderboard_data(tree, numbers),
        "pairs": _pair_data(tree),
        "charts": {name: _tooltip_data(chart) for name, chart in charts.items()},
    }
    return escape_json(holds)


def trial_json(charts: Mapping[str, Chart]) -> Markup:
    """Return the JSON of the page of a randomised campaign, escaped likewise."""
    words_by_language = {name: _script_texts(name) for name in LANGUAGES}
    tooltips = {name: _tooltip_data(chart) for name, chart in charts.items()}
    return escape_json({"words": words_by_language, "charts": tooltips})


def escape_json(holds: Mapping[str, object]) -> Markup:
    """Return an object as JSON in which nothing means anything to HTML."""
    text = json.dumps(holds, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for letter, escape in ESCAPES.items():  # faster than translate() for a large page
        text = text.replace(letter, escape)
    return Markup(text)  # noqa: S704 - nothing of HTML is left in it


def _script_texts(language: str) -> dict[str, object]:
    """Return the texts the script needs."""
    kept = (
        "script.",
        "interval.",
        "tag.",
        "tip.",
        "chart.",
        "metric.",
        "measure.",
        "fishbone.tip.",
    )
    texts = words(language).texts
    return {key: text for key, text in texts.items() if key.startswith(kept)}


def steps(values: Sequence[float | None]) -> list[int | None]:
    """Return numbers in whole millionths.

    >>> steps([0.9171234, None])
    [917123, None]
    """
    return [None if value is None else round(value * STEPS_PER_UNIT) for value in values]


def _leaderboard_data(tree: VerdictDocument, numbers: Sequence[BoardColumn]) -> dict[str, object]:
    """Return the leaderboard by column, a config value as its code among the values of its key."""
    board = tree.leaderboard
    names = [name for column in numbers for name in _column_names(column)]
    return {
        "id": [row["id"] for row in board],
        "rank": [row["rank"] for row in board],
        "tied": "".join("1" if row["tied"] else "0" for row in board),
        "stopped": {i: row["n_folds"] for i, row in enumerate(board) if row.get("stopped_early")},
        "winner": tree.winner.id,
        "keys": [
            {"name": key, "levels": level_texts, "at": _level_codes(board, key, level_texts)}
            for key, level_texts in choices(tree).items()
        ],
        "columns": [
            {
                "name": c.name,
                "form": c.form,
                "ranged": c.ranged,
                "falling": c.falling,
                "extra": c.extra,
            }
            for c in numbers
        ],
        "numbers": {name: steps([row.get(name) for row in board]) for name in names},
    }


def _column_names(column: BoardColumn) -> list[str]:
    ends = [f"{column.name}_low", f"{column.name}_high"] if column.ranged else []
    return [column.name, *ends]


def _level_codes(board: Sequence[Row], key: str, level_texts: Sequence[str]) -> list[int]:
    codes = {text: at for at, text in enumerate(level_texts)}
    return [codes[format_value(row.get(key))] for row in board]


def _pair_data(tree: VerdictDocument) -> dict[str, object]:
    """Return the data of pairwise comparison: fold values and the verdict's own pairs."""
    chosen = [row for row in tree.leaderboard if row["id"] in tree.fold_values][:MAX_COMPARED]
    requested = {side for one in tree.diffs for side in (one.a, one.b)}
    chosen += [r for r in tree.leaderboard if r["id"] in requested and r not in chosen]
    return {
        "runs": [[row["id"], row["rank"], run_label(row, tree.key_columns)] for row in chosen],
        "keys": {
            row["id"]: [format_value(row.get(key)) for key in tree.key_columns] for row in chosen
        },
        "names": list(tree.key_columns),
        "metrics": list(tree.metrics),
        "fold_values": {
            row["id"]: {
                name: steps(values) for name, values in tree.fold_values.get(row["id"], {}).items()
            }
            for row in chosen
        },
        "test_to_train": tree.split.test_to_train,
        "t": tree.t_quantiles,
        "diffs": [_diff_data(one) for one in tree.diffs],
        "command": compare_command(tree),
    }


def _diff_data(one: RunDifference) -> dict[str, object]:
    """Return a pair of the verdict, its config values as text."""
    config = [[c.key, format_value(c.a), format_value(c.b)] for c in one.config]
    return {**to_tree(one), "config": config}


def compare_command(tree: VerdictDocument) -> str:
    """Return the command line of this comparison without its pair, so that one can be added."""
    typed = [text for text in tree.commands if text.startswith("retain-compare")]
    return _DIFF.sub("", typed[0]) if typed else f"retain-compare {_type_studies(tree.studies)}"


_DIFF = re.compile(r""" (?:diff=[^ ']*|'diff=(?:[^']|'"'"')*')""")
"""The ``diff`` of a command line as ``shlex`` writes it."""


def _type_studies(names: Sequence[str]) -> str:
    return type_value("study", names[0] if len(names) == 1 else names)


def _tooltip_data(chart: Chart) -> dict[str, object]:
    """Return the tooltips of a chart."""
    return {
        "nearest": chart.nearest,
        "words": [key for key, _, _ in chart.spots[0].values] if chart.spots else [],
        "forms": [form for _, _, form in chart.spots[0].values] if chart.spots else [],
        "spots": [
            [spot.x, spot.y, spot.title, *(value for _, value, _ in spot.values)]
            for spot in chart.spots
        ],
    }
