"""The pages in Chromium: every one and every link, to everybody, without a network."""

import contextlib
import json
import re
import shutil
from contextlib import ExitStack
from urllib.parse import urlsplit

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from retain.dashboard.export import export_site
from retain.dashboard.index import OutputsReader
from retain.dashboard.trees import TreesWatch
from retain.learning.metrics import corrected_interval

from .conftest import SELECTION, compared, compared_watch, copy_before, serving

LANGUAGES = {"English": "en", "Русский": "ru"}
PHONE, DESK = 390, 1280


@pytest.fixture(scope="module")
def rows(made):
    return OutputsReader(made).read().study("models").rows


@pytest.fixture(scope="module")
def paths(rows):
    """The addresses of all pages, below the root."""
    beside = "&".join(f"run=models/{row.id}" for row in rows[:4])
    return {
        "studies": "",
        "all runs": "runs",
        "runs": "runs?study=models",
        "groups": "runs?study=models#group=model",
        "compare": f"compare?{beside}",
        "one run": f"compare?run=models/{rows[0].id}",
        "history": "history?study=models",
        "campaigns": "campaigns",
        "trees": "trees",
        "nothing": "nothing",
    }


@pytest.fixture
def opened(browser):
    """Opens addresses of a server: ``opened(served, width=…, dark=…)``, a page that is let in.

    When the test ends, nothing may have gone wrong in the console, nor asked another server.
    """
    wrong = []
    with contextlib.ExitStack() as stack:

        def show(served, *, width=DESK, dark=False):
            scheme = "dark" if dark else "light"
            size = {"width": width, "height": 900}
            context = browser.new_context(viewport=size, color_scheme=scheme)
            stack.callback(context.close)
            view = context.new_page()
            own = urlsplit(served.root).netloc
            view.on("pageerror", lambda error: wrong.append(str(error)))
            view.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
            view.on(
                "request",
                lambda r: None if urlsplit(r.url).netloc == own else wrong.append(r.url),
            )
            view.goto(served.access.link)
            return view

        yield show
    missing = "Failed to load resource: the server responded with a status of 404"
    assert [text for text in wrong if not text.startswith(missing)] == []


@pytest.fixture(scope="module")
def served(made, earlier):
    with serving(made, compared_watch(earlier, made)) as one:
        yield one


def violations(view):
    found = Axe().run(view).response["violations"]
    return {one["id"]: [node["html"] for node in one["nodes"]] for one in found}


def overflow(view):
    """Pixels by which a page is wider than its window."""
    root = "document.documentElement"
    return view.evaluate(f"{root}.scrollWidth - {root}.clientWidth")


@pytest.mark.parametrize(("width", "dark"), [(DESK, False), (PHONE, True)], ids=["desk", "phone"])
@pytest.mark.parametrize(
    "name",
    [
        *("studies", "all runs", "groups", "compare", "one run", "history", "campaigns", "trees"),
        "nothing",
    ],
)
def test_axe_finds_nothing_in_either_language(opened, served, paths, name, width, dark):
    view = opened(served, width=width, dark=dark)
    view.goto(served.root + paths[name])
    for language, code in LANGUAGES.items():
        view.get_by_role("button", name=language).click()
        assert view.evaluate("document.documentElement.lang") == code
        assert overflow(view) <= 0
        assert violations(view) == {}
    view.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert violations(view) == {}


def test_every_link_of_every_page_leads_somewhere(opened, served, paths):
    view = opened(served)
    seen, left = set(), [served.root + path for path in paths.values() if path != "nothing"]
    while left:
        address = left.pop()
        seen.add(address)
        answer = view.goto(address)
        assert answer is None or answer.status == 200, address
        if "/report?" in address:
            continue
        links = view.evaluate("[...document.querySelectorAll('a[href]')].map((one) => one.href)")
        for link in links:
            target = link.partition("#")[2]
            plain = link.partition("#")[0]
            here = plain == view.url.partition("#")[0]
            if here and target and "=" not in target:
                assert view.locator(f"#{target}").count() == 1
            if plain not in seen and plain not in left:
                left.append(plain)
    assert len(seen) > 15


