"""The code page of a text that is not Unicode, by the letters of its words.

A language writes some letters often and others never, and its words do not mix scripts. The code
page under which the words of a file are likeliest in some language is the right one; where two are
about as likely, the user is asked.
"""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass
from functools import cache

LANGUAGES = {  # letters beyond ASCII, the most frequent first
    "German": "üäößÜÄÖ",
    "French": "éèàêçâôîûùïëœÉÀÈÇÊ",
    "Spanish": "óíáñéúüÁÉÓÑÍÚ¿¡",
    "Portuguese": "ãçáéíóêõâúàôÁÉÇÃÓ",
    "Italian": "àèùòìéÀÈÙ",
    "Nordic": "äåöøæðþýáíóúéÅÄÖØÆ",
    "Polish": "łóążęśćńźŁŚŻĆŹÓĄĘŃ",
    "Czech": "íáéěčřžšýůúťďňóľôäŽŠČŘÚÝÁÍĎŇŤ",
    "Hungarian": "áéöóőüíűúÁÉÖÓŐÜÍŰÚ",
    "Romanian": "ăîâşţŞŢÎÂĂ",
    "Croatian": "čšžćđŠČŽĐĆ",
    "Turkish": "ıüşğçöİŞÇÜÖĞ",
    "Lithuanian": "ėšųžįąūčęŠŽČĖĮŪ",
    "Russian": "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
    "Ukrainian": "оанитівресклудмпзяьбгчхйжшїцюєщфґ",
    "Bulgarian": "аиоетнрсвлкдпмзяъгбучцжщхшйфюь",
    "Greek": "αοιετσνηυρπκμλςωγδχθφβξζψάέήίόύώϊϋ",
}
CODE_PAGES = {
    "cp1252": ("German", "French", "Spanish", "Portuguese", "Italian", "Nordic"),
    "cp1251": ("Russian", "Ukrainian", "Bulgarian"),
    "koi8-r": ("Russian",),
    "cp866": ("Russian",),
    "cp1250": ("Polish", "Czech", "Hungarian", "Romanian", "Croatian", "German"),
    "cp850": ("German", "French", "Spanish", "Portuguese", "Italian", "Nordic"),
    "cp852": ("Polish", "Czech", "Hungarian", "Romanian", "Croatian"),
    "cp1253": ("Greek",),
    "cp1254": ("Turkish",),
    "cp1257": ("Lithuanian",),
}
"""Code pages in the order in which equal ones are preferred, with the languages they write."""
LOG_PRIORS = {"koi8-r": -1.0, "cp866": -1.0, "cp1250": -0.5}
RARE_LOG_PRIOR = -4.0
COMMON = ("cp1252", "cp1251")
"""Code pages of most files; others need as much more evidence as their prior is lower."""
OTHER_SCRIPTS = ("Russian", "Ukrainian", "Bulgarian", "Greek")
SYMBOLS = "\u00a0€£¥§©®°²³·«»½–—‘’‚“”„•…‰™№№µ×±"
"""Signs that stand in tables of any language."""
MAX_WORDS = 3_000
MAX_MATCHES = 200_000
MIN_LIKELIHOOD = -5.0
"""Mean log-likelihood of a letter below which a text is in none of the languages."""
MAX_STRANGE_SHARE = 0.02
"""Largest share of letters in words that the language does not have."""
MIN_ADVANTAGE = 1.5
"""Log-likelihood by which a code page must be better than all that read another text."""
MAX_WORD_BYTES = 64
"""Letters of a word that are looked at; no language has longer words."""
_WORD = re.compile(r"[^\W\d_]+")
_SIGN_IN_WORD = re.compile("[€£¥§©®²³½‰™µ×±][^\\W\\d_]")
# Looked for at the beginnings of words only: at each letter, a long word would take its square.
_HIGH_BYTES = re.compile(rb"(?<![A-Za-z])[A-Za-z]*+[\x80-\xff][A-Za-z\x80-\xff]*")
_STRANGE, _SYMBOL, _LONE_LETTER = -8.0, -4.0, -6.0  # log-likelihoods


