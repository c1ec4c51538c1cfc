"""Write the parts of ``docs/reference`` that are made from the package.

    python docs/make_reference.py            writes the files
    python docs/make_reference.py --check    ends with 1 where a file is not up to date

``config.md`` lists the keys of ``conf/``, each of which carries a comment with its meaning, unit
and range. ``schemas/`` has the JSON Schema of each document that the commands write.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from retain.campaign.reference import Reference
from retain.record.campaign_document import CampaignDocument
from retain.record.effects_document import EffectsDocument
from retain.record.readout_document import ReadoutDocument
from retain.record.score_document import ScoreDocument
from retain.record.score_readout_document import ScoreReadoutDocument
from retain.record.trees_document import TreesDocument
from retain.record.trial_document import TrialDocument
from retain.record.truth_document import TruthDocument
from retain.record.verdict_document import VerdictDocument

ROOT = Path(__file__).resolve().parents[1]
CONF = ROOT / "conf"
REFERENCE = ROOT / "docs" / "reference"
PAGE = REFERENCE / "config.md"
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
    "reference": Reference,
}
"""The class of each document, by the name of its file."""
COMMANDS = {
    "run": "`retain`",
    "compare": "`retain-compare`",
    "score": "`retain-score`",
    "readout": "`retain-readout`",
    "simulate": "`retain-simulate`",
}
GROUPS = (
    "data",
    "audit",
    "features",
    "scaling",
    "model",
    "sampler",
    "calibration",
    "tuning",
    "validation",
    "metrics",
    "study",
    "hydra/launcher",
    "segmentation",
    "assumptions",
    "offers",
    "campaign",
    "explain",
    "tracking",
)
ELSEWHERE = {
    "offers/one_click": "the twelve offers of the store; keys as in `general`",
    "offers/demo": "the offers of `one_click`",
    "segmentation/one_click": "rules over the features of the store; keys as in `rules`",
}
"""Options that only repeat the keys of another one."""
SKIPPED = ("_target_", "defaults")
DEEPEST = {"offers": 3, "segmentation": 3, "study": 2}
"""Levels of keys that a group's tables show; what is deeper is the user's own."""
INTRODUCTION = """\
# Config: every key and its default

<!-- Made by docs/make_reference.py from the comments in conf/. Edit those, type `make docs`. -->

Values live in `conf/`, one folder per group, one file per option. `GROUP=OPTION` chooses a file,
`GROUP.KEY=VALUE` sets one of its keys. This page lists the keys with their defaults. `null` means
none; `???` means that you have to type a value.
"""
LINE = re.compile(
    r"^(?P<indent> *)(?P<key>[\w'\"/@. -]+?):(?: (?P<value>.*?))?(?:\s+# (?P<note>.*))?$"
)
CONTINUED = re.compile(r"^\s*# (?P<note>.*)$")


@dataclass
class Key:
    """One key of a config file: its path, its default as written, and its comment."""

    path: str
    default: str
    meaning: str


def main() -> int:
    """Write the files, or with ``--check`` compare them with what would be written."""
    texts = {PAGE: page(), **schemas()}
    if "--check" in sys.argv[1:]:
        return int(any(path.read_text(encoding="utf-8") != text for path, text in texts.items()))
    for path, text in texts.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


def schemas() -> dict[Path, str]:
    """Return the JSON Schema of each document, by the path of its file."""
    texts = {}
    for name, kind in DOCUMENTS.items():
        schema = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **kind.model_json_schema(by_alias=True),
        }
        text = json.dumps(schema, ensure_ascii=False, indent=1)
        texts[REFERENCE / "schemas" / f"{name}.schema.json"] = f"{text}\n"
    return texts


def page() -> str:
    """Return the whole page."""
    parts = [INTRODUCTION]
    for name, command in COMMANDS.items():
        parts.append(f"## Keys of {command}\n\n{_table(read_keys(CONF / f'{name}.yaml'))}")
    for group in GROUPS:
        parts.append(f"## {group.replace('/', '.')}\n")
        parts += [_option(group, path) for path in sorted((CONF / group).glob("*.yaml"))]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _option(group: str, path: Path) -> str:
    """Return the section of one option of a group."""
    title = f"### {group}={path.stem}"
    summary = _summary(path)
    if other := ELSEWHERE.get(f"{group}/{path.stem}"):
        return f"{title}\n\n{summary}\n\nNot listed here: {other}.\n"
    prefix = "" if group == "study" else f"{group.replace('/', '.')}."
    deepest = DEEPEST.get(group, 4)
    keys = [
        key for key in read_keys(path, prefix) if key.path.count(".") - prefix.count(".") < deepest
    ]
    keys = [key for key in keys if not key.path.startswith(("hydra.sweeper", "study.sweeps"))]
    return f"{title}\n\n{summary}\n\n{_table(keys)}" if keys else f"{title}\n\n{summary}\n"


def _summary(path: Path) -> str:
    """Return the comment on top of a config file as one paragraph."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# @package"):
            continue
        if not line.startswith("# "):
            break
        lines.append(line[2:])
    return " ".join(lines)


def read_keys(path: Path, prefix: str = "") -> list[Key]:
    """Return the keys of a config file in its order, each with its default and comment."""
    keys: list[Key] = []
    parents: list[tuple[int, str]] = []
    for indent, name, value, note in _lines(path):
        if not name:
            if keys and keys[-1].meaning:
                keys[-1].meaning = f"{keys[-1].meaning} {note}"
            continue
        while parents and parents[-1][0] >= indent:
            parents.pop()
        parents.append((indent, name))
        full = prefix + ".".join(part for _, part in parents)
        is_option_name = parents[0][1] == "name" and path.parent != CONF
        if is_option_name or parents[0][1] in SKIPPED or name == "_target_":
            continue
        keys.append(Key(full, value, note))
    return [key for key in keys if key.default or key.meaning]


def _lines(path: Path) -> Iterator[tuple[int, str, str, str]]:
    """Yield indent, key, value and comment of each line; no key for a comment that goes on."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if found := LINE.match(line):
            yield (
                len(found["indent"]),
                found["key"].strip("'\""),
                (found["value"] or "").strip(),
                found["note"] or "",
            )
        elif (found := CONTINUED.match(line)) and line.startswith(" "):
            yield 0, "", "", found["note"]


def _table(keys: list[Key]) -> str:
    """Return keys as a Markdown table."""
    rows = [f"| `{key.path}` | {_code(key.default)} | {_cell(key.meaning)} |" for key in keys]
    return "\n".join(["| key | default | meaning |", "|---|---|---|", *rows]) + "\n"


def _code(text: str) -> str:
    return f"`{_cell(text)}`" if text else ""


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


if __name__ == "__main__":
    sys.exit(main())
