"""The SQL of the feature table, rendered from templates: the one definition of its columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retain.customers.purchases.features.query import FeatureQuery
from retain.storage.writing import hash_folder

if TYPE_CHECKING:
    import jinja2


_SQL_DIR = Path(__file__).with_name("sql")


@dataclass(frozen=True, slots=True)
class SqlScript:
    """Statements in the order to run them; each is a SELECT over the log and earlier relations.

    ``favourites`` is None if the log has no category, ``histories`` without a target.
    ``wide`` and ``favourites`` are worth storing; ``pairs`` and ``eligibility`` are cheap as views.
    """

    wide: str
    pairs: str
    favourites: str | None
    eligibility: str
    rows: str
    counts: str
    histories: str | None


def render_sql(query: FeatureQuery, log: str = "purchases") -> SqlScript:
    """Return the statements of a query over the relation ``log``."""
    context = query.template_context(log)

    def render(name: str) -> str:
        return render_template(name, context)

    return SqlScript(
        wide=render("wide"),
        pairs=render("pairs"),
        favourites=render("favourites") if query.n_categories else None,
        eligibility=render("eligibility"),
        rows=render("rows"),
        counts=render("counts"),
        histories=render("histories") if query.has_target else None,
    )


def render_template(name: str, context: Mapping[str, Any]) -> str:
    """Return the statement of a template with the variables of a context."""
    return _template_environment().get_template(f"{name}.sql").render(context)


@cache
def hash_definition() -> str:
    """Return a hash of every source file that can change the table."""
    return hash_folder(Path(__file__).resolve().parents[2])


@cache
def _template_environment() -> jinja2.Environment:
    import jinja2

    # only integers and names made by this package are inserted, so nothing needs escaping
    return jinja2.Environment(  # noqa: S701
        loader=jinja2.FileSystemLoader(_SQL_DIR), undefined=jinja2.StrictUndefined
    )