@dataclass(frozen=True, slots=True)
class CodePage:
    """A code page, the words of the file in it, and the log-likelihoods of their letters."""

    name: str
    words: tuple[str, ...]
    letters: tuple[float, ...]

    @property
    def likelihood(self) -> float:
        """The log-likelihood of the words, and how likely the code page is without them."""
        prior = 0.0 if self.name in COMMON else LOG_PRIORS.get(self.name, RARE_LOG_PRIOR)
        return prior + sum(self.letters)

    @property
    def is_plausible(self) -> bool:
        """True if nearly all letters are those of one language."""
        n_strange = sum(value <= _STRANGE for value in self.letters)
        is_likely = sum(self.letters) >= MIN_LIKELIHOOD * len(self.letters)
        return is_likely and n_strange <= MAX_STRANGE_SHARE * len(self.letters)

    @property
    def example(self) -> str:
        """Some words, for messages."""
        letters = [word for word in self.words if len(word) > 1] or list(self.words)
        return ", ".join(repr(word[:30]) for word in letters[:3])


def fitting_code_pages(data: bytes) -> list[CodePage]:
    """Return the code pages that read the bytes about equally well: none, one, or several.

    >>> [page.name for page in fitting_code_pages("Straße;Gebühr;20 €".encode("cp1252"))]
    ['cp1252']
    >>> [page.name for page in fitting_code_pages("город;Москва;отток".encode("koi8-r"))]
    ['koi8-r']
    """
    matches = itertools.islice(_HIGH_BYTES.finditer(data), MAX_MATCHES)
    words = list(dict.fromkeys(match.group()[:MAX_WORD_BYTES] for match in matches))[:MAX_WORDS]
    judged = [page for name in CODE_PAGES if (page := _judge(name, words)) is not None]
    pages: dict[tuple[str, ...], CodePage] = {}
    for page in sorted(judged, key=lambda page: -page.likelihood):  # equal ones keep their order
        if page.is_plausible:
            pages.setdefault(page.words, page)
    best = max((page.likelihood for page in pages.values()), default=0.0)
    return [page for page in pages.values() if best - page.likelihood < MIN_ADVANTAGE]


def _judge(name: str, raw_words: list[bytes]) -> CodePage | None:
    """Return a code page in its likeliest language; None if it lacks a byte."""
    try:
        words = tuple(word.decode(name) for word in raw_words)
    except UnicodeDecodeError:
        return None
    pages = (
        CodePage(name, words, tuple(itertools.chain(*(_judge_word(one, lang) for one in words))))
        for lang in CODE_PAGES[name]
    )
    return max(pages, key=lambda page: page.likelihood)


def _judge_word(text: str, language: str) -> list[float]:
    """Return the log-likelihoods of the letters beyond ASCII of a text without spaces."""
    if _SIGN_IN_WORD.search(text):
        return [_STRANGE for letter in text if not letter.isascii()]
    signs = [letter for letter in _WORD.sub("", text) if not letter.isascii()]
    values = [_SYMBOL if sign in SYMBOLS else _STRANGE for sign in signs]
    for word in _WORD.findall(text):
        values += _judge_letters(word, language)
    return values


def _judge_letters(word: str, language: str) -> list[float]:
    high = [letter for letter in word if not letter.isascii()]
    if len(word) == 1:
        return [_LONE_LETTER] * len(high)
    is_other_script = language in OTHER_SCRIPTS
    most = len(word) if is_other_script else max((len(word) + 1) // 2, min(len(word) - 1, 3))
    least = len(word) if is_other_script else 0
    if not least <= len(high) <= most or _breaks_case(word):
        return [_STRANGE] * len(high)
    known = _log_frequencies(language)
    return [known.get(letter, known.get(letter.lower(), _STRANGE)) for letter in high]


def _breaks_case(word: str) -> bool:
    """Return whether a small letter stands before a capital one."""
    return any(one.islower() and other.isupper() for one, other in itertools.pairwise(word))


@cache
def _log_frequencies(language: str) -> dict[str, float]:
    """Return log-frequencies of letters that fall with the rank, as in Zipf's law."""
    letters = LANGUAGES[language]
    weights = [1 / (rank + 3) for rank in range(len(letters))]
    total = sum(weights)
    return {
        letter: math.log(weight / total) for letter, weight in zip(letters, weights, strict=True)
    }
