"""Trees of outputs: invented ones, one that the commands made, and a server that shows them."""

import contextlib
import csv
import importlib
import json
import os
import shutil
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from retain.cli.compare import compare
from retain.cli.readout import readout
from retain.cli.run import run, run_command
from retain.dashboard.index import OutputsReader
from retain.dashboard.page_cache import PageCache
from retain.dashboard.security import ServerAccess
from retain.dashboard.server import make_application, make_server
from retain.dashboard.trees import TreesComparison, TreesWatch, compare_in_short
from retain.dashboard.watch import OutputsWatch
from retain.record.study import StudyDirectory
from retain.schema.compare import ComparisonConfig

MARKUP = "<img src=x onerror=alert(1)>"
SELECTION = ComparisonConfig(alpha=0.05, rope=0.01, rule="best", complexity_order=())


@pytest.fixture(scope="session")
def invented(tmp_path_factory, checkout):
    """Outputs with one study of 48 finished runs of three models, which nobody ran."""
    outputs = tmp_path_factory.mktemp("invented") / "outputs"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(checkout / "experiments" / "benchmarks"))
        finished = importlib.import_module("finished")
        finished.finish(StudyDirectory(outputs / "invented"), 48, customers=200)
    return outputs


@pytest.fixture
def copied(invented, tmp_path):
    """A copy of it, to be changed at will."""
    return Path(shutil.copytree(invented, tmp_path / "outputs"))


@pytest.fixture(scope="session")
def index(invented):
    """Its index."""
    return OutputsReader(invented).read()


@pytest.fixture(scope="session")
def made(tmp_path_factory, fork_server, without_charts):
    """Outputs as the commands write them: two studies, a verdict, a campaign and its readout."""
    folder = tmp_path_factory.mktemp("made")
    small = ("data.customers=300", "validation.folds=3", "validation.repeats=2")
    models = ("study.name=models", "model=logreg,tree,dummy", "sampler=none,smote", "seed=0,1")
    words = ("study=models", "resamples=100", "explain=none")
    with contextlib.chdir(folder):
        assert run_command(run, ("-m", *models, *small, "-q"), "run") == 0
        trees = ("study.name=trees", "model=tree", "model.min_samples_leaf=5,20")
        assert run_command(run, ("-m", *trees, *small, "-q"), "run") == 0
        with without_charts():
            assert run_command(compare, (*words, "-q"), "compare") == 0
        (campaign,) = Path("outputs/models/campaigns").iterdir()
        with (campaign / "campaign.csv").open(encoding="utf-8-sig") as file:
            ids = [row["customer_id"] for row in csv.DictReader(file)]
        declines = (f"{id_},{'no' if at % 3 else 'yes'}\n" for at, id_ in enumerate(ids))
        Path("outcomes.csv").write_text("customer_id,declined\n" + "".join(declines))
        words = (f"campaign={campaign.name}", "outcomes=outcomes.csv", "resamples=200", "-q")
        assert run_command(readout, words, "readout") == 0
    return folder / "outputs"


@pytest.fixture(scope="session")
def earlier(made, tmp_path_factory):
    """The outputs as they were before: by other code, one run fewer, a study more, one broken.

    Every log loss of the study ``models`` was worse by the same, so that all moved beyond noise.
    """
    outputs = Path(shutil.copytree(made, tmp_path_factory.mktemp("earlier") / "outputs"))
    shutil.copytree(outputs / "trees", outputs / "older")
    missing, broken, *others = sorted((outputs / "models").glob("*/record.json"))
    shutil.rmtree(missing.parent)
    broken.write_text("{", "utf-8")
    for path in others:
        tree = json.loads(path.read_text("utf-8"))
        tree["environment"]["code_sha256"] = "0" * 64
        metric = tree["metrics"].get("log_loss", {"fold_values": []})
        for key in ("value", "low", "high"):
            metric[key] = metric.get(key, 0.0) + 0.05
        metric["fold_values"] = [one + 0.05 for one in metric["fold_values"]]
        path.write_text(json.dumps(tree), "utf-8")
    return outputs


def copy_before(outputs):
    """Copy hostile outputs as they were before: by other code, with one run fewer."""
    before = Path(shutil.copytree(outputs, outputs.with_name("before")))
    missing, *others = sorted(before.glob("*/*/record.json"))
    shutil.rmtree(missing.parent)
    for path in others:
        with contextlib.suppress(ValueError, RecursionError):
            tree = json.loads(path.read_text("utf-8"))
            tree["environment"]["code_sha256"] = "0" * 64
            path.write_text(json.dumps(tree), "utf-8")
    return before


def compared(main, branch):
    """Return what changed between two folders, as the page shows it."""
    document = compare_in_short(str(main), str(branch), SELECTION)
    return TreesComparison(str(main), str(branch), 1, document)


def compared_watch(main, branch):
    """Return a watch of two folders that has compared them once and looks no more."""
    watch = TreesWatch(str(main), str(branch), SELECTION)
    watch.comparison = compared(main, branch)
    return watch


def spoil(outputs, text=MARKUP):
    """Put a text, by default markup, wherever a tree of outputs takes one."""
    study = next(path for path in outputs.iterdir() if path.is_dir())
    runs = sorted(path for path in study.iterdir() if (path / "record.json").is_file())
    for run_, reason in zip(runs, (text, text * 40_000, "</script>" + text), strict=False):
        file = run_ / "record.json"
        tree = json.loads(file.read_text("utf-8"))
        tree |= {"state": "failed", "reason": reason, "overrides": [text], "metrics": {}}
        tree["git"]["commit"] = text
        file.write_text(json.dumps(tree), encoding="utf-8")
    (runs[3] / "record.json").write_text("[" * 100_000, encoding="utf-8")
    (runs[4] / "record.json").unlink()
    (study / "ledger.jsonl").write_text(text, encoding="utf-8")
    (study / "verdict").mkdir(exist_ok=True)
    (study / "verdict" / "verdict.json").write_text('{"schema": 4}', encoding="utf-8")
    (study / "status.json").write_text(f'"{text}"', encoding="utf-8")
    named = study.rename(outputs / text)
    (named / runs[5].name).rename(named / f"{text}-0123abcd")
    (named / runs[6].name).rename(named / os.fsdecode(b"caf\xe9-0123abce"))
    campaign = named / "campaigns" / text
    campaign.mkdir(parents=True)
    (campaign / "campaign.json").write_text("{}", encoding="utf-8")


@pytest.fixture
def hostile(copied):
    """Outputs of somebody who wants a browser to do what they say."""
    spoil(copied)
    return copied


@dataclass(frozen=True)
class Served:
    """A server that runs: its access, and what it watches."""

    access: ServerAccess
    watch: OutputsWatch

    @property
    def root(self):
        return f"http://127.0.0.1:{self.access.port}/"


@contextlib.contextmanager
def serving(folder, trees=None):
    """Serve a folder in a thread of this process; ``trees`` watches it beside another one."""
    watch = OutputsWatch(folder)
    watch.read()
    with socket.create_server(("127.0.0.1", 0)) as listener, watch:
        access = ServerAccess(listener.getsockname()[1])
        application = make_application(PageCache(watch, folder.name, "en", trees), access)
        server = make_server(application, watch.close)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield Served(access, watch)
        watch.close()
        server.should_exit = True
        thread.join(10)
