"""Plain HTTP requests for the tests: no proxy, always a deadline, and an error status is an answer."""

import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass


@dataclass
class Answer:
    status: int
    headers: dict  # names in lower case
    body: bytes

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.body)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def request(method, url, body=None, headers=None, deadline=10.0, ca_file=None):
    """One request; `body` may be bytes, a text, or anything JSON can write. Raises OSError when there is no answer."""
    headers = dict(headers or {})
    if body is not None and not isinstance(body, (bytes, str)):
        body = json.dumps(body)
        headers.setdefault("Content-Type", "application/json")
    if isinstance(body, str):
        body = body.encode()
    context = ssl.create_default_context(cafile=ca_file) if url.startswith("https:") else None
    handlers = [urllib.request.ProxyHandler({}), _NoRedirect()]
    if context:
        handlers.append(urllib.request.HTTPSHandler(context=context))
    opener = urllib.request.build_opener(*handlers)
    asked = urllib.request.Request(url, data=body, headers=headers, method=method)
    try:
        with opener.open(asked, timeout=deadline) as answer:
            return Answer(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read())


def get(url, **options):
    return request("GET", url, **options)


def post(url, body=b"", **options):
    return request("POST", url, body, **options)
