"""The findings of a command for CI: test cases as JUnit XML, and Markdown for a pull request."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from retain.cli.terminal.output import clean_line
from retain.errors import RetainError
from retain.storage.reading import MAX_TABLE_BYTES, open_regular

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

CaseState = Literal["passed", "failed", "skipped", "error"]
MAX_ROWS = 20
"""Rows of a Markdown table."""
BEGINS = (b"<testsuites", b"## retain")
"""The first words of these files, by which one that may be replaced is known."""
_NO_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")
_SIGNS = re.compile(r"([\\`*_{}\[\]#!|~$])")


@dataclass(frozen=True)
class Case:
    """One test case; ``message`` says why it did not pass."""

    name: str
    state: CaseState = "passed"
    message: str = ""
    seconds: float = 0.0


@dataclass
class CiReport:
    """The files that ``--junit FILE`` and ``--markdown FILE`` ask for, and what goes into them.

    A command adds what it found. The files are written too where it is refused: the error is a case
    of its own.
    """

    junit: Path | None = None
    markdown: Path | None = None
    cases: list[Case] = field(default_factory=list)
    sections: list[str] = field(default_factory=list)

    def add(self, cases: Iterable[Case] = (), *sections: str) -> None:
        """Add cases, and sections of Markdown."""
        self.cases += cases
        self.sections += sections

    def write(self, command: str, error: str | None = None) -> None:
        """Write the files; ``error`` is the sentence that ended the command, if one did.

        Raises
        ------
        RetainError
            If one cannot be written.
        """
        if self.junit is None and self.markdown is None:
            return
        from xml.etree.ElementTree import tostring

        ended = [Case(command, "error", error)] if error else []
        cases = [*self.cases, *ended] or [Case(command)]
        parts = [*self.sections, *([f"**Stopped:** {escape_markdown(error)}"] if error else [])]
        pages = {
            "--junit": (self.junit, tostring(to_xml(command, cases), "unicode")),
            "--markdown": (self.markdown, "\n\n".join([f"## {command}", *parts])),
        }
        for flag, (path, text) in pages.items():
            if path is not None:
                _write(path, text, flag)


def may_replace(path: Path) -> bool:
    """Return whether nothing lies at a path, or a file that was written here before."""
    if not path.exists() or path.is_symlink():
        return True
    try:
        with open_regular(path, max_bytes=MAX_TABLE_BYTES) as file:
            begin = file.read(len(max(BEGINS, key=len)))
    except RetainError:  # a folder, or a file that nobody may read
        return False
    return not begin or begin.startswith(BEGINS)


def _write(path: Path, text: str, flag: str) -> None:
    from retain.storage.writing import write_text

    try:
        write_text(path, f"{text}\n")
    except OSError as error:
        raise RetainError.unwritable(path, error, f"{flag} FILE") from None


def to_xml(suite: str, cases: Sequence[Case]) -> Element:
    """Return test cases in the form that CI services read, as Ant's JUnit task wrote it.

    >>> suite = to_xml("retain", [Case("svc", "failed", "too few rows")])[0]
    >>> suite.attrib["failures"], suite[0].attrib["name"], suite[0][0].attrib["message"]
    ('1', 'svc', 'too few rows')
    """
    from xml.etree.ElementTree import Element, SubElement, indent

    counts = Counter(case.state for case in cases)
    totals = {
        "name": suite,
        "tests": str(len(cases)),
        "failures": str(counts["failed"]),
        "errors": str(counts["error"]),
        "skipped": str(counts["skipped"]),
        "time": f"{sum(case.seconds for case in cases):.3f}",
    }
    root = Element("testsuites")
    node = SubElement(root, "testsuite", totals)
    for case in cases:
        name = _to_xml_text(case.name)
        facts = {"classname": suite, "name": name, "time": f"{case.seconds:.3f}"}
        one = SubElement(node, "testcase", facts)
        if case.state != "passed":
            tag = {"failed": "failure", "error": "error", "skipped": "skipped"}[case.state]
            SubElement(one, tag, {"message": _to_xml_text(case.message)})
    indent(root)
    return root


def _to_xml_text(text: str) -> str:
    """Return a text as one line of characters that XML has."""
    return _NO_XML.sub("\ufffd", clean_line(text))


def escape_markdown(text: object) -> str:
    r"""Return a text as one line that Markdown shows as it is, without markup, links and mentions.

    >>> print(escape_markdown("a|b *c* <img src=x>"))
    a\|b \*c\* &lt;img src=x&gt;
    """
    line = clean_line(str(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SIGNS.sub(r"\\\1", line).replace("@", "@\u200b").replace("://", ":\u200b//")


def to_table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table of the first rows, and how many there are more.

    >>> print(to_table(["run", "ROC-AUC"], [["svc", 0.9]]))
    | run | ROC-AUC |
    |---|---|
    | svc | 0.9 |
    """
    lines = [headings, *rows[:MAX_ROWS]]
    cells = [f"| {' | '.join(map(escape_markdown, line))} |" for line in lines]
    cells.insert(1, "|" + "---|" * len(headings))
    rest = len(rows) - MAX_ROWS
    return "\n".join([*cells, *([f"\n{rest:,} more"] if rest > 0 else [])])
