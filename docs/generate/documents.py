"""``documents.md``: every key of every JSON document; and the JSON Schema of each."""

from __future__ import annotations

import json
import re

from generate.types import Schema, describe
from retain.campaign.reference import Reference
from retain.execution.status import Status
from retain.record.campaign_document import CampaignDocument
from retain.record.document import Record
from retain.record.effects_document import EffectsDocument
from retain.record.manifest import ManifestDocument
from retain.record.readout_document import ReadoutDocument
from retain.record.score_document import ScoreDocument
from retain.record.score_readout_document import ScoreReadoutDocument
from retain.record.trees_document import TreesDocument
from retain.record.trial_document import TrialDocument
from retain.record.truth_document import TruthDocument
from retain.record.verdict_document import VerdictDocument
from retain.verdict.sealed_test import Access

DOCUMENTS = {
    "verdict": VerdictDocument,
    "campaign": CampaignDocument,
    "readout": ReadoutDocument,
    "trees": TreesDocument,
    "trial": TrialDocument,
    "effects": EffectsDocument,
    "score_readout": ScoreReadoutDocument,
    "score": ScoreDocument,
    "truth": TruthDocument,
    "manifest": ManifestDocument,
    "reference": Reference,
}
"""The class of each document that has a published schema, by the name of its file."""
PRINTED = "trees"
"""The document that is printed and in no file."""
FILES = {
    "record.json": Record,
    "status.json": Status,
    "ledger.jsonl": Access,
    **{f"{name}.json": kind for name, kind in DOCUMENTS.items() if name != PRINTED},
    "retain-compare trees=[MAIN,BRANCH] --json": TreesDocument,
}
"""The class of each JSON file, by its name; of ``ledger.jsonl`` that of a line."""
INTRODUCTION = """\
# Documents: every JSON key

<!-- Made by docs/make_reference.py from the classes that read and write the documents. -->

Each JSON file that the commands write, with the type of every key, as its class reads it back. A
key of another name is refused. [Files on disk](files.md) says where the files are and what they are
for, and lists the columns of tables. [Schemas](#schemas) are for other programs.
"""


def schemas() -> dict[str, str]:
    """Return the JSON Schema of each document, by the name of its file."""
    texts = {}
    for name, kind in DOCUMENTS.items():
        schema = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **kind.model_json_schema(by_alias=True),
        }
        texts[f"{name}.schema.json"] = f"{json.dumps(schema, ensure_ascii=False, indent=1)}\n"
    return texts


def page() -> str:
    """Return the page: a section for each file, and one for each object inside them."""
    parts, objects = [INTRODUCTION], dict[str, str]()
    for file, kind in FILES.items():
        schema = kind.model_json_schema(by_alias=True)
        definitions = schema.get("$defs", {})
        parts.append(f"## {file}\n\n{_section(schema, definitions)}")
        for name, node in definitions.items():
            if "properties" in node:
                objects[name] = f"### {name}\n\n{_section(node, definitions)}"
    parts += ["## Objects\n", *(objects[name] for name in sorted(objects))]
    links = ", ".join(f"[{name}](schemas/{name}.schema.json)" for name in DOCUMENTS)
    parts.append(f"## Schemas\n\nJSON Schema, draft 2020-12: {links}.\n")
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _section(node: Schema, definitions: Schema) -> str:
    """Return what a class says of itself, and the table of its keys."""
    text, _, attributes = node.get("description", "").partition("\nAttributes\n----------\n")
    meanings = _meanings(attributes)
    rows = [("key", "type and range", "meaning"), ("---", "---", "---")]
    for key, value in node["properties"].items():
        type_ = _cell(describe(value, definitions, named=True))
        rows.append((f"`{key}`", type_, meanings.get(key, "")))
    n_columns = 3 if any(row[2] for row in rows[2:]) else 2
    table = "\n".join(f"| {' | '.join(row[:n_columns])} |" for row in rows)
    return f"{_markdown(text)}\n\n{table}\n"


def _meanings(attributes: str) -> dict[str, str]:
    r"""Return the meaning of each key from the part of a numpydoc docstring about attributes.

    >>> _meanings("study, studies\n    What was compared,\n    by name.")
    {'study': 'What was compared, by name.', 'studies': 'What was compared, by name.'}
    """
    entries = re.findall(r"^(\S.*)\n((?:    .*\n?)+)", attributes, flags=re.MULTILINE)
    return {
        name: _cell(_markdown(" ".join(text.split())))
        for names, text in entries
        for name in names.split(", ")
    }


def _markdown(text: str) -> str:
    """Return text of a docstring as Markdown: one backtick for code, and JSON's null."""
    return re.sub(r"\bNone\b", "null", text.replace("``", "`")).strip()


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
