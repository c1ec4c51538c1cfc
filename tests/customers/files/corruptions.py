"""Files of one true table, each polluted as real exports are, after Pollock's list."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd

N_FILES = 500
CITIES = ("Paris", "Saint-Denis, north", 'the "old" town', "Köln", "Lyon")


@dataclass
class Sheet:
    """A file while it is polluted: its lines without their ends, and how they are written."""

    chance: random.Random
    table: pd.DataFrame
    separator: str
    lines: list[str] = field(default_factory=list)
    end: str = "\n"
    encoding: str = "utf-8"
    raw: Callable[[bytes], bytes] = bytes

    def __post_init__(self) -> None:
        rows = [list(self.table.columns), *self.table.astype(str).to_numpy().tolist()]
        self.lines = [self.line(row) for row in rows]

    def line(self, cells: list[str]) -> str:
        """Return a row as CSV writes it."""
        text = io.StringIO()
        csv.writer(text, delimiter=self.separator, lineterminator="").writerow(cells)
        return text.getvalue()

    def some_rows(self, most: int = 3) -> list[int]:
        """Return positions of some lines below the header, later ones first."""
        count = self.chance.randint(1, most)
        return sorted(self.chance.sample(range(1, len(self.lines)), count), reverse=True)

    def content(self) -> bytes:
        """Return the bytes of the file."""
        return self.raw(self.end.join([*self.lines, ""]).encode(self.encoding, "replace"))


def make_table(chance: random.Random) -> pd.DataFrame:
    """Return the true table."""
    ids = chance.sample(range(10_000, 99_999), chance.randint(60, 160))
    return pd.DataFrame(
        {
            "id": [f"c{n}" for n in ids],
            "tenure": [chance.randint(1, 70) for _ in ids],
            "charges": [round(chance.uniform(20, 90) + 0.001, 2) for _ in ids],
            "city": [chance.choice(CITIES) for _ in ids],
            "churn": [chance.choice(["yes", "no"]) for _ in ids],
        }
    )


# --- pollutions ----------------------------------------------------------------------------------


def too_many_cells(sheet: Sheet) -> None:
    for row in sheet.some_rows():
        sheet.lines[row] += sheet.separator + sheet.chance.choice(
            ["", "extra", "x" + sheet.separator]
        )


def too_few_cells(sheet: Sheet) -> None:
    for row in sheet.some_rows():
        sheet.lines[row] = sheet.lines[row].rpartition(sheet.separator)[0]


def cut_line(sheet: Sheet) -> None:
    row = sheet.some_rows(1)[0]
    line = sheet.lines[row]
    at = line.find(sheet.separator) + 1
    sheet.lines[row : row + 1] = [line[:at], line[at:]]


def unquoted_separator(sheet: Sheet) -> None:
    for row in sheet.some_rows():
        cells = sheet.table.iloc[0].astype(str).tolist()
        cells = next(csv.reader([sheet.lines[row]], delimiter=sheet.separator), cells)
        sheet.lines[row] = sheet.separator.join(["a", *cells])


def unclosed_quote(sheet: Sheet) -> None:
    for row in sheet.some_rows(2):
        head, mark, tail = sheet.lines[row].partition(sheet.separator)
        sheet.lines[row] = f'{head}{mark}"{tail}'


def stray_quote(sheet: Sheet) -> None:
    for row in sheet.some_rows(2):
        head, mark, tail = sheet.lines[row].rpartition(sheet.separator)
        sheet.lines[row] = f'{head}"{mark}{tail}'


def text_behind_quote(sheet: Sheet) -> None:
    for row in sheet.some_rows(2):
        head, mark, tail = sheet.lines[row].partition(sheet.separator)
        sheet.lines[row] = f'"{head}"x{mark}{tail}'


def all_quoted(sheet: Sheet) -> None:
    rows = [list(sheet.table.columns), *sheet.table.astype(str).to_numpy().tolist()]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=sheet.separator, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows(rows)
    sheet.lines = text.getvalue().splitlines()


def backslash_quotes(sheet: Sheet) -> None:
    sheet.lines = [line.replace('""', '\\"') for line in sheet.lines]


def other_separator_in_a_row(sheet: Sheet) -> None:
    other = "|" if sheet.separator != "|" else ";"
    for row in sheet.some_rows():
        sheet.lines[row] = sheet.lines[row].replace(sheet.separator, other)


def separator_line(sheet: Sheet) -> None:
    sheet.lines.insert(0, f"sep={sheet.separator}")


def title_lines(sheet: Sheet) -> None:
    titles = ["Customers of the store", "Period: May 2024", "", "made by CRM v2.1"]
    sheet.lines[:0] = sheet.chance.sample(titles, sheet.chance.randint(1, 4))


def padded_titles(sheet: Sheet) -> None:
    width = sheet.table.shape[1] - 1
    titles = ["Customers of the store", "May 2024"][: sheet.chance.randint(1, 2)]
    sheet.lines[:0] = [title + sheet.separator * width for title in titles]


def footer_lines(sheet: Sheet) -> None:
    sheet.lines += sheet.chance.sample(["", "Source: CRM", "End of report"], 2)


def totals_row(sheet: Sheet) -> None:
    sums = sheet.table[["tenure", "charges"]].sum().round(2).astype(str).tolist()
    sheet.lines.append(sheet.line([sheet.chance.choice(["Total", "Итого", ""]), *sums, "", ""]))


def second_table(sheet: Sheet) -> None:
    count = sheet.chance.randint(2, 8)
    names = ["shop", "town", "people"][: sheet.chance.randint(2, 3)]
    rows = [[f"{name} {n}" for name in names] for n in range(count)]
    sheet.lines += ["", sheet.line(names), *map(sheet.line, rows)]


def second_table_as_wide(sheet: Sheet) -> None:
    header = ["shop", "town", "people", "state", "kind"]
    count = sheet.chance.randint(2, 6)
    rows = [[f"s{n}", f"town {n}", f"{n}", "open", "shop"] for n in range(count)]
    sheet.lines += ["", *map(sheet.line, [header, *rows])]


def repeated_header(sheet: Sheet) -> None:
    header = sheet.line(list(sheet.table.columns))
    for row in sheet.some_rows(2):
        sheet.lines.insert(row + 1, header)


def empty_rows(sheet: Sheet) -> None:
    for row in sheet.some_rows(4):
        sheet.lines.insert(row + 1, sheet.separator * (sheet.table.shape[1] - 1))


def blank_lines(sheet: Sheet) -> None:
    for row in sheet.some_rows(4):
        sheet.lines.insert(row + 1, "")


def trailing_separators(sheet: Sheet) -> None:
    sheet.lines = [line + sheet.separator for line in sheet.lines]


def trailing_separators_of_rows(sheet: Sheet) -> None:
    sheet.lines = [sheet.lines[0], *(line + sheet.separator for line in sheet.lines[1:])]


def missing_id(sheet: Sheet) -> None:
    for row in sheet.some_rows():
        sheet.lines[row] = sheet.separator + sheet.lines[row].partition(sheet.separator)[2]


def word_among_numbers(sheet: Sheet) -> None:
    for row in sheet.some_rows():
        cells = sheet.lines[row].split(sheet.separator)
        cells[1:2] = ["unknown"]
        sheet.lines[row] = sheet.separator.join(cells)


def line_ends(sheet: Sheet) -> None:
    sheet.end = sheet.chance.choice(["\r\n", "\r"])


def mixed_line_ends(sheet: Sheet) -> None:
    at = sheet.chance.randint(5, 40)

    def mix(content: bytes) -> bytes:
        lines = content.split(b"\n")
        return b"\r\n".join([*lines[:at], b"\n".join(lines[at:])])

    sheet.raw = mix


def no_last_line_end(sheet: Sheet) -> None:
    sheet.raw = lambda content: content.rstrip(b"\r\n")


def encoding(sheet: Sheet) -> None:
    sheet.encoding = sheet.chance.choice(["utf-8-sig", "utf-16", "cp1252"])


def damaged_bytes(sheet: Sheet) -> None:
    sheet.raw = lambda content: content.replace("Köln".encode(), b"K\xf6ln", 1)


WHOLE_FILE = (all_quoted, backslash_quotes)
ROWS = (
    *(too_many_cells, too_few_cells, cut_line, unquoted_separator, unclosed_quote, stray_quote),
    *(text_behind_quote, other_separator_in_a_row, missing_id, word_among_numbers),
)
EMPTY = (repeated_header, empty_rows, blank_lines)
EDGES = (trailing_separators, trailing_separators_of_rows)
BELOW = (footer_lines, totals_row, second_table, second_table_as_wide)
ABOVE = (separator_line, title_lines, padded_titles)
BYTES = (line_ends, mixed_line_ends, no_last_line_end, encoding, damaged_bytes)
KINDS = (WHOLE_FILE, ROWS, EMPTY, EDGES, BELOW, ABOVE, BYTES)


def make_file(number: int) -> tuple[bytes, pd.DataFrame, list[str]]:
    """Return a polluted file, its true table, and the names of one to three pollutions."""
    chance = random.Random(f"pollution {number}")  # noqa: S311 - no secret
    sheet = Sheet(chance, make_table(chance), chance.choice(",;\t|"))
    every = [one for kind in KINDS for one in kind]
    first = every[number % len(every)]
    others = [kind for kind in KINDS if first not in kind]
    more = chance.sample(others, chance.randint(0, 2))
    chosen = [first, *(chance.choice(kind) for kind in more)]
    order = [one for kind in KINDS for one in kind]
    for pollute in sorted(chosen, key=order.index):
        pollute(sheet)
    return sheet.content(), sheet.table, [one.__name__ for one in chosen]
