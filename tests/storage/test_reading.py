"""The room that reads files from disk: what it refuses, and that nobody reads beside it."""

from __future__ import annotations

import ast
import io
import json
import os
import socket
import time
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retain.errors import RetainError
from retain.storage import parquet, reading
from retain.storage import reading as archives
from retain.storage.parquet import (
    check_parquet_ends,
    read_frame,
    read_parquet,
    read_parquet_schema,
)
from retain.storage.reading import (
    MissingFileError,
    check_model_archive,
    open_regular,
    parse_json,
    read_bytes,
    read_json_object,
    read_text,
)

READERS = {
    "open",
    "read_text",
    "read_bytes",
    "read_csv",
    "read_parquet",
    "read_table",
    "read_schema",
    "read_json",
    "read_pickle",
    "read_excel",
    "read_feather",
    "ParquetFile",
    "OSFile",
    "memory_map",
    "fromfile",
    "loadtxt",
    "load",
    "safe_load",
    "fdopen",
}
"""Names of functions that read a file, or what one holds."""
OWN = "reads what this process, or the one that started it, has just written"
PACKAGE = "reads a file of the package"
EXCEPTIONS = {
    ("learning/components.py", "load"): PACKAGE,
    ("cli/help.py", "read_text"): PACKAGE,
    ("customers/demo.py", "read_text"): PACKAGE,
    ("report/page/page.py", "read_text"): PACKAGE,
    ("dashboard/pages.py", "read_text"): PACKAGE,
    ("verdict/headings.py", "read_text"): PACKAGE,
    ("verdict/headings.py", "load"): PACKAGE,
    ("report/text/words.py", "read_text"): PACKAGE,
    ("report/text/words.py", "load"): PACKAGE,
    ("execution/limits.py", "read_text"): "reads /proc/self/status, which the system writes",
    ("cli/signals.py", "open"): "opens the null device to write to it",
    ("cli/terminal/output.py", "open"): "opens the null device in place of a stream that is closed",
    ("campaign/allocation/exact.py", "open"): "opens the null device to write to it",
    ("cli/unexpected.py", "open"): "opens a folder to write a log into it",
    ("cli/unexpected.py", "fdopen"): "writes a log",
    ("execution/shared_memory.py", "open"): OWN,
    ("learning/fold_data.py", "load"): OWN,
    ("workflows/launch_commands.py", "safe_load"): "parses a text that was read before",
    ("learning/scoring.py", "load"): "takes a fold from the cache, which is fold_data's",
    ("customers/purchases/log.py", "load"): "calls readers of this package",
    ("customers/files/containers.py", "open"): "opens a member of an archive that was checked",
    ("customers/files/workbook.py", "open"): "unpacks a workbook that was read before, to check it",
    ("customers/files/json_lines.py", "read_json"): "parses bytes that were read before",
}
"""Who reads by itself all the same, and why it may."""
WRITES = {"w", "wb", "w+b", "a", "ab", "x"}


