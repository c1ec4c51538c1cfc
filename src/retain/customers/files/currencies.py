"""Currencies as people write them beside amounts: codes and abbreviations.

Signs such as ``€`` and ``R$`` need no list: Unicode has a category for them.
"""

from __future__ import annotations

import unicodedata

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
    رإ رس رع رق ري ریال فرانکCFA لس لل ރ नेरू රු සිෆ්එ ብር 元
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
