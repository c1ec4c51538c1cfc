"""The templates filled in: the one definition of label and features, as DuckDB reads it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from retain.customers.purchases.features.query import Plan
from retain.storage.writing import hash_folder

if TYPE_CHECKING:
    import jinja2

_FOLDER = Path(__file__).with_name("sql")


@dataclass(frozen=True, slots=True)
class Script:
    """Statements in their order; each is a SELECT over relations made before it.

    ``wide`` reads the log and ``days``, ``pairs`` reads ``wide``, ``judged`` reads ``pairs``;
    ``favourites`` reads the log, and is None where it has no category; all others read ``judged``,
    and ``rows`` also ``favourites``. ``sensitivity`` is None without a label. ``wide`` and
    ``favourites`` are worth keeping; ``pairs`` and ``judged`` are cheap as views.
    """

    wide: str
    pairs: str
    favourites: str | None
    judged: str
    rows: str
    counts: str
    sensitivity: str | None


def script_of(plan: Plan, log: str = "purchases") -> Script:
    """The statements of a plan, over the relation ``log``."""
    known = plan.told(log)

    def filled(name: str) -> str:
        return _templates().get_template(f"{name}.sql").render(known)

    return Script(
        wide=filled("wide"),
        pairs=filled("pairs"),
        favourites=filled("favourites") if plan.kinds else None,
        judged=filled("judged"),
        rows=filled("rows"),
        counts=filled("counts"),
        sensitivity=filled("sensitivity") if plan.has_target else None,
    )


@cache
def version() -> str:
    """Return a hash of every file that reads customers: with them the table may change."""
    return hash_folder(Path(__file__).resolve().parents[2])


@cache
def _templates() -> jinja2.Environment:
    import jinja2

    # values are whole numbers and names this package makes, so there is nothing to escape
    return jinja2.Environment(  # noqa: S701
        loader=jinja2.FileSystemLoader(_FOLDER), undefined=jinja2.StrictUndefined
    )
