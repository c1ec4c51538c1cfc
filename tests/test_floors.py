"""The house of the package: who may import whom, and what importing costs."""

import ast
import re
import subprocess
import sys

import pytest

ROOMS = (
    "errors",
    "wording",
    "storage",
    "plugins",
    "schema",
    "record",
    "customers.reading",
    "customers.panel",
    "customers.customers",
    "customers.columns",
    "customers.cells",
    "customers.files",
    "customers.contract",
    "customers.checks",
    "customers.purchases.parsing",
    "customers.purchases.cleaning",
    "customers.purchases.readers",
    "customers.purchases.features",
    "customers.purchases.quality",
    "customers.purchases.engines",
    "customers.purchases",
    "customers",
    "learning",
    "verdict",
    "explanations",
    "campaign.proportions",
    "campaign.audience",
    "campaign.segmentation",
    "campaign.offers",
    "campaign.value",
    "campaign.allocation",
    "campaign.planning",
    "campaign",
    "campaign.trial",
    "campaign.readout",
    "campaign.effects",
    "campaign.simulation",
    "report.text.numbers",
    "report.text.amounts",
    "report.text.words",
    "report.text.names",
    "report.tree",
    "report.text",
    "report.charts",
    "report.text.captions",
    "report.fishbone",
    "report.render",
    "report.page",
    "execution",
    "execution.backends",
    "execution.sweep",
    "workflows",
    "dashboard",
    "cli.signals",
    "cli.terminal",
    "cli",
    "library",
)
"""Rooms and files, low to high; a file belongs to the longest of them that its name begins with."""
DOORS = ("", "__main__")
HYDRA = {"hydra", "omegaconf"}
KNOW_HYDRA = {"cli", "learning.components", "execution.yaml_writer"}
HEAVY = {"sklearn", "pandas", "numpy", "hydra", "pydantic", "phik", "shap"}


@pytest.fixture(scope="module")
def sources(checkout):
    """The files of the package by dotted name within it, parsed."""
    package = checkout / "src" / "retain"
    paths = {
        ".".join(path.relative_to(package).with_suffix("").parts): path
        for path in package.rglob("*.py")
    }
    return {
        name.removesuffix("__init__").removesuffix("."): ast.parse(path.read_text("utf-8"))
        for name, path in paths.items()
    }


def statements(block):
    """All statements of a file; imports and classes are among them, and no expression is walked."""
    for node in block:
        yield node
        for part in ("body", "orelse", "handlers", "finalbody", "cases"):
            yield from statements(getattr(node, part, ()))


def imported(tree, *, lazily=True):
    """Dotted names of all that a file imports; ``lazily`` also within functions."""
    for node in statements(tree.body) if lazily else tree.body:
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def within(names):
    """Of dotted names those of the package, without its own."""
    return {name.removeprefix("retain.") for name in names if name.startswith("retain.")}


def room_of(name):
    found = [room for room in ROOMS if name == room or name.startswith(f"{room}.")]
    return max(found, key=len)


def test_a_file_imports_only_from_rooms_not_above_its_own(sources):
    wrong = [
        f"{name} imports {other}"
        for name, tree in sources.items()
        if name not in DOORS
        for other in within(imported(tree))
        if ROOMS.index(room_of(other)) > ROOMS.index(room_of(name))
    ]
    assert wrong == []


def test_every_room_in_the_table_is_there(sources):
    assert [room for room in ROOMS if room not in sources] == []


def test_the_walks_of_the_architecture_name_functions_that_are_there(checkout, sources):
    text = (checkout / "docs" / "architecture.md").read_text("utf-8")
    steps = re.findall(r"`([a-z_/]+)\.py` `(\w+)", text)
    assert len(steps) > 15
    for file, name in steps:
        defined = {getattr(node, "name", None) for node in sources[file.replace("/", ".")].body}
        assert name in defined, f"{file}.py has no {name}"


def test_hydra_is_known_to_the_commands_alone(sources):
    knowing = {
        name
        for name, tree in sources.items()
        if {other.split(".")[0] for other in imported(tree)} & HYDRA
    }
    assert {name if name in KNOW_HYDRA else name.split(".")[0] for name in knowing} == KNOW_HYDRA


def test_no_file_is_named_after_nothing(checkout):
    names = {path.stem for path in (checkout / "src").rglob("*.py")}
    assert not names & {"utils", "common", "helpers", "base", "misc"}


def test_a_class_name_stands_for_one_thing(sources):
    names = [
        node.name
        for tree in sources.values()
        for node in statements(tree.body)
        if isinstance(node, ast.ClassDef)
    ]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_no_file_passes_300_lines(checkout):
    long = [
        path.name
        for path in (checkout / "src").rglob("*.py")
        if len(path.read_text(encoding="utf-8").splitlines()) > 300
    ]
    assert long == []


def loaded_by(code):
    """Top-level modules a fresh interpreter holds after running ``code``."""
    text = f"{code}\nimport sys\nprint(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_the_package_imports_nothing_heavy():
    assert not loaded_by("import retain") & HEAVY


# What makes help slow is what it imports; a stopwatch in a test would only measure the machine.
def test_help_imports_nothing_heavy():
    code = "import retain.cli.run as r\nr.run_command(r.run, ['--help'], 'run')"
    assert not loaded_by(code) & {*HEAVY, "rich"}


def test_a_run_imports_the_library_of_samplers_only_if_it_has_one():
    code = "import retain.execution.runner, retain.explanations.explainers"
    assert not loaded_by(code) & {"imblearn", "pytest"}


def test_each_name_of_the_public_door_opens():
    import retain

    assert len(retain.__all__) <= 20
    for name in retain.__all__:
        assert getattr(retain, name) is not None


def test_a_name_that_is_not_there_is_no_attribute():
    import retain

    with pytest.raises(AttributeError, match="has no attribute 'Retain'"):
        _ = retain.Retain
