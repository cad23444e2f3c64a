"""WebSocket is not served: whoever asks for it is told so, in the dialect of the path."""

import pytest
import websockets
import websockets.sync.client

from gateway import KEY, assert_error, chat_body

HANDSHAKE = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
             "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
PATHS = ["/v1/realtime?model=echo", "/v1/chat/completions", "/v1/models", "/healthz", "/nowhere",
         "/providers/fake/realtime"]


@pytest.mark.parametrize("path", PATHS)
def test_a_clear_501_and_the_connection_lives(gw, mark, path):
    with gw.raw() as raw:
        raw.send(gw.request_bytes(b"", path=path, method="GET", headers=HANDSHAKE))
        error = assert_error(raw.answer(), 501, "websocket_not_served")
        assert "HTTP" in error["message"]
        raw.send(gw.request_bytes(chat_body("echo", mark)))
        assert mark in raw.answer().body.decode()


@pytest.mark.parametrize("path, form", [
    ("/v1/messages", lambda body: body["type"] == "error" and body["error"]["type"]),
    ("/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent",
     lambda body: body["error"]["code"] == 501 and body["error"]["status"] == "UNIMPLEMENTED"),
])
def test_in_the_callers_dialect(gw, path, form):
    with gw.raw() as raw:
        raw.send(gw.request_bytes(b"", path=path, method="GET", headers=HANDSHAKE))
        answer = raw.answer()
    assert answer.status == 501
    assert form(answer.json()), answer.body


def test_it_is_logged(gw):
    with gw.raw() as raw:
        raw.send(gw.request_bytes(b"", path="/v1/realtime", method="GET",
                                  headers={**HANDSHAKE, "X-Request-Id": "ws-logged"}))
        raw.answer()
    assert gw.log_of("ws-logged")["status"] == 501


def test_frames_that_were_sent_at_once_are_no_request(gw, fake):
    """Who does not wait for the answer has its frames read as what they are: no HTTP."""
    before = len(fake.records())
    with gw.raw() as raw:
        raw.send(gw.request_bytes(b"", path="/v1/realtime", method="GET", headers=HANDSHAKE)
                 + b"\x81\x85\x00\x00\x00\x00hello\r\n\r\n")
        assert raw.answer().status == 501
        assert raw.answer().status == 400
        assert raw.closed_within(10)
    assert len(fake.records()) == before


def test_another_upgrade_is_left_out(gw, mark):
    """A server need not change the protocol (RFC 9110, section 7.8): the request is served as it is."""
    with gw.raw() as raw:
        raw.send(gw.request_bytes(chat_body("echo", mark), headers={
            "Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings", "HTTP2-Settings": "AAMAAABkAAQ"}))
        assert raw.answer().status == 200


def test_a_websocket_client(gw):
    with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
        websockets.sync.client.connect(f"ws://{gw.listen}/v1/realtime?model=echo", proxy=None,
                                       additional_headers={"Authorization": f"Bearer {KEY}"})
    response = refused.value.response
    assert response.status_code == 501
    assert b"websocket_not_served" in response.body
