"""One true table of customers, written in many dialects."""

from __future__ import annotations

import bz2
import csv
import datetime as dt
import gzip
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from retain.customers.columns import snake_case

N_ROWS = 120
LOCALES = {  # grouping mark, decimal mark
    "plain": ("", "."),
    "comma": ("", ","),
    "us": (",", "."),
    "german": (".", ","),
    "french": ("\u202f", ","),
    "russian": ("\u00a0", ","),
    "swiss": ("'", "."),
    "british_space": (" ", "."),
}
SIGNS: dict[str, Callable[[str], str]] = {
    "minus": lambda text: f"-{text}",
    "true_minus": lambda text: f"\u2212{text}",
    "accounting": lambda text: f"({text})",
    "trailing": lambda text: f"{text}-",
}
CURRENCIES: dict[str, Callable[[str], str]] = {
    "none": lambda text: text,
    "dollar": lambda text: f"${text}",
    "euro": lambda text: f"{text} €",
    "real": lambda text: f"R$ {text}",
    "rouble": lambda text: f"{text} руб.",
    "franc": lambda text: f"CHF {text}",
    "code": lambda text: f"{text} USD",
    "krone": lambda text: f"kr {text}",
}
DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%y", "%Y-%m-%d %H:%M", "%Y/%m/%d")
ENCODINGS = {  # a language each can write
    "utf-8": "ru",
    "utf-8-sig": "de",
    "utf-16": "ru",
    "cp1252": "de",
    "cp1251": "ru",
    "latin-1": "de",
    "koi8-r": "ru",
    "cp866": "ru",
    "cp1250": "pl",
}
WORDS = {
    "ru": (
        "город",
        ("Москва", "Казань", "Нижний Новгород", "Екатеринбург"),
        "отток",
        ("да", "нет"),
    ),
    "de": ("straße", ("München", "Köln", "Düsseldorf", "Nürnberg"), "kündigt", ("ja", "nein")),
    "pl": ("województwo", ("Łódź", "Gdańsk", "Kraków", "Poznań"), "odejście", ("tak", "nie")),
}
SEPARATORS = (",", ";", "\t", "|")
COMPRESSIONS = ("", ".gz", ".bz2", ".zip")


@dataclass(frozen=True)
class WrittenDialect:
    """The choices with which a table is written."""

    separator: str
    locale: str
    sign: str
    currency: str
    date: str
    encoding: str
    quoting: int
    compression: str

    @property
    def words(self) -> tuple[str, tuple[str, ...], str, tuple[str, str]]:
        """Header, cities, target and answers in a language of the encoding."""
        return WORDS[ENCODINGS[self.encoding]]

    def number(self, value: float, digits: int) -> str:
        """Return a number in this dialect, without a unit."""
        grouping, decimal = LOCALES[self.locale]
        text = f"{abs(value):,.{digits}f}".replace(",", "\0").replace(".", decimal)
        return text.replace("\0", grouping)

    def money(self, value: float) -> str:
        """Return an amount in this dialect."""
        text = CURRENCIES[self.currency](self.number(value, 2))
        return SIGNS[self.sign](text) if value < 0 else text


def make_dialects(count: int) -> Iterator[WrittenDialect]:
    """Yield different dialects in which each choice meets each other one."""
    random = np.random.default_rng(7)
    seen: set[WrittenDialect] = set()
    while len(seen) < count:
        choices = (SEPARATORS, LOCALES, SIGNS, CURRENCIES, DATES, ENCODINGS)
        picked = [list(one)[random.integers(len(one))] for one in choices]
        quoting = (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)[random.integers(2)]
        dialect = WrittenDialect(*picked, quoting, COMPRESSIONS[random.integers(4)])
        if dialect not in seen and _can_write(dialect):
            seen.add(dialect)
            yield dialect


def _can_write(dialect: WrittenDialect) -> bool:
    try:
        write_text(dialect).encode(dialect.encoding)
    except UnicodeEncodeError:
        return False
    return True


def make_truth() -> pd.DataFrame:
    """Return the table: amounts, counts, shares, dates, and indices of city and answer."""
    random = np.random.default_rng(1)
    since = [dt.date(2019, 1, 1) + dt.timedelta(int(n)) for n in random.integers(0, 2000, N_ROWS)]
    return pd.DataFrame(
        {
            "total": random.normal(2500, 2500, N_ROWS).round(2),
            "visits": np.tile(random.integers(1, 20_000, N_ROWS // 2), 2),
            "share": random.uniform(0, 100, N_ROWS).round(1),
            "since": since,
            "city": random.integers(0, 4, N_ROWS),
            "answer": random.integers(0, 2, N_ROWS),
        }
    )


def write_text(dialect: WrittenDialect) -> str:
    """Return the true table as text."""
    header, cities, target, answers = dialect.words
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=dialect.separator, quoting=dialect.quoting)
    writer.writerow(["id", "total", "visits", "share", "since", header, target])
    for n, row in enumerate(make_truth().itertuples()):
        share = dialect.number(row.share, 1) + "%"
        since = row.since.strftime(dialect.date)
        cells = [f"c{n:04}", dialect.money(row.total), dialect.number(row.visits, 0), share, since]
        writer.writerow([*cells, cities[row.city], answers[row.answer]])
    return stream.getvalue()


def write_file(dialect: WrittenDialect, folder: Path) -> Path:
    """Write the true table and return its path."""
    data = write_text(dialect).encode(dialect.encoding)
    path = folder / f"table.csv{dialect.compression}"
    if dialect.compression == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("table.csv", data)
        return path
    pack = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress}[dialect.compression]
    path.write_bytes(pack(data))
    return path


def find_misreadings(customers, dialect: WrittenDialect) -> list[str]:
    """Columns whose cells are not those of the true table."""
    truth, (header, cities, _, _) = make_truth(), dialect.words
    days = [(day - dt.date(1970, 1, 1)).days for day in truth["since"]]
    expected = {"total": truth["total"], "visits": truth["visits"], "share": truth["share"]}
    expected["since"] = days
    wrong = [
        name
        for name, values in expected.items()
        if name not in customers.columns
        or customers.features[name].dtype != np.float64
        or not np.array_equal(customers.features[name], np.asarray(values, dtype=float))
    ]
    key = snake_case(header)
    if key not in customers.columns or customers.features[key].tolist() != [
        cities[n] for n in truth["city"]
    ]:
        wrong.append(header)
    if customers.y.tolist() != (1 - truth["answer"]).tolist():
        wrong.append("target")
    return wrong
