"""Valid inputs made hostile: bytes, texts, trees, tables and archives, each in its own way.

Everything is drawn from the ``Random`` that is passed, so that a seed makes the same input again.
"""

from __future__ import annotations

import copy
import io
import json
import math
import re
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

DEEP = 10_000
MARK = "\ue000deep\ue000"
"""Stands in a tree for brackets nested ``DEEP`` deep, which no writer of JSON could write."""
WORDS = (
    *("", " ", "NaN", "nan", "inf", "-Infinity", "∞", "1e400", "-1e400", "1e-400", "-0", "0", "1"),
    *(
        "-1",
        "9" * 5000,
        "0." + "3" * 5000,
        "9223372036854775808",
        "0x10",
        "1_000",
        "1,5",
        "1.234,5",
    ),
    *("\x00", "\x1b[2J", "\u202eabc", "\ud800", "\ufeff", "ﬀ", "é" * 300, "😀", "\r", "\n", "\t"),
    *("${oc.env:HOME}", "${data.path}", "${", "???", "=cmd|' /C calc'!A0", "@x", "+1", "../../x"),
    *("[" * 200, "[" * DEEP, "{" * 200, '"', '""', "'", ";", ",", "|", "\\", "%", "&a [*a]", "*a"),
    *("null", "None", "true", "yes", "no", "2024-02-30", "0001-01-01", "9999-12-31T24:00:00Z"),
    *(
        "31/12/1999",
        "12.13.14",
        "!!python/object:os.system x",
        "<<: *a",
        "/dev/zero",
        "x" * 100_000,
    ),
)
NUMBERS = (
    *(0, 1, -1, 2, 3, 2**31, 2**63, -(2**63), 2**64, 10**40, 10**5000, 0.0, -0.0, 0.5, 1e-320),
    *(1e308, -1e308, math.nan, math.inf, -math.inf, True, False, None),
)
BYTES = (
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\x1b]0;x\x07",
    b"\xed\xa0\x80",
    b"\xc3",
    b'"',
    b"\n",
)
TYPES = (
    *(pa.int8(), pa.int64(), pa.uint64(), pa.float16(), pa.float32(), pa.float64(), pa.bool_()),
    *(pa.string(), pa.large_string(), pa.binary(), pa.date32(), pa.timestamp("ns", "UTC")),
    *(pa.timestamp("s"), pa.time64("us"), pa.duration("ms"), pa.decimal128(38, 10), pa.null()),
    *(
        pa.dictionary(pa.int32(), pa.string()),
        pa.list_(pa.int64()),
        pa.map_(pa.string(), pa.int8()),
    ),
    *(pa.struct([("a", pa.string())]), pa.decimal256(76, 0)),
)


def mutate_bytes(chance: Random, raw: bytes) -> bytes:
    """Return bytes with some flipped, inserted, cut, repeated or swapped."""
    found = bytearray(raw)
    for _ in range(chance.choice((1, 1, 2, 4))):
        size = len(found)
        begin, end = sorted((chance.randint(0, size), chance.randint(0, size)))
        if chance.random() < 0.5:
            end = min(end, begin + chance.choice((1, 2, 8)))
        kind = chance.randrange(7)
        if kind == 0 and size:
            found[chance.randrange(size)] ^= 1 << chance.randrange(8)
        elif kind == 1:
            found[begin:begin] = chance.choice(BYTES) * chance.choice((1, 1, 3, 1000))
        elif kind == 2:
            del found[begin:]
        elif kind == 3:
            del found[begin:end]
        elif kind == 4:
            found[begin:begin] = found[begin:end] * chance.choice((1, 2, 10))
        elif kind == 5:
            middle = (begin + end) // 2
            found[begin:end] = found[middle:end] + found[begin:middle]
        else:
            found[begin:end] = chance.randbytes(end - begin)
    return bytes(found)


LONGEST = 4_000_000
"""Characters of a text at most: a line repeated again and again would fill the memory."""


