"""Shapes of cells: the sign, unit and factor around the digits; currencies by code and word."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from retain.customers.reading import UnitKind

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
_SIGN_OUTSIDE = re.compile(r"^([^#()]+)\(([^()]*)\)$")  # $(5) is ($5)
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
    shape = _SIGN_OUTSIDE.sub(r"(\1\2)", shape)
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


_CODES = """
    ADP AED AFA AFN ALK ALL AMD ANG AOA AOK AON AOR ARA ARL ARM ARP ARS ATS AUD AWG AZM AZN BAD
    BAM BAN BBD BDT BEC BEF BEL BGL BGM BGN BGO BHD BIF BMD BND BOB BOL BOP BOV BRB BRC BRE BRL
    BRN BRR BRZ BSD BTN BUK BWP BYB BYN BYR BZD CAD CDF CHE CHF CHW CLE CLF CLP CNH CNY COP COU
    CRC CSD CSK CUC CUP CVE CYP CZK DDM DEM DJF DKK DOP DZD ECS ECV EEK EGP ERN ESA ESB ESP ETB
    EUR FIM FJD FKP FRF GBP GEK GEL GHC GHS GIP GMD GNF GNS GQE GRD GTQ GWE GWP GYD HKD HNL HRD
    HRK HTG HUF IDR IEP ILP ILR ILS INR IQD IRR ISJ ISK ITL JMD JOD JPY KES KGS KHR KMF KPW KRH
    KRO KRW KWD KYD KZT LAK LBP LKR LRD LSL LTL LTT LUC LUF LUL LVL LVR LYD MAD MAF MCF MDC MDL
    MGA MGF MKD MKN MLF MMK MNT MOP MRO MRU MTL MTP MUR MVP MVR MWK MXN MXP MXV MYR MZE MZM MZN
    NAD NGN NIC NIO NLG NOK NPR NZD OMR PAB PEI PEN PES PGK PHP PKR PLN PLZ PTE PYG QAR RHD ROL
    RON RSD RUB RUR RWF SAR SBD SCR SDD SDG SDP SEK SGD SHP SIT SKK SLE SLL SOS SRD SRG SSP STD
    STN SUR SVC SYP SZL THB TJR TJS TMM TMT TND TOP TPE TRL TRY TTD TWD TZS UAH UAK UGS UGX USD
    USN USS UYI UYP UYU UYW UZS VEB VED VEF VES VND VNN VUV WST XAD XAF XAG XAU XBA XBB XBC XBD
    XCD XCG XDR XEU XFO XFU XOF XPD XPF XPT XRE XSU XTS XUA XXX YDD YER YUD YUM YUN YUR ZAL ZAR
    ZMK ZMW ZRN ZRZ ZWD ZWG ZWL ZWR
"""
CODES = frozenset(_CODES.split())
"""Codes of ISO 4217 in the Common Locale Data Repository (CLDR 46), old ones too."""

_ABBREVIATIONS = """
    Afl Ar B/ Br Bs BsS CF CFP CFPF Cf Cg D DA DT Db Dkr E ECU EUROS Esc Euro F FB FBu FC FCFA
    FCFP FG Fdj Fr Ft G Gs Ikr K KM Kc Kg Ksh Kz Kč Kčs L LS Le Lei Lekë Ls Lv M MK MTn NAf NIS
    Nfk Nkr Nu P Q R RF RM Rf Rp Rs S S/ SFr SR TSh UM UP USh VT Vẽj ZiG den din dollars euro
    euros kn kr lei lv mk soʻm zl zł öS ƒ Δρχ КМ Кч ЛСЛ ТМТ Тл белруб грн ден дин зл крб лв р
    руб рублей рубль рубля сом сум сўм тг тенге щд ל״י أم جس جم دأ دإ دب دت دج دس دع دك دل دم ر
    رإ رس رع رق ري ریال فرانکCFA لس لل ރ नेरू රු සිෆ්එ ብር 元 円 圆 원
"""
ABBREVIATIONS = frozenset(_ABBREVIATIONS.split())
"""Abbreviations of CLDR, and words of common exports, without dots and spaces."""

MAX_SIGN_LETTERS = 5
"""Letters and spaces beside a currency sign, as in ``US$`` and ``MOP$``."""


def is_currency(unit: str) -> bool:
    """Return whether a text beside a number is a currency sign, code or abbreviation.

    >>> [is_currency(unit) for unit in ("€", "R$", "EUR", "руб.", "kr.", "kg")]
    [True, True, True, True, True, False]
    """
    if any(unicodedata.category(letter) == "Sc" for letter in unit):
        return len(unit) <= MAX_SIGN_LETTERS and "/" not in unit
    plain = unit.replace(".", "").replace(" ", "")
    return plain.upper() in CODES or plain in ABBREVIATIONS
