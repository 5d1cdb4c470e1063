"""The page's files, served from memory.

Every file of the built page is read once at start, so what is not a file of the build cannot be asked for, whatever the path says.
Addresses of screens (`/orders/1001`) that are no file answer with the page itself, which finds its way. Files whose names
carry a hash of their content may be kept for ever; the rest is asked for again each time, by ETag.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from stockwire.core.errors import MethodNotAllowed, NotFound
from stockwire.engine.access import Headers
from stockwire.engine.exchange import Receive, Scope, Send, headers_of, refuse, takes_gzip
from stockwire.transport.http import docs

HASHED: Final = "/assets/"
INDEX: Final = "/index.html"
PAGE_POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self'; require-trusted-types-for 'script'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
DOCS_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".json": "application/json",
    ".woff2": "font/woff2",
}
_PACKED: Final = ("text/", "image/svg", "application/json", "application/manifest+json")
_PACK_FROM: Final = 512

UNBUILT: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Stockwire</title>
</head>
<body>
<h1>Stockwire is running</h1>
<p>The page is not built. <code>make build</code> builds it; then start Stockwire again.</p>
<p>The API is there: <a href="/docs">/docs</a>.</p>
</body>
</html>
"""


class File(NamedTuple):
    """One file: its bytes, those bytes packed by gzip (None: not worth it), and what its answer says of it."""

    body: bytes
    packed: bytes | None
    content_type: str
    cache_control: str
    etag: str
    policy: str


def _file(path: str, body: bytes, *, policy: str = PAGE_POLICY, packed: bytes | None = None) -> File:
    suffix = Path(path).suffix
    content_type = _TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    if packed is None and content_type.startswith(_PACKED) and len(body) >= _PACK_FROM:
        packed = gzip.compress(body, 6, mtime=0)
    kept = "public, max-age=31536000, immutable" if path.startswith(HASHED) else "no-cache"
    return File(body, packed, content_type, kept, f'"{hashlib.sha256(body).hexdigest()[:20]}"', policy)


def _read(folder: Path) -> dict[str, File]:
    """Every file of the build by its path on the server. Hidden ones and the packed twins of others are no files of their own."""
    found: dict[str, File] = {}
    if not folder.is_dir():
        return found
    for each in sorted(folder.rglob("*")):
        inside = each.relative_to(folder)
        if not each.is_file() or each.suffix == ".gz" or any(part.startswith(".") for part in inside.parts):
            continue
        path = f"/{inside.as_posix()}"
        twin = each.with_name(each.name + ".gz")
        policy = DOCS_POLICY if path.startswith("/docs/") else PAGE_POLICY
        found[path] = _file(
            path, each.read_bytes(), policy=policy, packed=twin.read_bytes() if twin.is_file() else None
        )
    return found


class Page:
    """The page and the API's documentation as an ASGI application, read from the folder of the build."""

    def __init__(self, folder: Path) -> None:
        self._files = _read(folder)
        self.built = INDEX in self._files
        self._files.setdefault(INDEX, _file(INDEX, UNBUILT.encode()))
        self.build = self._files[INDEX].etag.strip('"')[:12]
        """Names this build: changes whenever the page does."""
        browser = docs.BROWSER if "/docs/swagger-ui-bundle.js" in self._files else docs.UNBUILT
        self._files["/docs"] = _file("docs.html", browser.encode(), policy=DOCS_POLICY)
        self._files["/docs/start.js"] = _file("start.js", docs.START.encode(), policy=DOCS_POLICY)
        self._files["/docs/errors"] = _file("errors.html", docs.error_page().encode(), policy=DOCS_POLICY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        if scope["method"] not in ("GET", "HEAD"):
            refusal = MethodNotAllowed()
            refusal.allow = "GET, HEAD"
            await refuse(send, refusal)
            return
        found = self.find(scope["path"], headers)
        if found is None:
            await refuse(send, NotFound())
            return
        await _answer(found, headers, send, bodiless=scope["method"] == "HEAD")

    def find(self, path: str, headers: Headers) -> File | None:
        """The file at that path, the page itself at `/`, and for addresses of its screens when a person asks."""
        found = self._files.get(path) or self._files.get(path.rstrip("/") or INDEX)
        if found is None and not path.startswith((HASHED, "/docs/")) and "text/html" in (headers.get(b"accept") or ""):
            return self._files[INDEX]
        return found

    def __iter__(self) -> Iterable[str]:
        return iter(self._files)


async def _answer(file: File, headers: Headers, send: Send, *, bodiless: bool) -> None:
    known = headers.get(b"if-none-match") or ""
    fields = [
        (b"cache-control", file.cache_control.encode()),
        (b"etag", file.etag.encode()),
        (b"vary", b"accept-encoding"),
        (b"content-security-policy", file.policy.encode()),
    ]
    if known == "*" or file.etag in (each.strip().removeprefix("W/") for each in known.split(",")):
        await send({"type": "http.response.start", "status": 304, "headers": fields})
        await send({"type": "http.response.body", "body": b""})
        return
    body = file.body
    if file.packed is not None and takes_gzip(headers):
        body = file.packed
        fields.append((b"content-encoding", b"gzip"))
    fields += [(b"content-type", file.content_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": b"" if bodiless else body})
