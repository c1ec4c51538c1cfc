"""Times retain-dashboard in Chromium over finished runs, with MLflow's page beside it.

    python -m venv /tmp/mlflow && /tmp/mlflow/bin/pip install 'mlflow>=3.17,<3.18'
    python experiments/benchmarks/dashboard.py --mlflow /tmp/mlflow/bin [--runs 10000] [--rounds 3]

The runs are invented (finished.py) in a temporary folder, and logged to MLflow once, which takes a
quarter of an hour at 10,000 runs; --store names a store of an earlier call. Without --mlflow the
dashboard is timed alone. A click lasts from the event to the second frame after it. The section of
README.md is rewritten when all the runs were shown, three times or more, beside MLflow.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psutil
from finished import finish
from playwright.sync_api import Browser, Page, sync_playwright
from rounds import Round
from stage import PEERS

from report import figures, machine, rewrite
from retain.record.study import StudyDirectory

RUNS, ROUNDS, CLICKS = 10_000, 3, 50
FIRST, TABLE, CLICK = "first page, s", "page of all runs, s", "median of 50 clicks, ms"
SLOWEST, COMPARE = "slowest click, ms", "comparison of three runs, s"
START, MEMORY = "from shell to link, s", "memory of the server, MiB"
TARGETS = {FIRST: "< 1", CLICK: "< 100", MEMORY: "< 477 (500 MB)"}
MLFLOW = "MLflow: {}"
MLFLOW_TABLE = MLFLOW.format("first 100 runs, s")
MLFLOW_CLICK = MLFLOW.format("median of 10 orders by a metric, ms")
ORDERS = ("metrics.`brier`&orderByAsc=true", "metrics.`roc_auc`&orderByAsc=false")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
ENTRY = "from retain.cli.dashboard import main; main()"
LINKS = "[...document.querySelectorAll('#board th a')].map((one) => one.href)"
ROWS = "document.querySelectorAll('#board tbody tr').length > 0"
TIMED = """async (act) => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const begun = performance.now();
  eval(act);
  await frame();
  await frame();
  return performance.now() - begun;
}"""
SORT = "document.querySelector(\"[data-sort='metric:{}']\").click()"
CHOOSE = (
    "tools = document.getElementById('tools'); tools.elements['{}'].value = '{}';"
    "tools.dispatchEvent(new Event('input'))"
)
PRESS = "document.getElementById('{}').click()"
ACTS = (
    *(SORT.format(name) for name in ("brier", "brier", "lift_10", "roc_auc")),
    CHOOSE.format("k.model", "knn"),
    CHOOSE.format("q", "smote"),
    CHOOSE.format("group", "sampler"),
    PRESS.format("next"),
    CHOOSE.format("k.model", ""),
    "document.querySelector('#board input[type=checkbox]')?.click()",
    CHOOSE.format("q", ""),
    CHOOSE.format("group", "model"),
)
"""What is done on the page of runs, again and again."""


def main() -> None:
    """Invent the runs, show them in rounds, and tell both."""
    args = _arguments()
    with TemporaryDirectory(prefix="retain-benchmark-") as folder, sync_playwright() as engine:
        study = StudyDirectory(Path(folder, "outputs", "invented"))
        finish(study, args.runs)
        store = args.store or Path(folder, "mlflow.db")
        if args.mlflow and not store.is_file():
            script = str(PEERS / "mlflow_runs.py")
            subprocess.run([args.mlflow / "python", script, study.path, store], check=True)  # noqa: S603
        browser = engine.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        done = [one_round(browser, study, args.mlflow, store) for _ in range(args.rounds)]
        browser.close()
    text = told(args.runs, done)
    print(f"\n{text}\n")
    if args.rounds >= ROUNDS and args.runs == RUNS and args.mlflow:
        rewrite("dashboard", text)
    else:
        print("README.md stays as it is: this was not the whole work, three times, beside MLflow.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=RUNS, help="finished runs to show, ≥ 100")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--mlflow", type=Path, help="folder with mlflow and its python")
    parser.add_argument("--store", type=Path, help="MLflow's store of the same runs")
    return parser.parse_args()


def one_round(browser: Browser, study: StudyDirectory, mlflow: Path | None, store: Path) -> Round:
    """Show the runs in both, in turn."""
    found = show_dashboard(browser, study)
    if mlflow:
        found |= show_mlflow(browser, mlflow, store)
    for name, value in found.items():
        print(f"  {name}: {value:.3g}", flush=True)
    return Round({}, found)


def show_dashboard(browser: Browser, study: StudyDirectory) -> dict[str, float]:
    """Return the times of the dashboard, and its memory after all of it."""
    begun = time.perf_counter()
    command = [sys.executable, "-c", ENTRY, str(study.path.parent)]
    with _started([*command, "--json"]) as server:
        link = _read_link(server)
        found = {START: time.perf_counter() - begun}
        with _opened(browser) as view:
            found[FIRST] = _timed(lambda: view.goto(link))
            view.goto("about:blank")
            found[TABLE] = _timed(lambda: _show_table(view, link))
            clicks = [_click(view, ACTS[at % len(ACTS)]) for at in range(CLICKS)]
            found |= {CLICK: median(clicks), SLOWEST: max(clicks)}
            paths = view.evaluate(LINKS)
            query = "&".join(path.partition("?")[2] for path in paths[:3])
            beside = f"{paths[0].partition('?')[0]}?{query}"
            found[COMPARE] = _timed(lambda: view.goto(beside))
        found[MEMORY] = _weigh(server.pid)
    return found


def _read_link(server: subprocess.Popen[str]) -> str:
    lines: list[str] = []
    while server.stdout is not None and not (lines and lines[-1] == "}\n"):
        lines.append(server.stdout.readline())
    return str(json.loads("".join(lines))["link"])


def _show_table(view: Page, link: str) -> None:
    view.goto(f"{link.partition('?')[0]}runs?study=invented")
    view.wait_for_function(ROWS)


def _click(view: Page, act: str) -> float:
    """Return the milliseconds of an action on the page, in the page's own clock."""
    return float(view.evaluate(TIMED, act))


