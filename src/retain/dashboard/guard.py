"""The application behind its door: it refuses, adds headers, and survives what goes wrong."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retain.dashboard.security import HEADERS, POLICY, ServerAccess

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Guard:
    """An ASGI application that passes on the requests which ``access`` lets in."""

    application: ASGIApp
    access: ServerAccess

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; anything but HTTP is ignored."""
        if scope["type"] != "http":
            return
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        url = f"{scope['path']}?{scope['query_string'].decode('latin-1')}"
        problem = self.access.find_problem(scope["method"], url, headers)
        if problem is not None:
            await _refuse(send, *problem)
            return
        send_more = _add_headers(send, self._headers(url))
        try:
            await self.application(scope, receive, send_more)
        except Exception:  # the application has answered; a server would print the traceback
            LOG.exception("a page could not be made: %s", scope["path"])

    def _headers(self, url: str) -> dict[str, str]:
        headers = {**HEADERS, "content-security-policy": POLICY}
        return headers | (
            {"set-cookie": self.access.set_cookie()} if self.access.typed_token(url) else {}
        )


def _add_headers(target: Send, headers: dict[str, str]) -> Send:
    """Return a channel that adds headers to an answer where it has none of their names."""
    ours = {name.encode(): value.encode() for name, value in headers.items()}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*(ours | dict(message["headers"])).items()]}
        await target(message)

    return send


async def _refuse(send: Send, status: int, sentence: str) -> None:
    headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
    headers += [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{sentence}\n".encode()})
