"""Types and ranges in words, from the JSON Schema of a pydantic class."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
PLAIN = {
    "array": "list",
    "boolean": "true or false",
    "integer": "whole number",
    "null": "null",
    "number": "number",
    "object": "any keys",
    "string": "text",
}
FORMATS = {"date": "day", "date-time": "time"}
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
LARGE = 10_000_000


def resolve(node: Schema, definitions: Schema) -> Schema:
    """Return the definition that a node refers to, or the node itself."""
    reference = node.get("$ref", "")
    return definitions[reference.rpartition("/")[2]] if reference else node


def find(schema: Schema, path: tuple[str, ...]) -> Schema | None:
    """Return the schema of a key by its path; None where the key is the user's own."""
    definitions = schema.get("$defs", {})
    node = schema
    for part in path:
        for option in _options(resolve(node, definitions), definitions):
            child = option.get("properties", {}).get(part, option.get("additionalProperties"))
            if isinstance(child, dict):
                node = child
                break
        else:
            return None
    return node


def _options(node: Schema, definitions: Schema) -> list[Schema]:
    """Return the types that a value may have, without null."""
    options = [resolve(one, definitions) for one in node.get("anyOf", node.get("oneOf", [node]))]
    return [one for one in options if one.get("type") != "null"]


def describe(node: Schema, definitions: Schema, *, named: bool = False) -> str:
    """Return the type and range of a value in words.

    With ``named`` a class is a link to the section about it, otherwise it is one of its own keys.

    >>> describe({"type": "integer", "minimum": 0, "exclusiveMaximum": 10}, {})
    'whole number ≥ 0 and < 10'
    >>> describe({"anyOf": [{"enum": ["own", "store"]}, {"type": "null"}]}, {})
    '`own`, `store` or null'
    >>> describe({"type": "array", "items": {"type": "number", "exclusiveMinimum": 0}}, {})
    'list of number > 0'
    """
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        if named and "properties" in definitions[name]:
            return f"[{name}](#{name.lower()})"
        return describe(definitions[name], definitions, named=named)
    options = node.get("anyOf", node.get("oneOf"))
    if options:
        words = list(dict.fromkeys(describe(one, definitions, named=named) for one in options))
        return " or ".join(sorted(words, key=lambda word: word == "null"))
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        return ", ".join(f"`{value}`" for value in node["enum"])
    return _plain(node, definitions, named=named)


def _plain(node: Schema, definitions: Schema, *, named: bool) -> str:
    """Return the type and range of a number, text, list or mapping."""
    kind = node.get("type", "")
    if kind == "array" and isinstance(node.get("items"), dict):
        items = describe(node["items"], definitions, named=named)
        return f"list of {items}" if items else "list"
    if kind == "array" and "prefixItems" in node:
        parts = [describe(one, definitions, named=named) for one in node["prefixItems"]]
        return f"list of {len(parts)}: {', '.join(parts)}"
    if kind == "object":
        if "properties" in node:
            return "keys below"
        values = node.get("additionalProperties")
        inner = describe(values, definitions, named=named) if isinstance(values, dict) else ""
        return f"by name: {inner}" if inner else PLAIN[kind]
    words = FORMATS.get(node.get("format", ""), PLAIN.get(kind, ""))
    bounds = [f"{sign} {_number(node[key])}" for key, sign in BOUNDS.items() if key in node]
    return " ".join(filter(None, [words, " and ".join(bounds)]))


def _number(value: float) -> str:
    """Return a bound as a person writes it.

    >>> [_number(value) for value in (0.05, 1.0, 1e15, 4294967296, 100_000)]
    ['0.05', '1', '10^15', '2^32', '100,000']
    """
    if value == 2**32:
        return "2^32"
    power = len(str(abs(int(value)))) - 1
    if abs(value) >= LARGE and abs(value) == 10**power:
        return f"{'-' * (value < 0)}10^{power}"
    return f"{int(value):,}" if value == int(value) else f"{value:g}"
