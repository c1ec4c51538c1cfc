"""The web application: pages by address, for whoever has the secret."""

from __future__ import annotations

import socket
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, ClassVar

from retain.dashboard.guard import Guard
from retain.dashboard.index import StudyIndex
from retain.dashboard.live import tell_news
from retain.dashboard.page_cache import PageCache
from retain.dashboard.protocol import BoundedConnection
from retain.dashboard.security import POLICY, ServerAccess
from retain.errors import RetainError
from retain.report.page.page import SCRIPT, hash_script, join_script
from retain.storage.reading import MIB, read_bytes

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route
    from starlette.types import ASGIApp
    from uvicorn import Server

    View = Callable[[Request], Response]

REPORT_BYTES = 64 * MIB
"""Largest page of a verdict that is sent."""
MAX_CONNECTIONS = 64
GRACE_SECONDS = 3
"""Time that answers have to end when the server does."""


def make_application(pages: PageCache, access: ServerAccess) -> ASGIApp:
    """Return the application, which answers whom ``access`` lets in."""
    from starlette.applications import Starlette

    def not_found(request: Request, _: Exception) -> Response:
        return _page(pages, lambda _: None)(request)

    routes = [*_page_routes(pages), *_other_routes(pages)]
    application = Starlette(routes=routes, exception_handlers={404: not_found})
    application.router.redirect_slashes = False
    return Guard(application, access)


def serve(application: ASGIApp, listener: socket.socket, on_exit: Callable[[], None]) -> None:
    """Answer at a socket until the process is interrupted; then call ``on_exit`` and return.

    ``on_exit`` ends the answers that would go on for ever.
    """
    try:
        make_server(application, on_exit).run(sockets=[listener])
    except KeyboardInterrupt:
        return


def make_server(application: ASGIApp, on_exit: Callable[[], None]) -> Server:
    """Return the server of an application, with its limits."""
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Protocol(BoundedConnection, H11Protocol):
        waiting: ClassVar = {}

    class EndingServer(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            on_exit()
            super().handle_exit(sig, frame)

    config = uvicorn.Config(
        application,
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return EndingServer(config)


def _page_routes(pages: PageCache) -> list[Route]:
    from starlette.routing import Route

    made: dict[str, Callable[[QueryParams], str | None]] = {
        "/": lambda _: pages.studies(),
        "/runs": lambda query: pages.runs(query.getlist("study")),
        "/compare": lambda query: pages.compare(query.getlist("run")),
        "/history": lambda query: pages.history(query.getlist("study")),
        "/campaigns": lambda _: pages.campaigns(),
        "/trees": lambda _: pages.trees(),
    }
    return [Route(path, _page(pages, make)) for path, make in made.items()]


def _page(pages: PageCache, make: Callable[[QueryParams], str | None]) -> View:
    """Return the view of a page; it runs in a thread, as Starlette runs plain functions."""
    from starlette.responses import HTMLResponse

    def view(request: Request) -> Response:
        text = make(request.query_params)
        return HTMLResponse(
            pages.not_found() if text is None else text, 404 if text is None else 200
        )

    return view


def _other_routes(pages: PageCache) -> list[Route]:
    from starlette.responses import Response, StreamingResponse
    from starlette.routing import Route

    def report(request: Request) -> Response:
        study = pages.watch.index.study(request.query_params.get("study", ""))
        content = None if study is None else read_report(study)
        if content is None:
            return _page(pages, lambda _: None)(request)
        headers = {"content-security-policy": report_policy()}
        return Response(content, media_type="text/html", headers=headers)

    async def live(request: Request) -> Response:
        news = tell_news(pages.watch, pages.trees_watch, request.is_disconnected)
        return StreamingResponse(news, media_type="text/event-stream")

    def icon(_: Request) -> Response:
        return Response(status_code=204)

    views = {"/report": report, "/live": live, "/favicon.ico": icon}
    return [Route(path, view) for path, view in views.items()]


def read_report(study: StudyIndex) -> bytes | None:
    """Return the page of a study's verdict, None if there is none that can be read."""
    directory = study.directory
    try:
        return read_bytes(directory.report, max_bytes=REPORT_BYTES, within=directory.path)
    except RetainError:
        return None


def report_policy() -> str:
    """Return the policy of a page that anybody may have written.

    It runs no script but that of this version's own pages, and it is a page of no site: it can read
    nothing of the dashboard, and ask nobody for anything.
    """
    own = hash_script(join_script(SCRIPT))
    allowed = f"default-src 'none'; style-src 'unsafe-inline'; script-src '{own}'"
    return f"sandbox allow-scripts; {allowed}; {POLICY}"