def show_mlflow(browser: Browser, mlflow: Path, store: Path) -> dict[str, float]:
    """Return the times of MLflow's page of the same runs, and its memory."""
    port = _free_port()
    uri = f"sqlite:///{store.resolve()}"
    command = [str(mlflow / "mlflow"), "ui", "--backend-store-uri", uri, "--port", str(port)]
    begun = time.perf_counter()
    with _started(command) as server:
        _wait_for(port)
        found = {MLFLOW.format(START): time.perf_counter() - begun}
        address = f"http://127.0.0.1:{port}/#/experiments/1/runs"
        with _opened(browser) as view:
            times = [
                _timed(partial(_show_mlflow, view, f"{address}?orderByKey={order}"))
                for order in ("start_time", *ORDERS * 5)
            ]
            found[MLFLOW_TABLE], *times = times
            found[MLFLOW_CLICK] = 1000 * median(times)
        found[MLFLOW.format(MEMORY)] = _weigh(server.pid)
    return found


def _show_mlflow(view: Page, address: str) -> None:
    """Order the runs, by the address as a click does, until MLflow has answered and drawn them."""
    with view.expect_response(lambda answer: "runs/search" in answer.url):
        view.goto(address)
    view.locator("[role=row] a[href*='/runs/']").first.wait_for()
    view.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@contextmanager
def _started(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(  # noqa: S603 - commands of the benchmark
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            yield server
        finally:
            for one in psutil.Process(server.pid).children(recursive=True):
                one.terminate()
            server.terminate()


@contextmanager
def _opened(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, bypass_csp=True)
    yield context.new_page()
    context.close()


def _weigh(pid: int) -> float:
    """Return the MiB of a process and all below it, pages that n share counting 1/n in each."""
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return float(sum(one.memory_full_info().pss for one in processes) / 2**20)


def _timed(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def _wait_for(port: int) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("MLflow did not answer within two minutes.")


def told(runs: int, rounds: Sequence[Round]) -> str:
    """Return the section of the dashboard."""
    times = "One round" if len(rounds) == 1 else f"Medians of {len(rounds)} rounds"
    about = f"{runs:,} finished runs of an invented study, 10 folds and 11 metrics each"
    return f"{about}. {times}. {machine()}.\n\n{figures(rounds, TARGETS)}"


if __name__ == "__main__":
    main()
