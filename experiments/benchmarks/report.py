"""The tables of the benchmark, and their places in README.md."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from statistics import median

from contestants import CONTESTANTS
from rounds import Round
from works import Work

README = Path(__file__).with_name("README.md")
PACKAGES = (
    "scikit-learn",
    "lightgbm",
    "catboost",
    "hydra-core",
    "hydra-joblib-launcher",
    "joblib",
)


def told(work: Work, rounds: Sequence[Round]) -> str:
    """Return the section of a work: walls, retain against each peer, further figures."""
    about = f"{work.told}; {work.customers:,} customers. {_rounds(rounds)}. {machine()}."
    parts = [about, _walls(work, rounds)]
    if rounds[0].figures:
        parts.append(figures(rounds, work.targets))
    return "\n\n".join(parts)


def figures(rounds: Sequence[Round], targets: Mapping[str, str]) -> str:
    """Return a table of the median of each further figure."""
    rows = [
        (name, _shown(values), _listed(values), targets.get(name, ""))
        for name in rounds[0].figures
        for values in [[one.figures[name] for one in rounds]]
    ]
    return _table(("", "median", "each round", "target"), rows)


def machine() -> str:
    """Cores, Python and the versions of what was measured."""
    versions = []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores, Python {platform.python_version()}, {', '.join(versions)}"


def against(key: str, rounds: Sequence[Round]) -> float:
    """Return the median over rounds of retain's wall by L's, or of how many times faster it is."""
    pairs = [(one.taken["retain"].seconds, one.taken[key].seconds) for one in rounds]
    return median(ours / theirs if key == "L" else theirs / ours for ours, theirs in pairs)


def rewrite(section: str, text: str, path: Path = README) -> None:
    """Put a section's text between its markers; all else stays.

    Raises
    ------
    ValueError
        When the file lacks the markers.
    """
    begin, end = f"<!-- {section} begin -->", f"<!-- {section} end -->"
    page = path.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(begin)}.*{re.escape(end)}", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"{path.name} lacks {begin} … {end}.")
    new = pattern.sub(lambda _: f"{begin}\n\n{text}\n\n{end}", page)
    path.write_text(new, encoding="utf-8")


def _walls(work: Work, rounds: Sequence[Round]) -> str:
    rows = []
    for key in rounds[0].taken:
        seconds = [one.taken[key].seconds for one in rounds]
        ratio = ""
        if key != "retain" and "retain" in rounds[0].taken:
            ratio = f"{against(key, rounds):.2f} × " + ("its wall" if key == "L" else "faster")
        cpu = _shown([one.taken[key].cpu for one in rounds])
        wall = (CONTESTANTS[key].told, _shown(seconds), _listed(seconds), cpu)
        rows.append((*wall, ratio, work.targets.get(key, "")))
    return _table(("", "wall, s", "each round", "CPU, s", "retain against it", "target"), rows)


def _rounds(rounds: Sequence[Round]) -> str:
    if len(rounds) == 1:
        return "One round"
    return f"Medians of {len(rounds)} rounds, ratios taken within each round"


def _shown(values: Sequence[float]) -> str:
    return _number(median(values))


def _listed(values: Sequence[float]) -> str:
    return ", ".join(map(_number, values))


def _number(value: float) -> str:
    """Three digits or so; a difference of nothing is 0.

    >>> _number(0.0), _number(1.234), _number(1234.5), _number(2.2e-16)
    ('0', '1.23', '1234', '2.2e-16')
    """
    if value == 0:
        return "0"
    if value < 0.01:
        return f"{value:.1e}"
    return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---"] * len(head)
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))
