"""Connections of the server: none is held by whoever asks nothing."""

from __future__ import annotations

from asyncio import TimerHandle, Transport
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol
else:
    H11Protocol = object  # uvicorn is an extra: the server puts its class behind this one

REQUEST_SECONDS = 10
"""Time that a connection has to send a whole request, from its beginning or the last answer."""
MAX_WAITING = 32
"""Connections that may be without a whole request; one more ends the one that waits longest."""


class BoundedConnection(H11Protocol):
    """HTTP over a connection that is ended unless it asks, and gives way to others meanwhile."""

    waiting: ClassVar[dict[BoundedConnection, TimerHandle]] = {}
    """Connections without a whole request, the one that waits longest first."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Wait for a request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait no longer once a request is whole."""
        super().data_received(data)
        if self._is_answering():
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """Wait for the next request, unless it is there."""
        super().on_response_complete()
        if not self._is_answering():
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        self._stop_waiting()
        self.waiting[self] = self.loop.call_later(REQUEST_SECONDS, self.end)
        if len(self.waiting) > MAX_WAITING:
            next(iter(self.waiting)).end()

    def _stop_waiting(self) -> None:
        if timer := self.waiting.pop(self, None):
            timer.cancel()

    def end(self) -> None:
        """End the connection, which has asked nothing."""
        self._stop_waiting()
        self.transport.abort()
