"""Measure the house: files, functions, imports and names of the package.

    python experiments/house/figures.py

Reads the sources as text and imports none of them. Prints a row for each figure with its bound,
writes them to ``figures.csv`` beside this file, and ends with 1 where a bound is missed.
"""

from __future__ import annotations

import ast
import csv
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "retain"
QUESTIONS = ("What", "How", "Whether", "Who", "Whom", "Whose", "Where", "When", "Why", "Which")
IRREGULAR = {
    *("begun", "bound", "brought", "built", "caught", "chosen", "cut", "dealt", "done", "drawn"),
    *("fallen", "felt", "found", "given", "gone", "grown", "held", "hidden", "kept", "known"),
    *("laid", "left", "lost", "made", "met", "paid", "put", "run", "said", "seen", "sent", "set"),
    *("shown", "spent", "split", "spoken", "stood", "swept", "taken", "thought", "thrown", "told"),
    *("understood", "unheard", "withdrawn", "won", "written"),
}
VERBS = {"embed", "exceed", "feed", "need", "proceed", "read", "seed", "shed", "speed", "cut"} | {
    *("put", "run", "set", "split")
}


@dataclass(frozen=True)
class Source:
    """A file of the package."""

    name: str
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        """Number of lines the file has."""
        return len(self.text.splitlines())


@dataclass(frozen=True)
class Figure:
    """A figure of the house and the bounds it should keep."""

    what: str
    value: float
    at_least: float | None
    at_most: float

    @property
    def kept(self) -> bool:
        """True if the figure is within its bounds."""
        return (self.at_least is None or self.value >= self.at_least) and self.value <= self.at_most


def read_sources(package: Path) -> dict[str, Source]:
    """Return the files of a package by dotted name, that of a folder for its ``__init__``."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = (package.name, *path.relative_to(package).with_suffix("").parts)
        name = ".".join(parts).removesuffix(".__init__")
        text = path.read_text(encoding="utf-8")
        found[name] = Source(name, text, ast.parse(text))
    return found


def find_imports(source: Source, known: Mapping[str, Source]) -> set[str]:
    """Return the files of the package that a file imports, but where only types are checked."""
    body = [node for node in source.tree.body if not _is_for_types(node)]
    found = set()
    for node in (inner for outer in body for inner in ast.walk(outer)):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.add(whole if whole in known else node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return (found & known.keys()) - {source.name}


def _is_for_types(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def find_levels(imports: Mapping[str, set[str]]) -> tuple[dict[str, int], set[str]]:
    """Return the level of each file, 1 where it imports none, and the files in circles."""
    levels: dict[str, int] = {}
    left = dict(imports)
    while ready := [name for name, found in left.items() if found <= levels.keys()]:
        for name in ready:
            levels[name] = 1 + max((levels[one] for one in left.pop(name)), default=0)
    return levels, set(left)


def count_single(imports: Mapping[str, set[str]]) -> int:
    """Count the files that exactly one file imports, which lies in the same folder."""
    users: dict[str, list[str]] = {name: [] for name in imports}
    for name, found in imports.items():
        for one in found:
            users[one].append(name)
    return sum(
        len(by) == 1 and by[0].rpartition(".")[0] == name.rpartition(".")[0]
        for name, by in users.items()
    )


def functions_of(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function of a file."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def count_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function from its ``def``, without its docstring."""
    whole = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function) is None:
        return whole
    first = function.body[0]
    return whole - ((first.end_lineno or first.lineno) - first.lineno + 1)


def is_participle(name: str) -> bool:
    """Return whether a name is a past participle alone.

    >>> [is_participle(name) for name in ("told", "read", "moved", "moved_rows")]
    [True, False, True, False]
    """
    if "_" in name or name in VERBS:
        return False
    return name in IRREGULAR or (name.endswith("ed") and len(name) > 4)


def measure(package: Path) -> list[Figure]:
    """Return the figures of a package."""
    sources = read_sources(package)
    files = [source for source in sources.values() if source.text.strip()]
    sizes = [source.lines for source in files]
    imports = {name: find_imports(source, sources) for name, source in sources.items()}
    levels, circles = find_levels(imports)
    functions = [one for source in files for one in functions_of(source)]
    lengths = [count_lines(one) for one in functions]
    public = [one.name for one in functions if not one.name.startswith("_")]
    documented = [
        doc
        for source in files
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and (doc := ast.get_docstring(node))
    ]
    asking = sum(doc.split(maxsplit=1)[0].strip(",") in QUESTIONS for doc in documented)
    told = sum(len(re.findall(r"\btold\b|_told\b|\btold_", one.text)) for one in files)
    rows: list[tuple[str, float, float | None, float]] = [
        ("Python files", len(files), None, 270),
        ("lines", sum(sizes), None, 37_500),
        ("lines of the median file", median(sizes), 120, 220),
        ("files under 60 lines", sum(size < 60 for size in sizes), None, 30),
        ("files over 300 lines", sum(size > 300 for size in sizes), None, 0),
        ("files with one importer, in their folder", count_single(imports), None, 40),
        ("levels of imports", max(levels.values()), None, 15),
        ("files in circles", len(circles), None, 0),
        ("lines of the median function", median(lengths), None, 8),
        ("lines of a function, 90th percentile", quantiles(lengths, n=10)[-1], None, 20),
        ("public functions named by a participle", sum(map(is_participle, public)), None, 0),
        ("docstrings that begin as questions, %", 100 * asking / len(documented), None, 1),
        ("`told`", told, None, 10),
    ]
    return [Figure(*row) for row in rows]


def main() -> None:
    """Print and write the figures."""
    figures = measure(PACKAGE)
    with Path(__file__).with_suffix(".csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["figure", "value", "at least", "at most"])
        for one in figures:
            writer.writerow([one.what, f"{one.value:g}", one.at_least, one.at_most])
            bound = f"{one.at_least:g} to {one.at_most:g}" if one.at_least else f"≤ {one.at_most:g}"
            print(f"{one.what:42} {one.value:9g}  {bound:12} {'' if one.kept else 'missed'}")
    sys.exit(not all(one.kept for one in figures))


if __name__ == "__main__":
    main()
