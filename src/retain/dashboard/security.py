"""Conditions on a request to be answered, and what an answer forbids a browser to do.

Another page in the same browser must not read the dashboard: so a request names this machine
(a foreign name that was made to lead here does not: DNS rebinding), and carries a secret, which the
printed link has and a cookie keeps.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

HOSTS = ("127.0.0.1", "localhost")
"""Names of this machine."""
METHODS = ("GET", "HEAD")
MAX_URL_BYTES = 8_000
HEADERS = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""Of every answer."""
POLICY = "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""Beside the policy that each page has in itself."""


@dataclass(frozen=True)
class ServerAccess:
    """The door of one server: its port, and the secret that lets in."""

    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    @property
    def link(self) -> str:
        """The address to open first."""
        return f"http://{HOSTS[0]}:{self.port}/?token={self.token}"

    @property
    def cookie(self) -> str:
        """The name of the cookie; cookies of a machine are those of all its ports."""
        return f"retain-{self.port}"

    def find_problem(
        self, method: str, url: str, headers: Mapping[str, str]
    ) -> tuple[int, str] | None:
        """Return why a request is refused, as status and sentence; None if it is answered.

        ``headers`` have lower-case names.
        """
        if method not in METHODS:
            return 405, "this server only shows: GET and HEAD."
        if len(url) > MAX_URL_BYTES:
            return 414, "the address is too long."
        if headers.get("host", "") not in {f"{name}:{self.port}" for name in HOSTS}:
            return 421, "this server answers to its own name alone."
        if not (self._is_secret(self.typed_token(url)) or self._is_secret(self._kept(headers))):
            return 403, "open the link that retain-dashboard printed: it holds the secret."
        return None

    def typed_token(self, url: str) -> str:
        """Return the secret in an address, empty without one."""
        return parse_qs(url.partition("?")[2]).get("token", [""])[0]

    def set_cookie(self) -> str:
        """Return the header that lets the browser keep the secret from scripts and other sites."""
        return f"{self.cookie}={self.token}; HttpOnly; SameSite=Strict; Path=/"

    def _kept(self, headers: Mapping[str, str]) -> str:
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return ""
        return cookies[self.cookie].value if self.cookie in cookies else ""

    def _is_secret(self, text: str) -> bool:
        return secrets.compare_digest(text.encode(errors="replace"), self.token.encode())
