"""Customers from files, frames and logs, and what a check of them says."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from retain.cli.compose import Composer
from retain.customers.checks.checks import audit as audit_customers
from retain.customers.checks.duplicates import group_duplicates
from retain.customers.customers import Customers
from retain.errors import RetainError
from retain.execution.dataset import capture_log
from retain.learning.components import build_source
from retain.library.words import command
from retain.storage.writing import atomic_write, hash_file

TABLES = "tables"
"""Folder in ``outputs`` of frames that a command can read."""


def read_table(  # noqa: PLR0913 - keyword-only keys of a config
    table: str | os.PathLike[str] | pd.DataFrame,
    *,
    id: str | None = None,  # noqa: A002 - as the key of a config
    target: str | None = None,
    profit: str | None = None,
    profit_unit: str | None = None,
    outputs: str | os.PathLike[str] = "outputs",
    **keys: object,
) -> Customers:
    """Return the customers of one table with one row per customer.

    Parameters
    ----------
    table
        A file of any usual kind, or a frame. A frame is written to ``outputs/tables``, for worker
        processes and the shell; its index is a column if it has a name.
    id, target, profit, profit_unit
        Columns, and the unit of profit in words.
    keys
        Further keys of ``conf/data/table.yaml``, such as ``positive``, ``groups`` or ``consent``.

    Raises
    ------
    RetainError
        The table cannot be read, or a key is wrong.

    Examples
    --------
    >>> import tempfile
    >>> visits, left = [5, 1] * 4, ["no", "yes"] * 4
    >>> frame = pd.DataFrame({"customer": range(8), "visits": visits, "left": left})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     customers = read_table(frame, id="customer", target="left", outputs=folder)
    >>> len(customers), customers.target_label.en
    (8, 'left = yes')
    """
    path = to_file(table, outputs)
    columns = {"id": id, "target": target, "profit": profit, "profit_unit": profit_unit}
    return read_source("table", {"path": path, **columns, **keys})


def read_purchases(
    log: str | os.PathLike[str] | pd.DataFrame,
    *,
    outputs: str | os.PathLike[str] = "outputs",
    **keys: object,
) -> Customers:
    """Return the customers of a purchase log, labelled and described at several snapshots.

    Parameters
    ----------
    log
        A file of any usual kind with a row per purchase, or a frame, as in ``read_table``.
    keys
        Keys of ``conf/data/purchases.yaml``, such as ``columns__amount="price"`` or
        ``label__horizon=90``.

    Raises
    ------
    RetainError
        The log cannot be read, or a key is wrong.
    """
    path = to_file(log, outputs)
    return read_source("purchases", {"path": path, **keys})


def read_store(
    folder: str | os.PathLike[str], source: str = "one_click", **keys: object
) -> Customers:
    """Return the customers of a store's files under a contract.

    Parameters
    ----------
    folder
        The files of the store.
    source
        A name of ``conf/data`` with a contract.
    keys
        Further keys of that file.

    Raises
    ------
    RetainError
        A file breaks its contract, or a key is wrong.
    """
    return read_source(source, {"dir": folder, **keys})


def demo(customers: int = 1300, seed: int = 0) -> Customers:
    """Return invented customers like those of a real store, flaws included.

    >>> demo(customers=60).groups.keys()
    dict_keys(['purchase', 'communication', 'product', 'site'])
    """
    return read_source("demo", {"customers": customers, "seed": seed})


def read_source(name: str, keys: Mapping[str, object]) -> Customers:
    """Return the customers of a source of ``conf/data``, who remember how they were named."""
    given = {f"data.{key}": value for key, value in keys.items() if value is not None}
    line = command(given, f"data={name}")
    with Composer(line, "run") as composer:
        node = composer.one()["data"]
    with capture_log():
        return replace(build_source(node)(), overrides=line.overrides)


def audit(customers: Customers) -> pd.DataFrame:
    """Return the checks of the customers: code, outcome and sentence of each.

    Leaks, copies of customers, tails and shifts are looked for; ``evaluate`` and ``sweep`` refuse
    severe findings.

    >>> set(audit(demo(customers=200)).columns) == {"code", "outcome", "sentence"}
    True
    """
    from retain.customers.checks.data_check import Folding

    check_customers(customers)
    _ = customers.y
    customers, duplicates = group_duplicates(customers, "group")
    checks = audit_customers(customers, Folding(is_shuffled=True, duplicates=duplicates))
    rows = [(check.code, check.outcome, check.sentence) for check in checks]
    return pd.DataFrame(rows, columns=["code", "outcome", "sentence"])


def check_customers(customers: object) -> None:
    """Raise if these are no customers, such as the frame that they could be read from."""
    if not isinstance(customers, Customers):
        raise RetainError.at(
            "customers",
            f"it is a {type(customers).__name__}",
            "expected what retain.read_table(FILE or frame, …) returns",
        )


def source_words(customers: Customers) -> tuple[str, ...]:
    """Return the words by which a command reads these customers.

    Raises
    ------
    RetainError
        They are none, or were made by hand.
    """
    check_customers(customers)
    if not customers.overrides:
        raise RetainError(
            "these customers were made by hand, and workers read them from a file; expected "
            "those of retain.read_table(FILE or frame), read_purchases, read_store or demo."
        )
    return customers.overrides


def to_file(table: object, outputs: str | os.PathLike[str]) -> str:
    """Return the path of a table, of a frame once it is written.

    Raises
    ------
    RetainError
        It is neither a path nor a frame, or the frame cannot be written.
    """
    if isinstance(table, pd.DataFrame):
        return os.fspath(write_frame(table, outputs))
    if isinstance(table, str | os.PathLike):
        return os.fspath(table)
    raise RetainError.at("table", f"it is a {type(table).__name__}", "expected a path or a frame")


def write_frame(frame: pd.DataFrame, outputs: str | os.PathLike[str]) -> Path:
    """Write a frame as Parquet, named by its content, and return the path.

    Raises
    ------
    RetainError
        The folder cannot be written, or the frame has cells that Parquet does not.
    """
    import pyarrow as pa

    named = any(name is not None for name in frame.index.names)
    try:
        flat = frame.reset_index() if named else frame
    except ValueError:
        raise RetainError(
            f"the index is named {frame.index.name!r} as a column is; expected another name, or "
            "frame.reset_index(drop=True)."
        ) from None
    try:
        content = flat.rename(columns=str).to_parquet(index=False)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise RetainError(
            f"the frame cannot be written as Parquet ({error}); expected columns of one type each."
        ) from None
    folder, sha256 = Path(outputs) / TABLES, hashlib.sha256(content).hexdigest()
    path = folder / f"{sha256[:16]}.parquet"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or hash_file(path) != sha256:
            with atomic_write(path) as temporary:
                temporary.write_bytes(content)
    except OSError as error:
        raise RetainError.unwritable(folder, error, "outputs=FOLDER") from None
    return path