def mutate_text(chance: Random, text: str, *, tokens: str = r"[^\s,;:{}\[\]\"]+") -> bytes:
    """Return a text as bytes, with tokens replaced, lines moved, or in another encoding."""
    for _ in range(chance.choice((1, 1, 2, 5))):
        lines = text.splitlines(keepends=True)
        kind = chance.randrange(8)
        if kind <= 3:
            text = _token_replaced(chance, text, tokens)
        elif kind == 4 and lines:
            text = "".join(chance.sample(lines, chance.randint(0, len(lines))))
        elif kind == 5 and lines:
            text += chance.choice(lines) * chance.choice((1, 2, 100))
        elif kind == 6:
            old = chance.choice(",;:\t\n\"'. -01")
            text = text.replace(old, chance.choice((",", ";", "\t", "|", "", '"', "\r\n", "\x00")))
        else:
            place = chance.randint(0, len(text))
            text = text[:place] + chance.choice(WORDS) + text[place:]
        text = text[:LONGEST]
    encoding = chance.choice(("utf-8",) * 8 + ("utf-16", "cp1251", "utf-8-sig", "utf-32"))
    raw = text.encode(encoding, "surrogatepass" if encoding.startswith("utf") else "replace")
    return mutate_bytes(chance, raw) if chance.random() < 0.2 else raw


