"""What README and docs/ tell a reader is true: commands, links, keys, columns, options."""

import csv
import doctest
import functools
import importlib
import json
import os
import re
import runpy
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import retain
from retain.cli.clean import clean
from retain.cli.compare import compare
from retain.cli.compose import Composer
from retain.cli.dashboard import dashboard
from retain.cli.overrides import (
    CONFIG_DIR,
    HELP,
    JSON,
    MULTIRUN,
    QUIET,
    TO_HYDRA,
    VERSION,
    Groups,
    parse_args,
)
from retain.cli.readout import readout
from retain.cli.run import FLAG_WORDS, run, run_command
from retain.cli.score import score
from retain.cli.simulate import simulate
from retain.cli.verify import verify
from retain.customers.checks.checks import CHECK_NAMES
from retain.customers.demo import write
from retain.storage.paths import conf_dir

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
TEXTS = (
    *sorted(ROOT.glob("README*.md")),
    ROOT / "CONTRIBUTING.md",
    *sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts),
)
PAGES = {path.relative_to(ROOT).as_posix(): path for path in TEXTS}
STUDIES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("experiments/**/*.md"))
COMMANDS = {
    "retain": run,
    "retain-compare": compare,
    "retain-score": score,
    "retain-readout": readout,
    "retain-simulate": simulate,
    "retain-verify": verify,
    "retain-clean": clean,
    "retain-dashboard": dashboard,
}
QUICK = ("validation.folds=2", "validation.repeats=1")
FEW = "data.customers=150"
"""Customers of the demo store, which is read where a line names no other data."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, and the paragraph before it."""

    language: str
    text: str
    before: str

    @property
    def runs(self):
        return "<!-- not run" not in self.before

    @property
    def needs(self):
        """The package of an extra without which the block does not run."""
        named = re.search(r"<!-- needs (\w+) -->", self.before)
        return named and named[1]

    @property
    def commands(self):
        """Commands of a console block, each as words, comments left out."""
        lines = [line[2:] for line in self.text.splitlines() if line.startswith("$ ")]
        return [shlex.split(line, comments=True) for line in lines]

    @property
    def file(self):
        """Where a reader saves a YAML block, if the paragraph before it says so."""
        named = re.search(r"`(mine/[\w/]+\.yaml)`:\s*$", self.before)
        return named and Path(named[1])


def read_page(page):
    return PAGES[page].read_text(encoding="utf-8")


def without_blocks(path):
    """The text of a page without its fenced blocks."""
    return re.sub(
        r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )


def blocks(page):
    """The fenced blocks of a page, each with the paragraph that stands before it."""
    found, before = [], ""
    for text in re.split(r"(^```\w+\n.*?^```$)", read_page(page), flags=re.DOTALL | re.MULTILINE):
        if text.startswith("```"):
            language, _, body = text.removeprefix("```").partition("\n")
            found.append(Block(language, body.removesuffix("```"), before))
        before = text.strip().rpartition("\n\n")[2]
    return found


def pages_with(kind, chosen=lambda block: block.runs):
    return [page for page in PAGES if any(b.language == kind and chosen(b) for b in blocks(page))]


# --- commands ------------------------------------------------------------------------------------


def narrowed(words):
    """A sweep with fewer runs, of fewer customers on fewer folds, than a reader would wait for."""
    studies = {"study=models": "model=dummy,tree", "study=purchases": "model=tree"}
    typed = {word.split("=")[0] for word in words}
    fewer = [studies[word] for word in words if word in studies and "model" not in typed]
    few = [] if any(word.startswith("data") for word in words) else [FEW]
    return [*words, *fewer, *few, *QUICK]


def spared(words):
    """What a comparison need not do where the line does not speak of it."""
    typed = {re.split("[.=]", word)[0] for word in words}
    if "trees" in typed:
        return [*words]
    parts = {
        "campaign": {"campaign", "segmentation", "offers", "assumptions"},
        "explain": {"explain"},
    }
    none = [f"{part}=none" for part, keys in parts.items() if not typed & keys]
    replace = ["campaign.replace=true"] if "campaign=none" in none else []
    return [*words, *none, *replace, "resamples=100"]