def own_readers(path):
    """Calls of a file that read from disk and are no function of this package."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    ours = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("retain.")
        for alias in node.names
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name not in READERS or (isinstance(called, ast.Name) and name in ours):
            continue
        if name == "load" and not node.args:
            continue  # of a value that another process of ours shares
        texts = {a.value for a in node.args if isinstance(a, ast.Constant)}
        if name == "open" and texts & WRITES:
            continue
        if name == "read_csv" and node.args and not isinstance(node.args[0], ast.Name):
            continue  # of bytes that were read before, or Arrow's
        yield name


def test_outside_one_room_nothing_opens_a_file_to_read_it(checkout):
    package = checkout / "src" / "retain"
    found = {
        (str(path.relative_to(package)), name)
        for path in package.rglob("*.py")
        if path.parent.name != "storage"
        for name in own_readers(path)
    }
    assert found == EXCEPTIONS.keys()


@pytest.fixture(params=["pipe", "device", "folder", "socket", "link to a device", "loop"])
def no_file(request, tmp_path):
    """A path that leads to something, and to no regular file."""
    path = tmp_path / "odd"
    if request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "device":
        return Path("/dev/zero")
    elif request.param == "folder":
        path.mkdir()
    elif request.param == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            os.chdir(tmp_path)
            server.bind("odd")
    elif request.param == "link to a device":
        path.symlink_to("/dev/zero")
    else:
        path.symlink_to(path)
    return path


READING = (open_regular, read_bytes, read_text, read_json_object, read_parquet)


@pytest.mark.parametrize("read", [*READING, read_parquet_schema, check_parquet_ends])
def test_only_regular_files_are_opened_and_nothing_hangs(no_file, read):
    begun = time.perf_counter()
    with pytest.raises(RetainError, match=r"expected a regular file|cannot be read"):
        read(no_file)
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize("read", READING)
def test_a_file_that_is_not_there_is_told_from_one_that_cannot_be_read(tmp_path, read):
    with pytest.raises(MissingFileError, match="there is no file"):
        read(tmp_path / "gone.json")
    with pytest.raises(RetainError, match="cannot be read"):
        read(tmp_path / "with\0nul")


@pytest.mark.parametrize("read", [open_regular, read_bytes, read_text, read_json_object])
def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path, read):
    home, out = tmp_path / "home", tmp_path / "out"
    for folder in (home / "run", out):
        folder.mkdir(parents=True)
        (folder / "record.json").write_text("{}")
    (home / "link.json").symlink_to(out / "record.json")
    (home / "away").symlink_to(out)
    (home / "same").symlink_to(home / "run")
    for name in (
        "link.json",
        "away/record.json",
        "../out/record.json",
        "run/../../out/record.json",
    ):
        with pytest.raises(RetainError, match="leads out of"):
            read(home / name, within=home)
    for name in ("run/record.json", "same/record.json"):
        found = read(home / name, within=home)
        if read is open_regular:
            found.close()


def test_a_file_larger_than_its_bound_is_not_read(tmp_path):
    path = tmp_path / "sparse.json"
    with path.open("wb") as file:
        file.truncate(300 * reading.MIB)
    with pytest.raises(
        RetainError, match="314,572,800 bytes or more; expected at most 268,435,456"
    ):
        read_bytes(path)


# The system's own files have no size, and may have any.
def test_a_file_that_hides_its_size_is_bounded_all_the_same():
    assert read_bytes(Path("/proc/self/status"))
    with pytest.raises(RetainError, match="expected at most"):
        read_bytes(Path("/proc/self/status"), max_bytes=10)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "recursion limit exceeded"),
        ("[" * 70 + "]" * 70, "nested too deep"),
        ("9" * 5_000, "number out of range"),
        ("9" * 400, "a whole number has"),
        ('{"a": 1e999}', "expected finite numbers"),
        ("NaN", "is not JSON"),
        ('"\\ud800"', "is not JSON"),
        ("", "is not JSON"),
        (b'{"a": "\xff"}', "is not UTF-8 text: line 1"),
    ],
)
def test_json_that_no_program_should_have_written_is_refused(text, message):
    with pytest.raises(RetainError, match=rf"^record\.json.*{message}"):
        parse_json(text, "record.json")


def test_a_document_that_is_no_object_is_refused_where_one_is_needed(tmp_path):
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(RetainError, match="holds no object"):
        read_json_object(tmp_path / "a.json")


def bomb(path, kind):
    """A small Parquet file that unpacks to a lot."""
    if kind == "texts":
        codes = pa.array(np.zeros(50_000, dtype="int32"))
        column = pa.DictionaryArray.from_arrays(codes, pa.array(["x" * 1_000_000]))
    elif kind == "prefixes":
        column = pa.chunked_array([pa.array(["x" * 1_000_000] * 20)] * 55)
    else:
        column = pa.array(np.zeros(2_000_000, dtype="int64"))
    how = {"use_dictionary": False, "column_encoding": "DELTA_BYTE_ARRAY"}
    pq.write_table(pa.table({"a": column}), path, **(how if kind == "prefixes" else {}))
    assert path.stat().st_size < 1_000_000


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["texts", "prefixes", "cells"])
def test_a_parquet_file_that_swells_is_refused_before_it_does(tmp_path, kind, monkeypatch):
    path = tmp_path / "bomb.parquet"
    bomb(path, kind)
    begun = time.perf_counter()
    with pytest.raises(RetainError, match=r"expected at most|cannot be read as Parquet"):
        read_parquet(path, max_cells=1_000_000 if kind == "cells" else parquet.MAX_CELLS)
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize(
    ("bound", "most"), [("MAX_COLUMNS", 1), ("MAX_CHUNKS", 1), ("MAX_TABLE_BYTES", 10)]
)
def test_each_bound_of_a_parquet_file_holds(tmp_path, monkeypatch, bound, most):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": [1, 2], "b": [1, 2]}), path)
    monkeypatch.setattr(parquet, bound, most)
    with pytest.raises(RetainError, match="expected at most"):
        read_parquet(path)


# Long texts that repeat are read as codes; nobody may see a difference.
def test_texts_that_repeat_are_read_as_they_are(tmp_path, monkeypatch):
    table = pa.table({"a": ["x", None, "y"], "b": [1, 2, 3]}).replace_schema_metadata({"k": "v"})
    pq.write_table(table, tmp_path / "a.parquet")
    monkeypatch.setattr(parquet, "MAX_UNCHECKED_TEXT_BYTES", 0)
    found = read_parquet(tmp_path / "a.parquet")
    assert found.equals(table)
    assert found.schema.metadata == table.schema.metadata


def test_a_text_in_parquet_that_is_no_utf8_is_refused(tmp_path):
    places = pa.array([0, 2, 4], pa.int32()).buffers()[1]
    texts = pa.Array.from_buffers(pa.string(), 2, [None, places, pa.py_buffer(b"ab\xff\xfe")])
    pq.write_table(pa.table({"city": texts}), tmp_path / "a.parquet")
    with pytest.raises(RetainError, match=r"cannot be read as Parquet: .*UTF8"):
        read_parquet(tmp_path / "a.parquet")


@pytest.mark.parametrize("cut", [0, 3, 8, 100, -1, -8])
def test_a_parquet_file_that_was_cut_is_told_by_its_ends(tmp_path, cut):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": list(range(100))}), path)
    check_parquet_ends(path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(RetainError, match="is not a complete Parquet file"):
        check_parquet_ends(path)
    with pytest.raises(RetainError, match="cannot be read as Parquet"):
        read_parquet(path)


def zipped(**members):
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("_", "."), text)
    return found.getvalue()


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (b"no zip at all", "cannot be read as a model"),
        (zipped(a_npy="1"), "holds no schema.json"),
        (zipped(schema_json="{"), "is not JSON"),
        (zipped(schema_json="[]"), "holds no object"),
        (zipped(schema_json=json.dumps("x") and '{"a":' * 150 + "1" + "}" * 150), "too deep"),
    ],
)
def test_an_archive_that_is_no_model_is_refused(found, message):
    with pytest.raises(RetainError, match=message):
        check_model_archive(found, Path("model.skops"))


def test_an_archive_that_swells_is_refused_before_it_does(monkeypatch):
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 10 * reading.MIB)
    found = zipped(schema_json="{}", a_npy=bytes(20 * reading.MIB))
    assert len(found) < 100_000
    with pytest.raises(RetainError, match="unpack to 20 MiB; expected at most"):
        check_model_archive(found, Path("model.skops"))
    monkeypatch.setattr(archives, "MAX_ARCHIVE_FILES", 1)
    with pytest.raises(RetainError, match="holds 2 files"):
        check_model_archive(found, Path("model.skops"))


def test_a_frame_is_read_without_the_notes_for_pandas(tmp_path):
    path = tmp_path / "frame.parquet"
    table = pa.table({"a": [1, 2], "b": pa.array(["x", None]).dictionary_encode()})
    pq.write_table(table.replace_schema_metadata({b"pandas": b"\xd0{"}), path)
    frame = read_frame(path)
    assert frame["a"].tolist() == [1, 2]
    assert frame["b"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), "has a column twice"),
        (pa.table({"a": pa.array([{"b": "c"}])}), "column 'a' holds struct"),
        (pa.table({"a": pa.array([1.0]).cast(pa.float16())}), "column 'a' holds halffloat"),
    ],
)
def test_what_no_frame_can_hold_is_refused(tmp_path, table, said):
    pq.write_table(table, tmp_path / "frame.parquet")
    with pytest.raises(RetainError, match=said):
        read_frame(tmp_path / "frame.parquet")
