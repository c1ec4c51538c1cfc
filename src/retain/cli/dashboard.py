"""``retain-dashboard``: what lies under ``outputs``, as local pages or as static files.

Exit codes: 0 ended by Ctrl-C, or exported; 2 config or folder are invalid, the port is taken, or
memory or disk is full, 70 a bug of retain.
"""

from __future__ import annotations

import importlib.util
import socket
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from retain.cli.overrides import Arguments
from retain.cli.run import run_command
from retain.cli.terminal.output import flush_output, write_json, write_progress
from retain.errors import RetainError, type_value
from retain.storage.paths import is_inside, parse_path
from retain.wording import describe_count

if TYPE_CHECKING:
    from retain.dashboard.trees import TreesComparison
    from retain.dashboard.watch import OutputsWatch
    from retain.schema.compare import ComparisonConfig
    from retain.schema.dashboard import Dashboard

REQUIRED_PACKAGES = ("starlette", "uvicorn")
TOLD = 500
"""Runs between two words about the reading."""


def main() -> None:
    """Run the console command ``retain-dashboard``."""
    sys.exit(run_command(dashboard, sys.argv[1:], "dashboard"))


def dashboard(line: Arguments) -> int:
    """Read the outputs, and export or serve their pages."""
    from retain.dashboard.watch import OutputsWatch

    config = _config(line)
    outputs = _open_folder("outputs", config.outputs)
    if config.against is not None:
        _check_other(config.against, outputs)
    if config.export is None:
        _check_packages()
    else:
        _check_apart(config.export, outputs, config.against)
    watch = OutputsWatch(outputs)
    watch.read(_tell_reading)
    write_progress("")
    if config.export is not None:
        return _export(line, config, watch, parse_path("export", config.export))
    return _serve(line, config, watch)


def _open_folder(key: str, text: str) -> Path:
    folder = parse_path(key, text)
    if not folder.is_dir():
        found = f"{text!r} is no folder"
        raise RetainError.at(key, found, "expected the folder with the studies")
    return folder


def _check_other(text: str, outputs: Path) -> None:
    """Raise if a folder cannot be that of the studies as they were before."""
    from retain.record.study import StudyDirectory

    folder = _open_folder("against", text)
    if folder.resolve() == outputs.resolve():
        raise RetainError.at("against", f"{text!r} is the folder that is shown", "expected another")
    if next(StudyDirectory(folder).runs(), None) is not None:
        typed = type_value("against", folder.resolve().parent)
        raise RetainError.at("against", f"{text!r} is one study", f"expected its folder: {typed}")


def _check_apart(export: str, *folders: str | Path | None) -> None:
    """Raise if an export would lie in a folder that is shown, or that one in it."""
    site = parse_path("export", export)
    for folder in (Path(folder) for folder in folders if folder is not None):
        if is_inside(site, folder) or is_inside(folder, site):
            found = f"{export!r} is {str(folder)!r}, holds it or lies in it"
            raise RetainError.at("export", found, "expected a folder beside it")


def _config(line: Arguments) -> Dashboard:
    from retain.cli.compose import Composer
    from retain.schema.dashboard import Dashboard
    from retain.schema.parsing import parse

    with Composer(line, "dashboard") as composer:
        config = parse(Dashboard, composer.one())
    if config.ids == "hashed" and config.export is None:
        raise RetainError("ids=hashed is for an export; type export=FOLDER ids=hashed.")
    if line.quiet and not line.json and config.export is None:
        raise RetainError("--quiet would print no link; type --json for the link as JSON.")
    return config


def _check_packages() -> None:
    for name in REQUIRED_PACKAGES:
        if importlib.util.find_spec(name) is None:
            raise RetainError(
                f"retain-dashboard needs {name.capitalize()}, which is not installed; type: "
                "pip install 'retain[dashboard]'. An export needs neither: export=FOLDER."
            )


def _tell_reading(n_runs: int) -> None:
    if n_runs % TOLD == 0:
        write_progress(f"reading: {describe_count(n_runs, 'run')}")


def _export(line: Arguments, config: Dashboard, watch: OutputsWatch, folder: Path) -> int:
    from retain.cli.terminal.console import console, literal
    from retain.dashboard.export import export_site

    n_pages = export_site(
        watch.index,
        folder,
        _title(config),
        config.language,
        hashed_ids=config.ids == "hashed",
        trees=_compare_once(config),
    )
    written = f"{describe_count(n_pages, 'page')} written; open {folder / 'index.html'}"
    for text in (*_contents(config, watch), written):
        console().print(literal(text), soft_wrap=True, highlight=False)
    if line.json:
        write_json({"export": str(folder), "n_pages": n_pages, **_left_out(watch)})
    return 0


def _compare_once(config: Dashboard) -> TreesComparison | None:
    """Return what changed from the other folder, None if none was named."""
    from retain.dashboard.texts import shorten
    from retain.dashboard.trees import TreesComparison, compare_in_short

    if config.against is None:
        return None
    write_progress("comparing two folders")
    document = compare_in_short(config.against, config.outputs, _selection())
    write_progress("")
    return TreesComparison(shorten(config.against), shorten(config.outputs), 1, document)


def _selection() -> ComparisonConfig:
    """Return the numbers that decide, as ``retain-compare`` has them."""
    from retain.cli.compose import Composer
    from retain.schema.compare import ComparisonConfig
    from retain.schema.parsing import parse

    with Composer(Arguments(()), "compare") as composer:
        return parse(ComparisonConfig, composer.one()["selection"])


def _contents(config: Dashboard, watch: OutputsWatch) -> Iterator[str]:
    """Yield what was found in the folder, and what of it is not shown."""
    from retain.dashboard.contents import describe_contents

    first, *rest = describe_contents(watch.index)
    yield f"{config.outputs}: {first}"
    yield from rest


def _left_out(watch: OutputsWatch) -> dict[str, object]:
    from retain.dashboard.contents import broken_runs

    return {"unreadable": broken_runs(watch.index), "outside": list(watch.index.outside)}


def _serve(line: Arguments, config: Dashboard, watch: OutputsWatch) -> int:
    from retain.cli.terminal.console import console, literal
    from retain.dashboard.page_cache import PageCache
    from retain.dashboard.security import ServerAccess
    from retain.dashboard.server import make_application, serve
    from retain.dashboard.trees import TreesWatch

    trees = None
    if config.against is not None:
        trees = TreesWatch(config.against, config.outputs, _selection())
    pages = PageCache(watch, _title(config), config.language, trees)
    pages.studies()  # templates are read before anybody waits for them
    with _listen(config.port) as listener, watch, trees or nullcontext():
        access = ServerAccess(listener.getsockname()[1])
        for text in (
            *_contents(config, watch),
            f"Open {access.link}",
            "The link is for you alone. Ctrl-C ends it.",
        ):
            console().print(literal(text), soft_wrap=True, highlight=False)
        if line.json:
            n_studies = len(watch.index.studies)
            write_json({"link": access.link, "n_studies": n_studies, **_left_out(watch)})
        flush_output()
        serve(make_application(pages, access), listener, watch.close)
    return 0


def _listen(port: int) -> socket.socket:
    """Return a socket of this machine alone."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError:
        found = f"another program listens at {port}"
        raise RetainError.at("port", found, "expected one that is free: port=0 finds one") from None


def _title(config: Dashboard) -> str:
    from retain.dashboard.texts import shorten

    return shorten(Path(config.outputs).name or config.outputs)