def test_the_secret_leaves_the_address_and_the_language_is_kept(opened, served):
    view = opened(served)
    assert "token" not in view.url
    view.get_by_role("button", name="Русский").click()
    view.get_by_role("link", name="Запуски").click()
    assert view.evaluate("document.documentElement.lang") == "ru"
    assert view.locator("h1").inner_text() == "Запуски"


def shown_ids(view):
    return view.locator("#board tbody th code").all_inner_texts()


def test_a_filter_a_search_and_an_order_are_held_by_the_address(opened, served, rows, paths):
    view = opened(served)
    view.goto(served.root + paths["runs"])
    assert len(shown_ids(view)) == len(rows)
    view.locator("select[name='k.model']").select_option("tree")
    trees = {row.id for row in rows if row.config["model"]["name"] == "tree"}
    assert set(shown_ids(view)) == trees
    view.get_by_role("searchbox").fill("sampler=none seed=1")
    view.locator("[data-sort='metric:brier']").click()
    found = shown_ids(view)
    assert set(found) < trees
    view.goto("about:blank")
    view.go_back()
    assert shown_ids(view) == found
    other = opened(served)
    other.goto(view.url)
    assert shown_ids(other) == found
    other.get_by_role("button", name="Show all").click()
    other.locator("#board tbody tr").nth(len(rows) - 1).wait_for()


@pytest.mark.parametrize("metric", ["roc_auc", "brier", "log_loss", "lift_10"])
def test_each_column_sorts_both_ways(opened, served, rows, paths, metric):
    view = opened(served)
    view.goto(served.root + paths["runs"])
    values = {row.id: round(row.estimate(metric)[0], 6) for row in rows}
    falls = rows[0].metrics[metric]
    button = view.locator(f"[data-sort='metric:{metric}']")
    for falling in (falls, not falls):
        button.click()
        found = [values[id_] for id_ in shown_ids(view)]
        assert found == sorted(values.values(), reverse=falling)
        head = view.locator("th[aria-sort]").filter(has=button)
        expected = "descending" if falling else "ascending"
        assert head.get_attribute("aria-sort") == expected


def test_the_tied_are_marked_and_can_be_shown_alone(opened, served, made, paths):
    study = OutputsReader(made).read().study("models")
    view = opened(served)
    view.goto(served.root)
    view.locator("a[href$='#tied=1']").first.click()
    assert set(shown_ids(view)) == set(study.tags)
    assert view.locator("#board tr.tied").count() == len(study.tags)
    assert view.locator("#board .tag.winner").count() == 1


# The script computes means and intervals of groups: they are those of the house.
@pytest.mark.parametrize("metric", ["roc_auc", "brier", "lift_10"])
@pytest.mark.parametrize("key", ["model", "seed"])
def test_a_group_has_the_mean_and_the_interval_of_the_house(
    opened, served, rows, key, metric, paths
):
    view = opened(served)
    view.goto(f"{served.root}runs?study=models#group={key}&metric={metric}")
    groups = {}
    for row in rows:
        value = row.config["model"]["name"] if key == "model" else str(row.config["seed"])
        groups.setdefault(value, []).append(row)
    cells = view.evaluate(
        "[...document.querySelectorAll('#groups tbody tr')].map((row) => [row.cells[0].innerText,"
        " [...row.querySelectorAll('data')].map((one) => Number(one.value))])"
    )
    assert {level for level, _ in cells} == set(groups)
    for level, (n_runs, n_whole, mean, low, high, spread) in cells:
        own = groups[level]
        means = [row.estimate(metric)[0] for row in own]
        folds = np.mean([row.fold_values(metric) for row in own], axis=0)
        bounds = (0, np.inf) if metric == "lift_10" else (0, 1)
        expected = corrected_interval(folds, own[0].test_to_train, bounds)
        assert (n_runs, n_whole) == (len(own), len(own))
        assert mean == pytest.approx(np.mean(means), abs=1e-6)
        assert (low, high) == pytest.approx(expected, abs=2e-6)
        assert spread == pytest.approx(np.std(means, ddof=1), abs=2e-6)


