"""Shapes of cells: the sign, unit and factor around the digits."""

from __future__ import annotations

import re
from dataclasses import dataclass

from retain.customers.files.currencies import is_currency
from retain.customers.files.number_format import UnitKind

FACTORS = {
    **dict.fromkeys(("k", "K", "тыс", "tys", "Tsd"), 1e3),
    **dict.fromkeys(("M", "mln", "Mln", "млн", "Mio", "mio"), 1e6),
    **dict.fromkeys(("B", "bn", "Bn", "млрд", "Mrd", "mrd"), 1e9),
}
"""Suffixes that multiply a number."""
_SIGN = "[-+\u2212\u2013]"
_FACTOR = "|".join(sorted(FACTORS, key=len, reverse=True))
_SHAPE = re.compile(
    rf"(?P<open>\(?) ?(?P<first>{_SIGN}?) ?(?P<prefix>[^#()+\u2212\u2013-]*?) ?"
    rf"(?P<second>{_SIGN}?) ?(?P<lead>[.,]?)#(?P<end>[.,]?) ?"
    rf"(?:(?P<factor>{_FACTOR})(?![\w/])[.]?)? ?"
    rf"(?P<suffix>[^#()+\u2212\u2013-]*?) ?(?P<last>[-\u2212\u2013\u2014]?)(?P<close>\)?)"
)
_EXPONENT = re.compile("[-+]?#[eE][-+]?#")


@dataclass(frozen=True, slots=True)
class CellShape:
    """The sign, unit and factor around the digits of a cell.

    ``lead`` is a decimal mark before the first digit. ``is_weak`` means that the unit may as well
    be part of a code, such as ``Q1``.
    """

    sign: int = 1
    factor: float = 1.0
    unit: str = ""
    unit_kind: UnitKind = ""
    lead: str = ""
    has_exponent: bool = False
    is_weak: bool = False

    @property
    def scale(self) -> float:
        """The number that the digits are multiplied by."""
        return self.sign * self.factor


def parse_shape(shape: str) -> CellShape | None:
    """Return the meaning of a cell whose digits are replaced by ``#``; None if it is no number.

    >>> parse_shape("(#)").sign, parse_shape("$#").unit, parse_shape("# тыс. руб.").factor
    (-1, '$', 1000.0)
    >>> parse_shape("k#") is parse_shape("#-#") is None
    True
    """
    shape = shape.strip()
    if _EXPONENT.fullmatch(shape):
        return CellShape(has_exponent=True)
    if shape[:1] in ("'", "’"):  # how a spreadsheet marks a number kept as text
        shape = shape[1:].lstrip()
    found = _SHAPE.fullmatch(shape)
    if found is None or bool(found["open"]) != bool(found["close"]):
        return None
    prefix, suffix, lead = found["prefix"].strip(), found["suffix"].strip(), found["lead"]
    if prefix and lead:  # the point of an abbreviation: Rs.5
        prefix, lead = prefix + lead, ""
    if found["end"] and (suffix or found["factor"]):
        return None
    signs = [found[name] for name in ("first", "second", "last") if found[name]]
    if found["end"] and found["last"]:  # 5,- is five without cents
        signs.remove(found["last"])
    if len(signs) + bool(found["open"]) > 1 or (prefix and suffix):
        return None
    kind = _unit_kind(prefix or suffix, is_prefix=bool(prefix))
    if kind is None:
        return None
    is_negative = bool(found["open"]) or bool(signs and signs[0] != "+")
    return CellShape(
        sign=-1 if is_negative else 1,
        factor=FACTORS.get(found["factor"] or "", 1.0),
        unit=prefix or suffix,
        unit_kind=kind,
        lead=lead,
        is_weak=_is_weak(prefix, suffix, kind, is_spaced=" #" in shape),
    )


def _unit_kind(unit: str, *, is_prefix: bool) -> UnitKind | None:
    """Return the kind of a unit, None if the cell with it is a code rather than a number."""
    if not unit:
        return ""
    if unit in ("%", "٪", "\uff05", "‰"):
        return "percent"
    if is_currency(unit):
        return "currency"
    return "other" if not is_prefix and re.fullmatch(r"[^\W\d_]{2,12}[.]?", unit) else None


def _is_weak(prefix: str, suffix: str, kind: UnitKind, *, is_spaced: bool) -> bool:
    if kind == "other":
        return True
    if kind != "currency" or not (prefix + suffix).replace(".", "").isalpha():
        return False
    return (bool(prefix) and not is_spaced) or len(prefix + suffix) == 1 or bool(prefix)
