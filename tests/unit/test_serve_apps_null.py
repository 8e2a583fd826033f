"""The application that does nothing, called as Serve calls it."""

import asyncio
from types import SimpleNamespace

import pytest

from serve_apps.null import Null, build


def send(method, path, messages):
    """One request through the application; (status, headers, body) and how many messages were left unread."""

    async def session():
        sent, waiting = [], list(messages)

        async def receive():
            return waiting.pop(0)

        async def collect(message):
            sent.append(message)

        scope = {"type": "http", "method": method, "path": path, "headers": []}
        answer = await Null()(SimpleNamespace(scope=scope, receive=receive))
        await answer(scope, receive, collect)
        start, content = sent
        return start["status"], dict(start["headers"]), content["body"], len(waiting)

    return asyncio.run(session())


def body(*pieces):
    last = len(pieces) - 1
    return [{"type": "http.request", "body": p, "more_body": i < last} for i, p in enumerate(pieces)]


@pytest.mark.parametrize(
    ("method", "path", "messages"),
    [
        pytest.param("POST", "/v2/models/digits/infer", body(b"x" * 3000), id="inference"),
        pytest.param("POST", "/", body(b"one", b"two", b""), id="a body in pieces"),
        pytest.param("GET", "/v2/health/ready", [{"type": "http.request"}], id="health"),
        pytest.param("PUT", "/anything?at=all", [{"type": "http.disconnect"}], id="a client that has gone"),
    ],
)
def test_any_request_is_read_to_its_end_and_answered_at_once(method, path, messages):
    status, headers, content, unread = send(method, path, messages)
    assert (status, content, unread) == (200, b"{}", 0)
    assert headers[b"content-length"] == b"2"


def test_it_says_that_no_time_was_spent_and_that_nothing_was_batched():
    _, headers, _, _ = send("POST", "/", body(b""))
    timing = b"queue;dur=0.000, batch;dur=0.000, compute;dur=0.000, batch-size;desc=1"
    assert headers[b"server-timing"] == timing


def test_the_answer_is_the_same_every_time():
    assert send("POST", "/a", body(b"1")) == send("POST", "/b", body(b"2"))


def test_args_are_refused_by_name():
    with pytest.raises(ValueError, match="'model', but the null application takes none"):
        build({"model": "digits"})