def test_a_group_leads_to_its_runs(opened, served, rows, paths):
    view = opened(served)
    view.goto(served.root + paths["groups"])
    view.locator("#groups button").filter(has_text="dummy").click()
    assert set(shown_ids(view)) == {r.id for r in rows if r.config["model"]["name"] == "dummy"}


def test_pinned_runs_are_compared_by_the_keyboard_alone(opened, served, paths):
    view = opened(served)
    view.goto(served.root + paths["runs"])
    boxes = view.locator("#board input[type=checkbox]")
    for at in (0, 1):
        boxes.nth(at).focus()
        view.keyboard.press("Space")
    ids = shown_ids(view)[:2]
    link = view.get_by_role("link", name="Compare 2 runs")
    link.focus()
    view.keyboard.press("Enter")
    view.wait_for_url("**/compare?*")
    assert re.findall("run=models%2F([0-9a-f]+)", view.url) == ids
    assert view.locator("h1").inner_text() == "Runs beside each other"
    view.go_back()
    view.get_by_role("button", name=f"Unpin {ids[0]}").press("Enter")
    assert view.get_by_role("link", name="Compare").count() == 0


def test_everything_can_be_reached_with_tab(opened, served, paths):
    view = opened(served)
    for name in ("studies", "groups", "compare", "trees"):
        view.goto(served.root + paths[name])
        wanted = "a[href], button:not(:disabled), select, input, summary"
        reach = f"[...document.querySelectorAll('{wanted}')].filter((e) => e.checkVisibility())"
        count = view.evaluate(f"{reach}.length")
        view.evaluate("document.body.focus()")
        reached = set()
        for _ in range(count + 80):
            view.keyboard.press("Tab")
            reached.add(view.evaluate(f"{reach}.indexOf(document.activeElement)"))
        assert set(range(count)) <= reached, name


def test_progress_is_told_while_a_sweep_runs(opened, made):
    file = made / "trees" / "status.json"
    before = file.read_text("utf-8")
    running = {**json.loads(before), "state": "running", "n_runs": 9, "n_left": 6}
    with serving(made) as served:
        view = opened(served)
        cell = view.locator("[data-progress='trees']")
        assert cell.inner_text() == "finished"
        told = {"updated_at": "2999-01-01T00:00:00+00:00", "eta_seconds": 150.0}
        file.write_text(json.dumps({**running, **told}), "utf-8")
        try:
            view.locator("[data-progress='trees'] progress").wait_for()
            assert "running" in cell.inner_text()
            assert "3 of 9 · about 3 minutes left" in cell.inner_text()
            view.get_by_role("button", name="Show them").click()
            view.wait_for_load_state()
            assert "3 of 9" in cell.inner_text()
        finally:
            file.write_text(before, "utf-8")


# The comparison is made while the page is open, and again when a tree changes.
def test_the_page_of_two_trees_says_when_there_is_news(opened, copied, invented):
    watch = TreesWatch(str(invented), str(copied), SELECTION)
    with serving(copied, watch) as served, ExitStack() as watching:
        view = opened(served, width=PHONE)
        view.get_by_role("link", name="Two trees").click()
        view.wait_for_url("**/trees**")
        watching.enter_context(watch)
        view.get_by_role("button", name="Show them").click(timeout=120_000)
        view.get_by_role("heading", name="What changed").wait_for()
        assert view.get_by_role("heading", name="Runs that are gone").count() == 0
        run = next(path for path in sorted((copied / "invented").iterdir()) if path.is_dir())
        shutil.rmtree(run)
        view.get_by_role("button", name="Show them").click(timeout=120_000)
        view.get_by_role("heading", name="Runs that are gone").wait_for()
        assert overflow(view) <= 0
        assert violations(view) == {}