def campaign_id():
    """Write what became of the customers of the campaign; return its id."""
    (verdict,) = Path("outputs").glob("*/verdict/verdict.json")
    id_ = json.loads(verdict.read_text(encoding="utf-8"))["campaign"]["id"]
    arms = pd.read_csv(verdict.parent.parent / "campaigns" / id_ / "campaign.csv")
    declined = np.where(np.arange(len(arms)) % 3, "no", "yes")
    arms[["customer_id"]].assign(declined=declined).to_csv("outcomes.csv", index=False)
    return id_


def execute(words, known):
    """Run one command of a page as a reader would, but for its size."""
    name, *words = words
    for named in ("ID", "SECOND", "THIRD", "LEARNING", "NEXT"):
        if any(re.search(rf"\b{named}\b", word) for word in words):
            known.setdefault(named, campaign_id())
            words = [re.sub(rf"\b{named}\b", known[named], word) for word in words]
    if name == "retain" and "--help" not in words:
        words = narrowed(words)
    if name == "retain-compare":
        words = spared(words)
    return run_command(
        COMMANDS[name], words, name.removeprefix("retain").removeprefix("-") or "run"
    )


@pytest.fixture(scope="session")
def swept(tmp_path_factory, without_charts, fork_server):
    """A folder with the data the pages name, a study ``models`` and its verdict."""
    folder = tmp_path_factory.mktemp("reader")
    write(folder / "store", customers=150, seed=0)
    write(folder / "newer", customers=60, seed=1)
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert execute(shlex.split("retain -m study=models"), {}) == 0
        with without_charts():
            line = shlex.split("retain-compare study=models campaign.replace=true")
            assert execute(line, {}) == 0
    finally:
        os.chdir(before)
    return folder


def experiment(n=400):
    """A table of a randomised campaign with two arms."""
    random = np.random.default_rng(0)
    visit = random.random(n) < 0.3
    columns = {
        "customer": np.arange(n) + 1000,
        "email": random.choice(["none", "news"], n),
        "region": random.choice(["north", "south"], n),
        "orders": random.poisson(3, n),
        "visit": np.where(visit, "yes", "no"),
        "spend": np.round(visit * random.lognormal(3, 1, n), 2),
    }
    return pd.DataFrame(columns)


