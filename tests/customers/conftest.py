"""The raw files tests read: the real ones where they are, and a small set under one contract."""

from __future__ import annotations

import copy
import io
import os
import zipfile
from pathlib import Path

import pytest

MONTHS = ("препредыдущий_месяц", "предыдущий_месяц", "текущий_месяц")


@pytest.fixture
def contract(one_click_contract):
    """The same nodes, free to be changed."""
    return copy.deepcopy(one_click_contract)


@pytest.fixture(scope="session")
def case_tables(checkout):
    """The folder with tables that people wrote by hand, beside the checkout or where one says."""
    folder = Path(os.environ.get("RETAIN_CASES", checkout.parent / "shared" / "cases")) / "tables"
    if not folder.is_dir():
        pytest.skip(f"the tables are not in {folder}; set RETAIN_CASES to the folder above")
    return folder


@pytest.fixture(scope="session")
def small_files():
    """Twelve customers in four files as the store writes them, all of them valid."""
    ids = range(101, 113)
    behaviour = [_behaviour(n) for n in ids]
    revenue = [f"{n},{m},{4000 + n + 10 * k}.5" for n in ids for k, m in enumerate(MONTHS)]
    minutes = [f"{n},{month},{n % 7 + 5}" for n in ids for month in MONTHS[1:]]
    header = (
        "id,Покупательская активность,Тип сервиса,Разрешить сообщать,Маркет_актив_6_мес,"
        "Маркет_актив_тек_мес,Длительность,Акционные_покупки,Популярная_категория,"
        "Средний_просмотр_категорий_за_визит,Неоплаченные_продукты_штук_квартал,"
        "Ошибка_сервиса,Страниц_за_визит"
    )
    return {
        "market_file.csv": _text(header, behaviour),
        "market_money.csv": _text("id,Период,Выручка", revenue),
        "market_time.csv": _text("id,Период,минут", minutes),
        "money.csv": _text("id;Прибыль", [f"{n};{n % 5},{n % 90 + 10}" for n in ids]),
    }


@pytest.fixture
def small_dir(tmp_path, small_files):
    """The folder with the small files."""
    for name, text in small_files.items():
        (tmp_path / name).write_bytes(text.encode())
    return tmp_path


def _behaviour(n: int) -> str:
    activity = ("Снизилась", "Прежний уровень")[n % 2]
    level = ("стандарт", "стандартт", "премиум")[n % 3]
    consent = ("да", "нет")[n % 2]
    category = ("Товары для детей", "Кухонная посуда", "Домашний текстиль")[n % 3]
    return (
        f"{n},{activity},{level},{consent},3.{n % 9},4,{n * 3},0.{n},{category},3,2,1,{n % 9 + 1}"
    )


def _text(header: str, rows: list[str]) -> str:
    return "\r\n".join([header, *rows, ""])


SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def _make_workbook(sheets, *, more=""):
    """Return a workbook with rows of numbers and texts by sheet; ``more`` is XML of a row."""
    names = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(sheets, 1)
    )
    links = "".join(
        f'<Relationship Id="r{n}" Type="{RELATIONS}/worksheet" Target="worksheets/s{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{SHEET}" xmlns:r="{RELATIONS}"><sheets>{names}</sheets></workbook>',
        )
        links = f'<Relationships xmlns="{PACKAGE}">{links}</Relationships>'
        archive.writestr("xl/_rels/workbook.xml.rels", links)
        root = f'<Relationship Id="r" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/>'
        archive.writestr("_rels/.rels", f'<Relationships xmlns="{PACKAGE}">{root}</Relationships>')
        for n, rows in enumerate(sheets.values(), 1):
            body = "".join(_row(at, row) for at, row in enumerate(rows, 1)) + more
            archive.writestr(
                f"xl/worksheets/s{n}.xml",
                f'<worksheet xmlns="{SHEET}"><sheetData>{body}</sheetData></worksheet>',
            )
    return stream.getvalue()


def _row(at, row):
    cells = (
        f'<c r="{letter}{at}" t="inlineStr"><is><t>{cell}</t></is></c>'
        if isinstance(cell, str)
        else f'<c r="{letter}{at}"><v>{cell}</v></c>'
        for letter, cell in zip("ABCDEF", row, strict=False)
    )
    return f'<row r="{at}">{"".join(cells)}</row>'


@pytest.fixture
def make_workbook():
    """``make_workbook(sheets, more="")``: the bytes of a workbook."""
    return _make_workbook
