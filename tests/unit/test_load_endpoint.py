import dataclasses

import pytest

from orchestrator.load.endpoint import Endpoint, Payload, encode

ENDPOINT = Endpoint("127.0.0.1", 8000, "/slot-0")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("http://127.0.0.1:8000/slot-0", ENDPOINT, id="all parts"),
        pytest.param("http://127.0.0.1:8000/slot-0/", ENDPOINT, id="trailing slash"),
        pytest.param("http://127.0.0.1:8000", Endpoint("127.0.0.1", 8000), id="no prefix"),
        pytest.param("http://model.example/a/b", Endpoint("model.example", 80, "/a/b"), id="default port"),
        pytest.param("http://[::1]:8000/x", Endpoint("::1", 8000, "/x"), id="IPv6"),
    ],
)
def test_an_endpoint_is_parsed_from_its_url(url, expected):
    assert Endpoint.parse(url) == expected
    assert Endpoint.parse(expected.url) == expected


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        pytest.param("https://127.0.0.1:8000", "https", id="https"),
        pytest.param("127.0.0.1:8000", "looks like", id="no scheme"),
        pytest.param("ftp://127.0.0.1", "looks like", id="another scheme"),
        pytest.param("http://", "looks like", id="no host"),
        pytest.param("", "looks like", id="empty"),
        pytest.param("http://host:port", "not a URL", id="port is no number"),
        pytest.param("http://host:99999", "not a URL", id="port too large"),
        pytest.param("http://host:0", "port", id="port zero"),
        pytest.param("http://[::1", "not a URL", id="broken IPv6"),
        pytest.param("http://user@host", "no user", id="user"),
        pytest.param("http://host/?a=b", "query", id="query"),
        pytest.param("http://host/a b", "prefix", id="space in prefix"),
        pytest.param("http://ho st/", "host name", id="space in host"),
    ],
)
def test_what_is_not_an_endpoint_is_refused_with_a_reason(url, complaint):
    with pytest.raises(ValueError, match=complaint):
        Endpoint.parse(url)


def test_endpoints_and_payloads_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ENDPOINT.port = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        Payload(b"").path = "/other"


def test_a_request_is_encoded_with_everything_http_1_1_asks_for():
    payload = Payload(b"\x00\xff", "/v2/infer?x=1", headers={"Content-Type": "application/octet-stream"})
    assert encode(ENDPOINT, payload) == (
        b"POST /slot-0/v2/infer?x=1 HTTP/1.1\r\n"
        b"Host: 127.0.0.1:8000\r\n"
        b"Content-Type: application/octet-stream\r\n"
        b"Content-Length: 2\r\n"
        b"\r\n\x00\xff"
    )


def test_a_get_without_a_body_has_no_content_length():
    encoded = encode(Endpoint("::1", 80), Payload(b"", method="GET"))
    assert encoded == b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(Payload(b"", headers={"X": "a\r\nY: b"}), id="line break in a value"),
        pytest.param(Payload(b"", headers={"X\r\nY": "b"}), id="line break in a name"),
        pytest.param(Payload(b"", headers={"X": "a\x00"}), id="NUL in a value"),
        pytest.param(Payload(b"", headers={"X": "\u20ac"}), id="value beyond Latin-1"),
        pytest.param(Payload(b"", headers={"": "a"}), id="empty name"),
        pytest.param(Payload(b"", headers={"content-length": "7"}), id="own length"),
        pytest.param(Payload(b"", headers={"Transfer-Encoding": "chunked"}), id="own encoding"),
        pytest.param(Payload(b"", headers={"Connection": "close"}), id="own connection"),
        pytest.param(Payload(b"", headers={"Host": "other"}), id="own host"),
        pytest.param(Payload(b"", path="/a HTTP/1.1\r\nX: y"), id="line break in the path"),
        pytest.param(Payload(b"", path="/a b"), id="space in the path"),
        pytest.param(Payload(b"", path="relative"), id="relative path"),
        pytest.param(Payload(b"", method="PO ST"), id="method is no token"),
        pytest.param(Payload(b"", method="HEAD"), id="answers to HEAD have no body"),
    ],
)
def test_nothing_can_be_smuggled_into_a_request(payload):
    with pytest.raises(ValueError, match=r"header|path|method"):
        encode(ENDPOINT, payload)