@pytest.fixture
def reader(tmp_path, monkeypatch, swept, shop, purchase_log):
    """A folder of a reader of one page."""
    shutil.copytree(swept, tmp_path, dirs_exist_ok=True)
    customers = shop(150)
    answers = customers.target.map({1: "Yes", 0: "No"})
    table = customers.features.assign(Churn=answers).reset_index(names="customerID")
    table.to_csv(tmp_path / "my.csv", index=False)
    purchase_log(200).to_csv(tmp_path / "log.csv", index=False)
    experiment().to_csv(tmp_path / "experiment.csv", index=False)
    known = experiment().drop(columns=["email", "spend", "visit"])
    known.to_csv(tmp_path / "next.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def starts_with_a_run(page):
    """Whether a page begins with a run of its own, and not with results that are there."""
    commands = [words for block in blocks(page) if block.runs for words in block.commands]
    return commands[0][0] == "retain"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", pages_with("console"))
def test_the_commands_of_a_page_run(page, reader, capsys, optional, without_charts):
    if starts_with_a_run(page):
        shutil.rmtree("outputs")
    known = {}
    for block in blocks(page):
        if block.needs:
            optional(block.needs)
        if block.file:
            block.file.parent.mkdir(parents=True, exist_ok=True)
            block.file.write_text(block.text, encoding="utf-8")
        if block.language == "python":
            Path("block.py").write_text(block.text, encoding="utf-8")
            runpy.run_path("block.py")
        for words in block.commands if block.language == "console" and block.runs else ():
            with without_charts():
                code = execute(words, known)
            assert code == 0, (words, capsys.readouterr().err)


NOTHING_THERE = {
    "retain-compare": "there are no runs of study",
    "retain-readout": "holds no campaign.json",
    "retain-verify": "has no verdict and no campaigns",
    "retain-clean": "is no folder",
    "retain-dashboard": "is no folder",
}
"""What a command says whose keys and values are right, in a folder where nothing was run."""


@pytest.mark.slow
@pytest.mark.parametrize("page", pages_with("console", lambda block: not block.runs))
def test_commands_that_are_not_run_compose(page, tmp_path, monkeypatch, capsys, registered):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(DOCS / "plugin" / "src")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("RETAIN_PLUGINS", "retain_example,ours")
    own = [block.text.partition("\n\n\nfound")[0] for block in blocks(page)]
    (tmp_path / "ours.py").write_text("\n".join(one for one in own if "@plugins" in one))
    for block in blocks(page):
        for name, *words in block.commands if not block.runs else ():
            if name == "retain":
                with Composer(parse_args(words), "run") as composer:
                    assert next(composer.trees())
            elif name in COMMANDS:
                assert execute([name, *words], {}) == 2
                assert NOTHING_THERE[name] in capsys.readouterr().err


STORIES = [page for page in pages_with("console") if "/tutorials/" in page]
"""Pages whose Python and commands are one story, and run together."""


@pytest.mark.parametrize("page", sorted({*pages_with("python")} - {*STORIES}))
def test_the_python_of_a_page_runs(page, reader, capsys, registered):
    for block in blocks(page):
        if block.language == "python":
            (reader / "block.py").write_text(block.text, encoding="utf-8")
            runpy.run_path("block.py")
    assert "roc_auc" in PAGES[page].read_text(encoding="utf-8")
    assert "0." in capsys.readouterr().out


# --- links and pictures --------------------------------------------------------------------------


def anchors(path):
    """The anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, *STUDIES])
def test_links_lead_somewhere(page):
    path = ROOT / page
    for link in re.findall(r"\]\(([^)\s]+)\)", without_blocks(path)):
        if link.startswith(("https://", "http://")):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES)
def test_paths_a_page_names_are_there(page):
    rooms = "src|conf|tests|docs|experiments"
    for path in re.findall(rf"`((?:{rooms})/[^`<> ]*)`", without_blocks(PAGES[page])):
        is_made = "NAME" in path or "_build" in path
        assert is_made or list(ROOT.glob(path.rstrip("/"))), path


def test_every_page_is_in_an_index():
    indexes = [*DOCS.rglob("index.md"), DOCS / "explanation" / "leak-checks.md"]
    linked = {
        (index.parent / link).resolve()
        for index in indexes
        for link in re.findall(r"\]\(([\w/.-]+\.md)", index.read_text(encoding="utf-8"))
    }
    pages = {path for name, path in PAGES.items() if name.startswith("docs/")}
    assert pages - {DOCS / "index.md"} <= linked


def test_the_page_on_the_api_lists_the_public_names():
    text = (DOCS / "reference" / "api.rst").read_text(encoding="utf-8").partition("\nResults\n")[0]
    listed = re.findall(r"^   (\w+)$", text, flags=re.MULTILINE)
    named = {*retain.__all__, *retain.plugins.__all__} - {"__version__", "plugins"}
    assert sorted(listed) == sorted(named)


def test_the_readme_is_short_and_pictures_are_small():
    assert (ROOT / "README.md").stat().st_size <= 7_000
    assert all(path.stat().st_size < 150_000 for path in (DOCS / "images").iterdir())


# --- keys ----------------------------------------------------------------------------------------


def paths_of(node, prefix=()):
    """All paths of keys in a config tree."""
    for key, value in node.items() if isinstance(node, dict) else ():
        yield (*prefix, str(key))
        yield from paths_of(value, (*prefix, str(key)))


@functools.cache
def config_keys():
    """All keys there are in any option of any group."""
    keys = set()
    for path in conf_dir().rglob("*.yaml"):
        group = path.parent.relative_to(conf_dir()).as_posix().replace("data/contract", "data")
        inside = () if group in {".", "study"} else tuple(group.split("/"))
        keys |= set(paths_of(yaml.safe_load(path.read_text(encoding="utf-8")), inside))
        keys |= {inside[:n] for n in range(1, len(inside) + 1)}
    return keys


FILES = {"csv", "db", "html", "json", "jsonl", "lock", "log", "md", "parquet"}
FILES |= {"png", "py", "skops", "svg", "toml", "txt", "xlsx", "yaml"}
"""Endings of what has a dot in its name and is no key."""


@pytest.mark.parametrize("page", [page for page in PAGES if page != "docs/architecture.md"])
def test_every_key_a_page_names_is_there(page):
    keys = config_keys()
    for key in re.findall(r"`([a-z_]+(?:\.\w+)+)(?:=[^`]*)?`", without_blocks(PAGES[page])):
        root, *_, last = parts = key.split(".")
        if root == "retain" or last in FILES:
            continue
        named = tuple(part for part in parts if not part.isupper())
        open_ended = root in {"gate", "model"} or len(named) < len(parts)
        assert named in keys or (open_ended and (root,) in keys), key


@pytest.mark.parametrize("module", ["types", "documents"])
def test_the_examples_of_what_makes_the_reference_hold(monkeypatch, module):
    monkeypatch.syspath_prepend(DOCS)
    examples = doctest.testmod(importlib.import_module(f"generate.{module}"))
    assert examples.attempted
    assert not examples.failed


def test_the_reference_is_that_of_the_package(monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    for path, text in runpy.run_path(str(DOCS / "make_reference.py"))["texts"]().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: type: make reference"


def test_the_commands_page_lists_every_option():
    text = (DOCS / "reference/commands.md").read_text(encoding="utf-8")
    options = Groups.among([conf_dir()]).options
    rows = dict(re.findall(r"^\| `([\w/]+)` \| (.*?) \|$", text, flags=re.MULTILINE))
    for group in set(options) - {"data/contract"}:
        listed = set(re.findall(r"`(\w+)`", rows[group]))
        assert set(options[group]) <= listed, group
        assert group == "features" or listed == set(options[group]), group


def test_the_commands_page_lists_every_flag_once():
    text = (DOCS / "reference/commands.md").read_text(encoding="utf-8")
    table = text.partition("## Flags")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`-.*?) \|", table, flags=re.MULTILINE)
    listed = [flag for cell in cells for flag in re.findall(r"`(--?[\w-]+)", cell)]
    assert len(listed) == len(set(listed))
    of_one = {flag for _, flag in FLAG_WORDS}
    ours = {*HELP, *VERSION, *MULTIRUN, *QUIET, *JSON, *CONFIG_DIR, *of_one}
    assert {flag for flag in listed if flag not in TO_HYDRA} == ours


def test_the_cluster_page_says_of_every_launcher_when_to_use_it():
    text = (DOCS / "how-to/clusters.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", text, flags=re.MULTILINE)
    assert sorted(listed) == list(Groups.among([conf_dir()]).options["hydra/launcher"])


def test_the_page_on_leak_checks_lists_every_check():
    text = (DOCS / "explanation/leak-checks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[`(\w+)`\]\(checks/(\w+)\.md\) \|", text, flags=re.MULTILINE)
    assert tuple(code for code, _ in rows) == CHECK_NAMES
    assert all(code == page for code, page in rows)


def test_the_page_on_python_lists_the_public_names():
    text = (DOCS / "how-to/python.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`.*?`) \|", text, flags=re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(cells))) == set(retain.__all__)


def test_the_nouns_of_the_architecture_are_classes():
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    nouns = re.findall(r"^\| `([A-Z]\w+)` \|", text, flags=re.MULTILINE)
    assert len(nouns) >= 6
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")]
    for noun in nouns:
        assert any(re.search(rf"^class {noun}\b", source, re.MULTILINE) for source in sources), noun


# --- files ---------------------------------------------------------------------------------------


def section(text, heading):
    """The section of the page on files about one file."""
    (found,) = re.findall(
        rf"^### `{re.escape(heading)}`\n(.*?)(?=^##|\Z)", text, re.DOTALL | re.MULTILINE
    )
    return set(re.findall(r"`([\w.<>*]+)`", found))


def columns(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return set(next(csv.reader(file)))


def keys_of(path):
    """The columns of a table, or the first level of keys of a document."""
    return columns(path) if path.suffix == ".csv" else set(json.loads(path.read_text("utf-8")))


@pytest.mark.timeout(600)
def test_the_page_on_files_lists_every_column_and_key(reader, without_charts):
    text = (DOCS / "reference/files.md").read_text(encoding="utf-8")
    known = {}
    with without_charts():
        for line in (
            "retain-compare study=models campaign.replace=true explain=fast",
            "retain-readout campaign=ID outcomes=outcomes.csv",
            "retain-simulate campaign=ID",
            "retain-score verdict=outputs/models/verdict data=one_click data.dir=newer",
        ):
            assert execute(shlex.split(line), known) == 0
    elsewhere = {"leaderboard.csv", "scores.csv"}  # columns of the sweep; those of customers.csv
    for path in sorted((reader / "outputs/models").rglob("*")):
        if path.suffix in {".csv", ".json"} and path.name not in elsewhere:
            assert keys_of(path) <= section(text, path.name), path.name
