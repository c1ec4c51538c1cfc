"""``config.md``: every key of ``conf/`` with its default, type, range and meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from generate.key_types import describe_key
from retain.cli.help import OFFERED

CONF = Path(__file__).resolve().parents[2] / "conf"
GROUPS = tuple(dict.fromkeys(group for groups in OFFERED.values() for group in groups))
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
# Config: every key with its default, type and range

<!-- Made by docs/make_reference.py from comments in conf/ and types in src/retain/schema. -->

Values live in `conf/`, one folder per group, one file per option. `GROUP=OPTION` chooses a file,
`GROUP.KEY=VALUE` sets one of its keys. `null` means none; `???` means that you have to type a
value. Parameters of a model, sampler or scaling have the types of its class.
"""
LINE = re.compile(
    r"^(?P<indent> *)(?P<key>[\w'\"/@. -]+?):(?: (?P<value>.*?))?(?:\s+# (?P<note>.*))?$"
)
CONTINUED = re.compile(r"^\s*# (?P<note>.*)$")


@dataclass
class Key:
    """One key of a config file: its path, default as written, type and range, and comment."""

    path: str
    default: str
    type: str
    meaning: str


def page() -> str:
    """Return the whole page."""
    parts = [INTRODUCTION]
    for name in OFFERED:
        command = "retain" if name == "run" else f"retain-{name}"
        parts.append(f"## Keys of `{command}`\n\n{_table(read_keys(CONF / f'{name}.yaml'))}")
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
    config, target = path.relative_to(CONF).with_suffix("").as_posix(), _target(path)
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
        keys.append(Key(full, value, describe_key(full, config, target), note))
    return [key for key in keys if key.default or key.meaning]


def _target(path: Path) -> str:
    """Return what a config instantiates; that of its first default where it names none."""
    node = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    if "_target_" in node or "defaults" not in node:
        return str(node.get("_target_", ""))
    bases = [one for one in node["defaults"] if isinstance(one, str) and one != "_self_"]
    return _target(path.parent / f"{bases[0]}.yaml") if bases else ""


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
    rows = [
        f"| `{key.path}` | {_code(key.default)} | {_cell(key.type)} | {_cell(key.meaning)} |"
        for key in keys
    ]
    return (
        "\n".join(["| key | default | type and range | meaning |", "|---|---|---|---|", *rows])
        + "\n"
    )


def _code(text: str) -> str:
    return f"`{_cell(text)}`" if text else ""


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
