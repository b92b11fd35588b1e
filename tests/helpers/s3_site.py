"""A local S3 service (moto's) that counts what it sends and has the faults that a test plants."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import boto3
import requests
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from rulealign.data.things import s3

BUCKET = "openneuro.org"


class Site:
    """The service, wrapped.

    Attributes:
        url: its address.
        sent: bytes of objects that were sent (after a fault took some away).
        requests: (method, path, Range header or None) of every request for an object.
        faults: what befalls the next GETs of objects, one entry each: None, a status, a status
            with headers, or a function that changes (headers, body).
        whole: ignore Range headers.
    """

    def __init__(self) -> None:
        self._app = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.Lock()
        self.url = ""
        self.clear()

    def clear(self) -> None:
        self.sent, self.requests, self.faults, self.whole = 0, [], [], False

    def __call__(self, environ, start_response):
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if method not in ("GET", "HEAD") or path.count("/") < 2:
            return self._app(environ, start_response)
        with self._lock:
            self.requests.append((method, path, environ.get("HTTP_RANGE")))
            fault = self.faults.pop(0) if self.faults and method == "GET" else None
        if isinstance(fault, int | tuple):
            status, headers = fault if isinstance(fault, tuple) else (fault, {})
            start_response(f"{status} planted", [("Content-Length", "0"), *headers.items()])
            return [b""]
        if self.whole:
            environ.pop("HTTP_RANGE", None)
        got = {}
        body = b"".join(self._app(environ, lambda *answer: got.update(answer=answer)))
        status, headers = got["answer"][0], dict(got["answer"][1])
        if fault is not None:
            headers, body = fault(headers, body)
        with self._lock:
            self.sent += len(body)
        start_response(status, list(headers.items()))
        return [body]


def cut(headers, body):
    """Send half of what was announced."""
    return headers, body[: len(body) // 2]


def shorter(headers, body):
    """Announce and send a byte less than was asked for."""
    return {**headers, "Content-Length": str(len(body) - 1)}, body[:-1]


def flipped(headers, body):
    """Send one wrong bit, and no checksum that botocore would look at."""
    headers = {name: value for name, value in headers.items() if "checksum" not in name.lower()}
    return headers, bytes([body[0] ^ 1]) + body[1:]


class _Quiet(WSGIRequestHandler):
    def log(self, *_):
        pass


@contextmanager
def s3_site():
    """Run a service with the empty public bucket `BUCKET`; yields the `Site`."""
    site = Site()
    server = make_server("127.0.0.1", 0, site, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        # all sites of one process share moto's memory
        requests.post(f"{site.url}/moto-api/reset", timeout=10).raise_for_status()
        client(site).create_bucket(Bucket=BUCKET)
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def begin_test(site: Site, monkeypatch) -> None:
    """Forget faults and counts of earlier tests, and let this one find the service and not wait."""
    site.clear()
    monkeypatch.setenv("AWS_ENDPOINT_URL", site.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(s3, "FIRST_WAIT", 0.0)


def client(site: Site):
    """Give the owner's client, which may write."""
    return boto3.client(
        "s3",
        endpoint_url=site.url,
        aws_access_key_id="owner",
        aws_secret_access_key="of the bucket",
        region_name="us-east-1",
    )


def put(site: Site, key: str, contents: bytes, public: bool = True) -> None:
    """Put one object into the bucket."""
    more = {"ACL": "public-read"} if public else {}
    client(site).put_object(Bucket=BUCKET, Key=key, Body=contents, **more)
