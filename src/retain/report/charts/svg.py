"""A chart inside a page: its colours follow the page, its labels the language."""

from __future__ import annotations

import io
import re
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

from markupsafe import Markup

from retain.report.charts.canvas import COLOURS, Chart
from retain.report.text.words import LANGUAGES

FONT = re.compile(r"font-family: [^;]*;?\s*")
FIGURES = re.compile(r"[+−]?\d+\.\d+")
FINE = re.compile(r"(\.\d\d)\d+")
SPACED = re.compile(r"([:;]) ")
IDLE = re.compile(r"\s+(?=[A-Za-z])|(?<=[A-Za-z])\s+|\s+$")
PLACES = {"d", "x", "y", "transform"}
"""Attributes of nothing but places and numbers."""


def inline(chart: Chart, language: str | None = None) -> Markup:
    """Return the chart as an ``svg`` element whose text alternative is the caption of its figure.

    To be called within ``canvas.hand``. With a language the page shows it in that language
    alone, and another drawing in the others; without, its labels follow the language.
    """
    root = fromstring(_saved(chart))  # noqa: S314 - drawn a moment ago, by Matplotlib
    for element in root.iter():
        _drop_namespaces(element)
    _strip(root, "metadata", "style")
    _prefix_ids(root, key(chart.name, language))
    for element in list(root.iter()):
        _use_css_colours(element)
        _rounded(element)
        if element.tag == "text" and language is None:
            _translated(element, chart)
    return Markup(tostring(_add_description(root, chart, language), encoding="unicode"))  # noqa: S704 - escaped by ElementTree


def key(name: str, language: str | None) -> str:
    """By what the page knows a drawing: its chart, and the language it is for.

    >>> key("roc", None), key("drivers", "ru")
    ('roc', 'drivers-ru')
    """
    return name if language is None else f"{name}-{language}"


def _saved(chart: Chart) -> str:
    """Return the chart as Matplotlib writes it, on no ground of its own."""
    chart.figure.patch.set_visible(False)
    for axes in chart.figure.axes:
        axes.patch.set_visible(False)
    buffer = io.StringIO()
    chart.figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _drop_namespaces(element: Element) -> None:
    """Names as HTML knows them, without a namespace."""
    element.tag = element.tag.rpartition("}")[2]
    element.attrib = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}


def _strip(root: Element, *tags: str) -> None:
    """Drop what would speak of, or to, the whole page."""
    for parent in list(root.iter()):
        for child in [child for child in parent if child.tag in tags]:
            parent.remove(child)


def _prefix_ids(root: Element, name: str) -> None:
    """Ids that no other chart has; groups nobody points at lose theirs."""
    for element in root.iter():
        if "id" in element.attrib and element.tag == "g":
            del element.attrib["id"]
        for key, value in element.attrib.items():
            if key == "id":
                element.attrib[key] = f"{name}-{value}"
            elif "#" in value and (key == "href" or "url(#" in value):
                element.attrib[key] = value.replace("#", f"#{name}-")


def _use_css_colours(element: Element) -> None:
    """Colours of the page in place of ours, and its font."""
    style = element.attrib.get("style")
    if style is None:
        return
    for name, colour in COLOURS.items():
        style = style.replace(colour, f"var(--{name})")
    element.attrib["style"] = SPACED.sub(r"\1", FONT.sub("", style))


def _rounded(element: Element) -> None:
    """Places to a hundredth of a point, which no screen tells from more, and no idle spaces."""
    for name in PLACES & element.attrib.keys():
        element.attrib[name] = FINE.sub(r"\1", element.attrib[name])
    if "d" in element.attrib:
        element.attrib["d"] = IDLE.sub("", element.attrib["d"])


def _translated(element: Element, chart: Chart) -> None:
    """Write a label in every language; the page shows one."""
    text = element.text or ""
    texts = chart.labels.pairs.get(text) or _figures(text)
    if texts is None:
        return
    element.text = None
    for language in LANGUAGES:
        span = SubElement(element, "tspan", {"class": language, "lang": language})
        span.text = texts[language]


def _figures(text: str) -> dict[str, str] | None:
    """Return a decimal number as each language writes it."""
    if FIGURES.fullmatch(text) is None:
        return None
    return {"en": text, "ru": text.replace(".", ",")}


def _add_description(root: Element, chart: Chart, language: str | None) -> Element:
    shown = {} if language is None else {"lang": language}
    root.attrib = {
        "viewBox": root.attrib["viewBox"],
        "class": " ".join(["chart", *shown.values()]),
        **shown,
        "role": "img",
        "aria-labelledby": f"caption-{chart.name}",
        "tabindex": "0",
        "data-chart": key(chart.name, language),
    }
    return root
