"""A local HTTP server of one file, with versions, ranges, and the faults that a test plants."""

from __future__ import annotations

import hashlib
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Site:
    """What the server does.

    Attributes:
        content: the file.
        version: its ETag with quotes, or None to send none.
        says_size: announce the length; else the transfer is chunked.
        cut_after: bytes after which the connection is closed, once per entry.
        busy: (status, headers) to answer before the file, once per entry.
        stall_after: bytes after which nothing more is sent until `released`.
        requests: (Range, If-Range) of every request.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.version: str | None = f'"{hashlib.md5(content).hexdigest()}"'
        self.says_size = True
        self.cut_after: list[int] = []
        self.busy: list[tuple[int, dict[str, str]]] = []
        self.stall_after: int | None = None
        self.released = threading.Event()
        self.requests: list[tuple[str | None, str | None]] = []

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        asked, condition = handler.headers["Range"], handler.headers["If-Range"]
        self.requests.append((asked, condition))
        if self.busy:
            status, headers = self.busy.pop(0)
            handler.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                handler.send_header(name, value)
            handler.end_headers()
            return
        begin = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        if condition not in (None, self.version):
            begin = 0
        self._headers(handler, begin)
        self._body(handler, self.content[begin:])

    def _headers(self, handler, begin):
        total = len(self.content)
        handler.send_response(206 if begin else 200)
        if begin:
            handler.send_header("Content-Range", f"bytes {begin}-{total - 1}/{total}")
        if self.says_size:
            handler.send_header("Content-Length", str(total - begin))
        if self.version:
            handler.send_header("ETag", self.version)
        handler.end_headers()

    def _body(self, handler, body):
        handler.close_connection = True
        if self.cut_after:
            body = body[: self.cut_after.pop(0)]
        if self.stall_after is not None:
            handler.wfile.write(body[: self.stall_after])
            handler.wfile.flush()
            self.released.wait(30)
            return
        handler.wfile.write(body)


@contextmanager
def answering(answer):
    """Serve on this machine; `answer` gets the handler of every GET. Yields the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            answer(self)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{httpd.server_address[1]}"
        finally:
            httpd.shutdown()
            thread.join()


@contextmanager
def http_site(content: bytes):
    """Serve; yields the `Site`, with its `url`."""
    site = Site(content)
    with answering(site.answer) as address:
        site.url = f"{address}/data.zip"
        try:
            yield site
        finally:
            site.released.set()


def wait_until(condition, seconds: float = 30.0) -> None:
    """Wait until something holds; fail when it takes too long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.01)
