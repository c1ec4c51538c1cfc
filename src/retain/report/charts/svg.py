"""Charts as inline SVG, with the colours and the language of the page."""

from __future__ import annotations

import io
import re
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

from markupsafe import Markup

from retain.report.charts.canvas import COLOURS, Chart
from retain.report.text.words import LANGUAGES

FONT_FAMILY = re.compile(r"font-family: [^;]*;?\s*")
DECIMALS = re.compile(r"[+−]?\d+\.\d+")
EXTRA_DIGITS = re.compile(r"(\.\d\d)\d+")
STYLE_SPACES = re.compile(r"([:;]) ")
PATH_SPACES = re.compile(r"\s+(?=[A-Za-z])|(?<=[A-Za-z])\s+|\s+$")
NUMERIC_ATTRIBUTES = {"d", "x", "y", "transform"}
"""Attributes that hold only numbers and path commands."""


def inline(chart: Chart, language: str | None = None) -> Markup:
    """Return the chart as an ``svg`` element whose text alternative is the caption of its figure.

    To be called within ``chart_style``. With a language, the page shows this drawing in that
    language alone; without, one drawing holds the labels of every language.
    """
    root = fromstring(_to_svg(chart))  # noqa: S314 - drawn a moment ago, by Matplotlib
    for element in root.iter():
        _drop_namespaces(element)
    _strip(root, "metadata", "style")
    _prefix_ids(root, key(chart.name, language))
    for element in list(root.iter()):
        _use_css_colours(element)
        _round_numbers(element)
        if element.tag == "text" and language is None:
            _add_translations(element, chart)
    return Markup(tostring(_add_description(root, chart, language), encoding="unicode"))  # noqa: S704 - escaped by ElementTree


def key(name: str, language: str | None) -> str:
    """Return the key of a drawing in the page: its chart and its language.

    >>> key("roc", None), key("drivers", "ru")
    ('roc', 'drivers-ru')
    """
    return name if language is None else f"{name}-{language}"


def _to_svg(chart: Chart) -> str:
    """Return the chart as Matplotlib writes it, with a transparent background."""
    chart.figure.patch.set_visible(False)
    for axes in chart.figure.axes:
        axes.patch.set_visible(False)
    buffer = io.StringIO()
    chart.figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _drop_namespaces(element: Element) -> None:
    """Remove namespaces from the names, as HTML expects."""
    element.tag = element.tag.rpartition("}")[2]
    element.attrib = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}


def _strip(root: Element, *tags: str) -> None:
    """Remove elements that would affect the whole page."""
    for parent in list(root.iter()):
        for child in [child for child in parent if child.tag in tags]:
            parent.remove(child)


def _prefix_ids(root: Element, name: str) -> None:
    """Make ids unique among charts; drop those of groups without a reference."""
    for element in root.iter():
        if "id" in element.attrib and element.tag == "g":
            del element.attrib["id"]
        for key, value in element.attrib.items():
            if key == "id":
                element.attrib[key] = f"{name}-{value}"
            elif "#" in value and (key == "href" or "url(#" in value):
                element.attrib[key] = value.replace("#", f"#{name}-")


def _use_css_colours(element: Element) -> None:
    """Replace colours and font by those of the page."""
    style = element.attrib.get("style")
    if style is None:
        return
    for name, colour in COLOURS.items():
        style = style.replace(colour, f"var(--{name})")
    element.attrib["style"] = STYLE_SPACES.sub(r"\1", FONT_FAMILY.sub("", style))


def _round_numbers(element: Element) -> None:
    """Round positions to a hundredth of a point, and drop spaces that mean nothing."""
    for name in NUMERIC_ATTRIBUTES & element.attrib.keys():
        element.attrib[name] = EXTRA_DIGITS.sub(r"\1", element.attrib[name])
    if "d" in element.attrib:
        element.attrib["d"] = PATH_SPACES.sub("", element.attrib["d"])


def _add_translations(element: Element, chart: Chart) -> None:
    """Write a label in every language."""
    text = element.text or ""
    texts = chart.labels.pairs.get(text) or _translate_number(text)
    if texts is None:
        return
    element.text = None
    for language in LANGUAGES:
        span = SubElement(element, "tspan", {"class": language, "lang": language})
        span.text = texts[language]


def _translate_number(text: str) -> dict[str, str] | None:
    """Return a decimal number as each language writes it, None for other texts."""
    if DECIMALS.fullmatch(text) is None:
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
