"""Whatever a message, a page or ``--help`` says to type can be typed."""

import ast
import re
import shlex
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

import retain
from retain.cli.override_parser import parse_overrides
from retain.cli.overrides import Groups, parse_args
from retain.report.page.embedded_data import compare_command
from retain.storage.paths import conf_dir

SOURCES = Path(retain.__file__).parent
COMMANDS = {"retain": "run", "retain-compare": "compare", "retain-score": "score"}
OTHERS = ("readout", "simulate", "verify", "clean", "dashboard")
COMMANDS |= {f"retain-{name}": name for name in OTHERS}
SHORT_KEYS = {"study", "campaign", "outcomes", "runs", "diff"}
"""Keys that a command writes out before it composes."""
OPEN = {"gate", "model", "offers", "hydra", "segmentation", "campaign"}
"""Nodes with keys of a user's own, or of a library."""
WORD = r"(?:'[^']*'|\[[^\]]*\]|[^\s;)`,\"'\[\]]|(?<=\w),(?=\w))+"
OVERRIDE = re.compile(rf"(?<![\w./$'\"{{-])([a-z_]+(?:[./][A-Za-z_]+)*)=({WORD})")
COMMAND = re.compile(rf"(?<![\w-])(retain(?:-(?:compare|score|{'|'.join(OTHERS)}))?"
                     r"(?: (?:-m|-cd) ?| )"
                     r"[a-z~…-][^\n`]*)")  # fmt: skip
NOT_TYPED = ("customers/purchases/readers", "customers/purchases/engines", "report/charts")
"""Rooms whose texts are SQL, options of Spark and SVG; patterns are left out too."""


def texts_of(path):
    """The texts of a source without docstrings, other values in them as VALUE."""
    nodes = [ast.parse(path.read_text(encoding="utf-8"))]
    for node in nodes:  # which grows: all but the parts of a text
        for one in ast.iter_child_nodes(node):
            if isinstance(one, ast.JoinedStr | ast.Constant):
                if not isinstance(node, ast.Expr):
                    yield from text_of(one)
            else:
                nodes.append(one)


def text_of(node):
    if isinstance(node, ast.JoinedStr):
        yield "".join(p.value if isinstance(p, ast.Constant) else "VALUE" for p in node.values)
    elif isinstance(node.value, str):
        yield node.value


@cache
def all_texts():
    found = []
    for path in sorted(SOURCES.rglob("*.py")):
        name = path.relative_to(SOURCES).as_posix()
        if not name.startswith(NOT_TYPED):
            found += [(name, text) for text in texts_of(path) if "(?:" not in text]
    for path in sorted(SOURCES.rglob("*words_*.yaml")):
        found.append((path.name, path.read_text(encoding="utf-8")))
    return tuple(found)


def paths_of(node, prefix=()):
    for key, value in node.items() if isinstance(node, dict) else ():
        yield (*prefix, str(key))
        yield from paths_of(value, (*prefix, str(key)))


@pytest.fixture(scope="module")
def keys():
    """The paths of all keys in any option of any group."""
    found = {(key,) for key in SHORT_KEYS}
    for path in conf_dir().rglob("*.yaml"):
        group = path.parent.relative_to(conf_dir()).as_posix().replace("data/contract", "data")
        inside = () if group in {".", "study"} else tuple(group.split("/"))
        found |= set(paths_of(yaml.safe_load(path.read_text(encoding="utf-8")), inside))
        found |= {inside[:n] for n in range(1, len(inside) + 1)}
    return found


OPTIONS = Groups.among([conf_dir()]).options


def find_problem(key, value, keys):
    """Why an override cannot be typed, None if it can."""
    parts = tuple(part for part in re.split("[./]", key) if not part.isupper())
    if parts not in keys and parts[0] not in OPEN:
        return f"{key} is no key"
    if key in OPTIONS and not value.isupper():
        unknown = [one for one in value.strip("[]").split(",") if one not in OPTIONS[key]]
        if unknown and key not in SHORT_KEYS:
            return f"{key} has no option {unknown}"
    parse_overrides([f"{key}={value}"])
    return None


ROOTS = {path.stem for path in conf_dir().iterdir()} | {
    str(key)
    for path in conf_dir().glob("*.yaml")
    for key in yaml.safe_load(path.read_text(encoding="utf-8"))
}
"""The first keys of all commands."""


def overrides_in(text):
    """The overrides of a text whose first key is one of the commands'."""
    for key, word in OVERRIDE.findall(text):
        value = word.rstrip(".:")
        if re.split("[./]", key)[0] in ROOTS and value and "VALUE" not in key:
            yield key, value


def test_every_override_in_a_message_is_one_of_the_commands(keys):
    found = [(name, *pair) for name, text in all_texts() for pair in overrides_in(text)]
    assert len(found) > 150
    problems = [
        (name, problem)
        for name, key, value in found
        if (problem := find_problem(key, value, keys)) is not None
    ]
    assert problems == []


def test_every_key_in_a_message_is_whole(keys):
    """A key of a node is typed with the name of the node: ``data.policy.returns``."""
    nodes = {path[-2] for path in keys if len(path) > 2} - {path[0] for path in keys}
    for name, text in all_texts():
        for key, _ in OVERRIDE.findall(text):
            assert "." not in key or key.split(".")[0] not in nodes, (name, key)


def commands_in(text):
    for line in COMMAND.findall(text):
        # In --help a comment stands behind the command.
        yield re.split(r"  +|: |\. |; ", line)[0]


def test_every_command_in_a_message_is_parsed_by_the_command(keys):
    found = [(name, line) for name, text in all_texts() for line in commands_in(text)]
    found = [(name, line) for name, line in found if "=" in line]
    assert len(found) > 20
    for name, line in found:
        command, *words = shlex.split(line)
        assert "…" not in line, (name, line)
        words = [word for word in words if word != "VALUE"]
        known = [word for word in words if word not in ("-cd", "-m") and "=" in word]
        assert command in COMMANDS, (name, line)
        arguments = parse_args(known)
        for override in arguments.overrides:
            key, _, value = override.partition("=")
            assert find_problem(key, value, keys) is None, (name, line)


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        (["retain study=a", "retain-compare study=a"], "retain-compare study=a"),
        (["retain-compare study=a diff=x,y explain=none"], "retain-compare study=a explain=none"),
        (
            [shlex.join(["retain-compare", "study=a", "diff=['12345678',b]", "explain=none"])],
            "retain-compare study=a explain=none",
        ),
        ([], "retain-compare study=[one,other]"),
    ],
)
def test_the_page_types_its_comparison_without_the_pair(commands, expected):
    assert (
        compare_command(SimpleNamespace(commands=tuple(commands), studies=("one", "other")))
        == expected
    )