def test_without_another_folder_the_page_of_two_trees_says_what_to_type(opened, made):
    with serving(made) as served:
        view = opened(served)
        view.get_by_role("link", name="Two trees").click()
        assert "retain-dashboard FOLDER against=OTHER" in view.inner_text("#content")
        assert violations(view) == {}


def test_markup_of_a_hostile_tree_is_never_run(opened, hostile):
    with serving(hostile, compared_watch(copy_before(hostile), hostile)) as served:
        view = opened(served, width=PHONE)
        view.on("dialog", lambda _: pytest.fail("a script of the tree was run"))
        for path in ("", "runs", "campaigns", "trees"):
            view.goto(served.root + path)
            assert view.locator("img").count() == 0
        view.goto(f"{served.root}runs#q=onerror&group=commit&sort=-nothing&pin=a/b&page=99")
        assert view.locator("#board tbody tr").count() > 0
        assert view.locator("img").count() == 0
        assert overflow(view) <= 0


def test_the_export_works_from_disk(browser, made, earlier, tmp_path):
    index, trees = OutputsReader(made).read(), compared(earlier, made)
    export_site(index, tmp_path / "site", "outputs", "ru", hashed_ids=True, trees=trees)
    context = browser.new_context(offline=True)
    view, wrong = context.new_page(), []
    view.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    view.on("pageerror", lambda error: wrong.append(str(error)))
    view.goto((tmp_path / "site" / "index.html").as_uri())
    view.locator("th a", has_text="models").click()
    view.locator("select[name=group]").select_option("model")
    assert view.locator("#groups tbody tr").count() == 3
    for at in (0, 1):
        view.locator("#board input[type=checkbox]").nth(at).check()
    view.get_by_role("link", name="Сравнить 2 запуска").click()
    assert view.locator("h1").inner_text() == "Сравнение запусков"
    assert violations(view) == {}
    view.get_by_role("link", name="Два дерева").click()
    assert view.locator(".conclusion").count() == 2
    assert violations(view) == {}
    context.close()
    assert wrong == []


# A mean over fewer folds is no part of a group, and folds of another split have no common mean.
def test_a_group_leaves_out_stopped_runs_and_has_no_interval_over_other_folds(opened, copied):
    rows = OutputsReader(copied).read().studies[0].rows
    by_model = {row.config["model"]["name"]: row for row in rows}

    stopped, other = by_model["logreg"], by_model["knn"]
    tree = json.loads(stopped.directory.record.read_text("utf-8"))
    for metric in tree["metrics"].values():
        metric["fold_values"] = metric["fold_values"][:4]
        moved = np.mean(metric["fold_values"]) - metric["value"]
        metric |= {key: metric[key] + moved for key in ("value", "low", "high")}
    stopped.directory.record.write_text(json.dumps({**tree, "stopped_early": True}), "utf-8")
    tree = json.loads(other.directory.record.read_text("utf-8"))
    tree["split"]["fingerprint"] = "e" * 64
    other.directory.record.write_text(json.dumps(tree), "utf-8")
    with serving(copied) as served:
        view = opened(served)
        view.goto(f"{served.root}runs#group=model")
        groups = {
            row.locator("th").inner_text(): row for row in view.locator("#groups tbody tr").all()
        }
        counts = {name: row.locator("td").all_inner_texts()[:2] for name, row in groups.items()}
        assert counts == {"logreg": ["16", "15"], "tree": ["16", "16"], "knn": ["16", "16"]}
        spans = {name: row.locator(".range").count() for name, row in groups.items()}
        assert spans == {"logreg": 1, "tree": 1, "knn": 0}
        assert shown_ids(view)[-1] == stopped.id
        assert "stopped early" in view.locator("#board tbody tr").last.inner_text()