def _token_replaced(chance: Random, text: str, tokens: str) -> str:
    found = list(re.finditer(tokens, text))
    if not found:
        return chance.choice(WORDS)
    one, word = chance.choice(found), chance.choice(WORDS)
    if chance.random() < 0.15:  # everywhere
        return text.replace(one.group(), word, max(1, 2_000_000 // (1 + len(word))))
    return text[: one.start()] + word + text[one.end() :]


def mutate_tree(chance: Random, tree: Any) -> Any:
    """Return a copy of plain values with nodes replaced, dropped, repeated, moved or renamed."""
    whole = {"": copy.deepcopy(tree)}
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        places = list(_places(whole))
        if not places:
            break
        node, key = chance.choice(places)
        if node is whole and chance.random() < 0.9 and len(places) > 1:
            node, key = chance.choice(places[1:])
        _change(chance, whole, node, key)
    return whole.get("")


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every node that holds others, with every key or index in it."""
    inner = node.items() if isinstance(node, dict) else enumerate(node)
    for key, below in list(inner):
        yield node, key
        if isinstance(below, dict | list):
            yield from _places(below)


def _change(chance: Random, whole: Any, node: Any, key: Any) -> None:
    other, place = chance.choice(list(_places(whole)))
    kind = chance.randrange(9)
    if kind <= 3:
        node[key] = _value(chance, node[key])
    elif kind == 4:
        del node[key]
    elif kind == 5:  # moved, or rather also here
        node[key] = copy.deepcopy(other[place])
    elif kind == 6 and isinstance(node, dict):
        node[chance.choice((*WORDS, "name", "_target_", "__proto__"))] = node.pop(key)
    elif kind == 6 or (kind == 7 and isinstance(node, list)):
        node.insert(key, copy.deepcopy(node[key]))
    elif kind == 7:
        node[f"{key}2"] = copy.deepcopy(node[key])
    else:
        node[key] = chance.choice(([node[key]], {"a": node[key]}, MARK, [], {}))


def _value(chance: Random, old: Any) -> Any:
    """Return another value, near the old one half of the time."""
    if isinstance(old, bool) or chance.random() < 0.4:
        return chance.choice((*NUMBERS, *WORDS, [], {}, MARK))
    if isinstance(old, int | float):
        near = old if abs(old) < 2**64 else 7  # no longer number can be multiplied by a fraction
        return chance.choice((-near, near + 1, near * 1e6, near / 1e6, str(near), *NUMBERS))
    if isinstance(old, str):
        return chance.choice((old + " ", old.upper(), old[:-1], old[::-1], old[:999] * 50, *WORDS))
    if isinstance(old, list):
        times = max(2, 2000 // (1 + sum(1 for _ in _places(old))))
        named = {str(place): one for place, one in enumerate(old)}
        return chance.choice((old * 2, old[:-1], old[::-1], old * times, named))
    return chance.choice((*NUMBERS, *WORDS))


def write_json(tree: Any, *, indent: int | None = None) -> bytes:
    """Return a tree as JSON, with what JSON has not (NaN, halves of pairs) as Python writes it."""
    try:
        text = json.dumps(tree, ensure_ascii=False, indent=indent)
    except ValueError:  # a number with more digits than Python writes
        text = json.dumps(_written(tree), ensure_ascii=False, indent=indent)
    text = text.replace(f'"{MARK}"', "[" * DEEP + "]" * DEEP)
    return text.encode("utf-8", "surrogatepass")


def _written(node: Any) -> Any:
    """Return a tree whose longest numbers stand as texts."""
    if isinstance(node, dict):
        return {key: _written(below) for key, below in node.items()}
    if isinstance(node, list):
        return [_written(below) for below in node]
    return "9" * 5000 if isinstance(node, int) and node.bit_length() > 10_000 else node


def mutate_json(chance: Random, tree: Any, *, indent: int | None = None) -> bytes:
    """Return a tree as JSON, changed as a tree most of the time, else as a text or bytes."""
    kind = chance.random()
    if kind < 0.8:
        return write_json(mutate_tree(chance, tree), indent=indent)
    raw = write_json(tree, indent=indent)
    return mutate_text(chance, raw.decode()) if kind < 0.9 else mutate_bytes(chance, raw)


def write_hostile_parquet(chance: Random, table: pa.Table, path: Path) -> None:
    """Write a table with other types, columns or rows, or with bytes of its file changed."""
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        table = _changed_table(chance, table) if table.num_columns else table
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pq.write_table(table, path, compression=chance.choice(("snappy", "zstd", "none")))
        except (pa.ArrowException, ValueError, OSError):  # no Parquet has such a type
            pq.write_table(pa.table({"a": pa.nulls(chance.randrange(5))}), path)
    if chance.random() < 0.35:
        path.write_bytes(mutate_bytes(chance, path.read_bytes()))


def _changed_table(chance: Random, table: pa.Table) -> pa.Table:
    place = chance.randrange(table.num_columns)
    name, column = table.column_names[place], table.column(place)
    kind = chance.randrange(9)
    if kind <= 2:
        return table.set_column(place, name, _column(chance, column))
    changes = (
        lambda: table.remove_column(place),
        lambda: table.append_column(chance.choice((name, *_NAMES)), column),
        lambda: _renamed(table, place, chance.choice(_NAMES)),
        lambda: table.slice(0, chance.randrange(4)),
        lambda: pa.concat_tables([table] * chance.choice((2, 3))),
        lambda: table.select([*reversed(range(table.num_columns))]),
    )
    return changes[kind - 3]()


def _renamed(table: pa.Table, place: int, name: str) -> pa.Table:
    names = [*table.column_names]
    names[place] = name
    return table.rename_columns(names)


_NAMES = tuple(word[:200].encode("utf-8", "replace").decode() for word in WORDS)


def _column(chance: Random, column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """Return a column with some cells replaced, or of another type."""
    kind, count = chance.random(), len(column)
    if kind < 0.4:
        other = chance.choice(TYPES)
        try:
            return column.cast(other, safe=False)
        except (pa.ArrowException, ValueError, TypeError):
            return pa.nulls(count, other)
    values = column.to_pylist()
    words = _NAMES if kind < 0.6 else NUMBERS
    for place in range(count):
        if chance.random() < chance.choice((0.02, 0.5)):
            values[place] = chance.choice(words)
    try:
        return pa.array(values, column.type if kind > 0.8 else None)
    except (pa.ArrowException, OverflowError, ValueError, TypeError):
        return pa.array([None if isinstance(one, int) else str(one)[:300] for one in values])


def mutate_zip(chance: Random, raw: bytes, description: str) -> bytes:
    """Return an archive with its description or other members changed, or a bomb."""
    kind = chance.random()
    if kind < 0.15:
        return mutate_bytes(chance, raw)
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    for place, (name, content) in enumerate(members):
        if name == description and kind < 0.7:
            members[place] = name, mutate_json(chance, json.loads(content))
        elif name != description and kind > 0.6 and chance.random() < 0.3:
            members[place] = name, mutate_bytes(chance, content)
    if kind > 0.9:
        members = _members_changed(chance, members, description)
    return _zipped(members)


def _members_changed(
    chance: Random, members: list[tuple[str, bytes]], description: str
) -> list[tuple[str, bytes]]:
    kind = chance.randrange(5)
    if kind == 0:
        return chance.sample(members, chance.randint(0, len(members)))
    if kind == 1:
        return members + chance.sample(members, chance.randint(0, len(members)))
    if kind == 2:
        return [(chance.choice((name, f"../{name}", f"/{name}", "")), raw) for name, raw in members]
    if kind == 3:  # bytes that pack to a thousandth
        return [*members, (chance.choice((description, "a.npy")), b"[" * 50_000_000)]
    names = [name for name, _ in members]
    contents = [raw for _, raw in members]
    return list(zip(names, chance.sample(contents, len(contents)), strict=True))


def _zipped(members: list[tuple[str, bytes]]) -> bytes:
    written = io.BytesIO()
    with (
        warnings.catch_warnings(),
        zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        warnings.simplefilter("ignore")  # names that stand twice
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content)
    return written.getvalue()
