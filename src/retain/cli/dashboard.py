"""``retain-dashboard``: what lies under ``outputs``, as local pages or as static files.

Exit codes: 0 ended by Ctrl-C, or exported; 2 config or folder are invalid, the port is taken, or
memory or disk is full, 70 a bug of retain.
"""

from __future__ import annotations

import importlib.util
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from retain.cli.overrides import Arguments
from retain.cli.run import run_command
from retain.cli.terminal.output import flush_output, write_json, write_progress
from retain.errors import RetainError
from retain.storage.paths import parse_path
from retain.wording import describe_count

if TYPE_CHECKING:
    from retain.dashboard.watch import OutputsWatch
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
    outputs = parse_path("outputs", config.outputs)
    if not outputs.is_dir():
        found = f"{config.outputs!r} is no folder"
        raise RetainError.at("outputs", found, "expected the folder with the studies")
    if config.export is None:
        _check_packages()
    watch = OutputsWatch(outputs)
    watch.read(_tell_reading)
    write_progress("")
    if config.export is not None:
        return _export(line, config, watch, parse_path("export", config.export))
    return _serve(line, config, watch)


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
    )
    text = f"{describe_count(n_pages, 'page')} written; open {folder / 'index.html'}"
    console().print(literal(text), soft_wrap=True, highlight=False)
    if line.json:
        write_json({"export": str(folder), "n_pages": n_pages})
    return 0


def _serve(line: Arguments, config: Dashboard, watch: OutputsWatch) -> int:
    from retain.cli.terminal.console import console, literal
    from retain.dashboard.page_cache import PageCache
    from retain.dashboard.security import ServerAccess
    from retain.dashboard.server import make_application, serve

    pages = PageCache(watch, _title(config), config.language)
    pages.studies()  # templates are read before anybody waits for them
    with _listen(config.port) as listener, watch:
        access = ServerAccess(listener.getsockname()[1])
        n_runs = sum(len(study.rows) for study in watch.index.studies)
        studies = describe_count(len(watch.index.studies), "study", "studies")
        for text in (
            f"{config.outputs}: {studies}, {describe_count(n_runs, 'run')}",
            f"Open {access.link}",
            "The link is for you alone. Ctrl-C ends it.",
        ):
            console().print(literal(text), soft_wrap=True, highlight=False)
        if line.json:
            write_json({"link": access.link, "n_studies": len(watch.index.studies)})
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
