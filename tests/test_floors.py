"""The house of the package: who may import whom, and what importing costs."""

import ast
import subprocess
import sys

FLOORS = (
    "errors",
    "storage",
    "schema",
    "record",
    "customers",
    "learning",
    "verdict",
    "reasons",
    "campaign",
    "report",
    "app",
)
DOORS = ("__init__", "__main__")
HEAVY = {"sklearn", "pandas", "numpy", "hydra", "pydantic", "phik", "shap"}


def imports(path):
    """Dotted names a file imports from the package, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("retain"):
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("retain"))


def floor(dotted):
    return FLOORS.index(dotted.split(".")[1]) if "." in dotted else -1


def test_a_file_imports_only_from_floors_below_its_own(checkout):
    package = checkout / "src" / "retain"
    rooms = {p: p.relative_to(package).parts[0].removesuffix(".py") for p in package.rglob("*.py")}
    wrong = [
        f"{path.relative_to(package)} imports {name}"
        for path, room in rooms.items()
        if room not in DOORS
        for name in imports(path)
        if floor(name) > FLOORS.index(room)
    ]
    assert wrong == []


def test_hydra_is_known_to_app_alone(checkout):
    package = checkout / "src" / "retain"
    knowing = [
        path.relative_to(package).parts[0]
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (
            isinstance(node, ast.ImportFrom)
            and (node.module or "").split(".")[0] in ("hydra", "omegaconf")
        )
        or (
            isinstance(node, ast.Import)
            and any(a.name.split(".")[0] in ("hydra", "omegaconf") for a in node.names)
        )
    ]
    assert set(knowing) == {"app"}


def test_no_file_is_named_after_nothing(checkout):
    names = {path.stem for path in (checkout / "src").rglob("*.py")}
    assert not names & {"utils", "common", "helpers", "base", "misc"}


def test_no_file_passes_300_lines(checkout):
    long = [
        path.name
        for path in (checkout / "src").rglob("*.py")
        if len(path.read_text(encoding="utf-8").splitlines()) > 300
    ]
    assert long == []


def loaded_by(code):
    """Top-level modules a fresh interpreter holds after running ``code``."""
    told = f"{code}\nimport sys\nprint(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_the_package_imports_nothing_heavy():
    assert not loaded_by("import retain") & HEAVY


# What makes help slow is what it imports; a stopwatch in a test would only measure the machine.
def test_help_imports_nothing_heavy():
    code = "import retain.app.run as r\nr.answer(r.run, ['--help'], 'run')"
    assert not loaded_by(code) & {*HEAVY, "rich"}


def test_the_public_door_has_at_most_ten_names_and_each_opens():
    import retain

    assert len(retain.__all__) <= 10
    for name in retain.__all__:
        assert getattr(retain, name) is not None


def test_a_name_that_is_not_there_is_no_attribute():
    import pytest

    import retain

    with pytest.raises(AttributeError, match="has no attribute 'Retain'"):
        _ = retain.Retain
