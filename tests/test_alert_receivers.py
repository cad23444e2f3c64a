"""Who is told of alerts: webhooks, Slack's form, a real SMTP server with TLS; grouping, silences, receivers that are down."""

import contextlib
import email
import email.policy
import hashlib
import hmac
import json
import socket
import ssl
import time

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from alert_world import (SECRET, SLOW_TOKEN_MS, Hook, Load, alerts, certificate, fires, hook, north,  # noqa: F401
                         serving, settings, south, usual)
from gateway import wait_until

pytestmark = pytest.mark.timeout(150)


def test_a_webhook_is_signed_and_told_of_the_end(make_gateway, north, hook):
    gateway = make_gateway(settings(north, receivers={"ops": {"kind": "webhook", "url": hook.url, "secret": SECRET}}))
    with Load(gateway, "north"):
        usual(gateway)
        north.settings["token_ms"] = SLOW_TOKEN_MS
        alert = fires(gateway, "slow")

        def told() -> list[dict]:
            return [m for m in hook.messages() if alert["id"] in [a["id"] for a in m["alerts"]]]

        wait_until(told, "a message", 30)
        north.settings["token_ms"] = 3
        wait_until(lambda: len(told()) == 2, "all clear", 30)
    for headers, body in hook.got:
        headers = {name.lower(): value for name, value in headers.items()}
        parts = dict(part.split("=", 1) for part in headers["x-causeway-signature"].split(","))
        expected = hmac.new(SECRET.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(parts["v1"], expected)
        assert abs(time.time() - int(parts["t"])) < 60
        assert headers["x-causeway-delivery"] == json.loads(body)["id"]
    began, ended = told()
    assert began["status"] == "firing" and ended["status"] == "ended"
    assert began["alerts"][0]["id"] == ended["alerts"][0]["id"] and ended["alerts"][0]["ended"]
    assert SECRET not in gateway.said()


def test_alerts_that_begin_together_are_one_message(make_gateway, north, south, hook):
    gateway = make_gateway(settings(north, south, group_wait="4s", receivers={"ops": {"kind": "webhook", "url": hook.url}}))
    with Load(gateway, "north", threads=4), Load(gateway, "south", threads=4):
        usual(gateway)
        north.settings["token_ms"] = south.settings["token_ms"] = SLOW_TOKEN_MS
        message = wait_until(lambda: next((m for m in hook.messages() if len(m["alerts"]) == 2), None), "a message", 30)
    assert {a["group"] for a in message["alerts"]} == {"provider north", "provider south"}, message
    assert message["title"].startswith("[page] 2 alerts: ")


def test_silences_hold_and_survive_a_restart(make_gateway, north, hook):
    rules = [{"name": "errors", "when": "errors", "above": "10%", "requests": 3, "for": "0s", "clear": "300ms"}]
    gateway = make_gateway(settings(north, rules=rules, receivers={"ops": {"kind": "webhook", "url": hook.url}}))
    made = gateway.cli("alerts", "silence", "err*", "--for", "1h", "--note", "planned work")
    assert made.returncode == 0, made.stderr
    north.settings["status"] = 500
    gateway.stop()
    gateway.start()
    for _ in range(10):
        gateway.chat("north")
    alert = fires(gateway, "errors")
    assert alert["silenced_until"]
    silence, = alerts(gateway)["silences"]
    assert silence["rule"] == "err*" and silence["note"] == "planned work" and silence["by"]
    time.sleep(1.5)
    assert not hook.got
    shown = gateway.cli("alerts")
    assert "silenced until" in shown.stdout and silence["id"] in shown.stdout and "planned work" in shown.stdout
    ended = gateway.cli("alerts", "unsilence", silence["id"])
    assert ended.returncode == 0, ended.stderr
    for _ in range(5):
        gateway.chat("north")
    wait_until(lambda: hook.got, "what still fires is told", 10)
    # Silenced again: whoever was told that it began is told that it is over.
    assert gateway.cli("alerts", "silence", "errors", "--for", "1h").returncode == 0
    north.settings["status"] = 200
    told = len(hook.got)

    def over():
        gateway.chat("north")
        return len(hook.got) > told and hook.got[-1]

    message = wait_until(over, "the end is told", 30, every=0.2)
    assert "ended" in str(message)
    assert gateway.admin_call("DELETE", f"/api/alerts/silences/{silence['id']}").status_code == 404


@pytest.mark.parametrize("body, status", [
    ({"rule": "x"}, 400), ({"for": "2h"}, 400), ({"rule": "x", "alert": "al_1", "for": "2h"}, 400),
    ({"rule": "x", "for": "2 hours"}, 400), ({"rule": "x", "for": "1000d"}, 400), ({"rule": ["x"], "for": "2h"}, 400),
    ({"rule": "x", "for": "2h", "until": "y"}, 400), ({"alert": "al_none", "for": "2h"}, 404), ([], 400),
    ({"rule": "no_such_rule", "for": "2h"}, 404),
    ({"rule": "x" * 501, "for": "2h"}, 400)])
def test_silences_that_cannot_be(gw, body, status):
    assert gw.admin_call("POST", "/api/alerts/silences", body).status_code == status


def test_readers_may_look_and_not_silence(make_gateway, north):
    reader = "admin-read-0123456789abcdefghijklmnopqrs"
    value = settings(north)
    value["keys"].append({"name": "reader", "secret": reader, "kind": "admin_read_only"})
    gateway = make_gateway(value)
    assert gateway.admin_call("GET", "/api/alerts", key=reader).status_code == 200
    for path, body in (("/api/alerts/silences", {"rule": "slow", "for": "1h"}), ("/api/alerts/test", {"receiver": "x"})):
        assert gateway.admin_call("POST", path, body, key=reader).status_code == 403
        assert gateway.admin_call("POST", path, body, key=None).status_code == 401


def test_slack_gets_text_and_no_markup(make_gateway, north, hook):
    north.settings["model"] = "first"
    rules = [{"name": "changed", "when": "model_change"}]
    gateway = make_gateway(settings(north, rules=rules, baseline="3s", receivers={"chat": {"kind": "slack", "url": hook.url}}))
    assert gateway.chat("north").status_code == 200
    time.sleep(6)  # what is usual has been learnt
    north.settings["model"] = "<!channel>&"  # what a provider says of itself
    assert gateway.chat("north").status_code == 200
    wait_until(lambda: hook.got, "a message", 10)
    message, = hook.messages()
    assert set(message) == {"text", "mrkdwn", "unfurl_links", "unfurl_media"} and message["mrkdwn"] is False
    assert "<" not in message["text"] and "&lt;!channel&gt;&amp;" in message["text"], message


class Mailbox:
    def __init__(self):
        self.envelopes, self.refuse, self.logins = [], 0, []

    async def handle_DATA(self, server, session, envelope):
        if self.refuse > 0:
            self.refuse -= 1
            return "451 try again later"
        self.envelopes.append((session.ssl is not None, envelope))
        return "250 OK"

    def login(self, server, session, envelope, mechanism, data):
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"mail-password")


@contextlib.contextmanager
def mail_server(certificate, implicit):
    box = Mailbox()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    options = {"ssl_context": context} if implicit else {"tls_context": context, "require_starttls": True}
    controller = Controller(box, hostname="127.0.0.1", port=0, authenticator=box.login, auth_required=True,
                            auth_require_tls=not implicit, **options)
    with port_of_its_own(controller):
        yield box, controller.port


@contextlib.contextmanager
def port_of_its_own(controller):
    """The controller connects to the port that it was given: one that was free a moment ago."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        controller.port = free.getsockname()[1]
    controller.start()
    try:
        yield
    finally:
        controller.stop()


def mail_receiver(port, certificate, implicit, **more):
    return {"kind": "email", "server": f"{'smtps' if implicit else 'smtp'}://127.0.0.1:{port}", "user": "gateway",
            "password": "mail-password", "from": "gateway@example.org", "to": ["ops@example.org", "night@example.org"],
            "ca_file": str(certificate[0]), **more}


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "tls"])
def test_mail_over_tls_with_hostile_names(make_gateway, north, certificate, implicit):
    rules = [{"name": "changed", "when": "model_change"}]
    north.settings["model"] = "first"
    with mail_server(certificate, implicit) as (box, port):
        gateway = make_gateway(settings(north, rules=rules, baseline="3s", receivers={"mail": mail_receiver(port, certificate, implicit)}))
        assert gateway.chat("north").status_code == 200
        time.sleep(6)
        north.settings["model"] = "x Bcc: all@evil.example <b>é\u202e"
        assert gateway.chat("north").status_code == 200
        wait_until(lambda: box.envelopes, "a mail", 15)
    (secure, envelope), = box.envelopes
    assert secure or implicit
    assert box.logins[-1] == (b"gateway", b"mail-password")
    assert envelope.mail_from == "gateway@example.org" and envelope.rcpt_tos == ["ops@example.org", "night@example.org"]
    mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert not mail.defects and set(mail.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
        "Content-Transfer-Encoding"} | ({"X-Peer", "X-MailFrom", "X-RcptTo"} & set(mail.keys()))
    assert "answers with another model id" in mail["Subject"]
    text = mail.get_content()
    assert "FIRING [ticket] changed" in text and "Bcc: all@evil.example" in text and "\u202e" not in text
    assert "mail-password" not in gateway.said()


def test_mail_is_not_sent_to_a_server_without_tls_or_with_a_wrong_certificate(make_gateway, north, certificate, tmp_path):
    box = Mailbox()
    plain_server = Controller(box, hostname="127.0.0.1", port=0)
    with port_of_its_own(plain_server), mail_server(certificate, False) as (secure_box, secure_port):
        receivers = {"plain": mail_receiver(plain_server.port, certificate, False),
                     "unknown": {**mail_receiver(secure_port, certificate, False), "ca_file": "/etc/ssl/certs/ca-certificates.crt"}}
        gateway = make_gateway(settings(north, receivers=receivers))
        for name in receivers:
            assert gateway.admin_call("POST", "/api/alerts/test", {"receiver": name}).status_code == 202
        wait_until(lambda: all(r["given_up"] == 1 for r in alerts(gateway)["receivers"]), "both are given up", 15)
    assert not box.envelopes and not secure_box.envelopes and not secure_box.logins
    assert "given up" in gateway.stderr()


def test_mail_that_is_refused_for_now_is_tried_again(make_gateway, north, certificate):
    with mail_server(certificate, False) as (box, port):
        box.refuse = 2
        gateway = make_gateway(settings(north, receivers={"mail": mail_receiver(port, certificate, False)}))
        assert gateway.admin_call("POST", "/api/alerts/test", {"receiver": "mail"}).status_code == 202
        wait_until(lambda: box.envelopes, "a mail", 15)
        # It is counted when the server's answer has been read.
        wait_until(lambda: alerts(gateway)["receivers"][0]["sent"] == 1)
    assert len(box.envelopes) == 1
    counts, = alerts(gateway)["receivers"]
    assert counts["sent"] == 1 and counts["failed"] == 2


def test_a_receiver_that_is_down_holds_up_nobody(make_gateway, north, hook):
    """One answers late, one with 503, one not at all: requests and the others go on; what fails is tried again."""
    hook.status = 503
    with serving(Hook()) as slow, serving(Hook()) as well:
        slow.delay = 5
        with contextlib.closing(socket.socket()) as closed:
            closed.bind(("127.0.0.1", 0))
            receivers = {"failing": {"kind": "webhook", "url": hook.url}, "slow": {"kind": "webhook", "url": slow.url, "deadline": "2s"},
                         "well": {"kind": "webhook", "url": well.url},
                         "closed": {"kind": "webhook", "url": f"http://127.0.0.1:{closed.getsockname()[1]}/", "tries": 2}}
            rules = [{"name": "errors", "when": "errors", "above": "10%", "requests": 3, "for": "0s", "clear": "300ms"}]
            gateway = make_gateway(settings(north, rules=rules, receivers=receivers))
            north.settings["status"] = 500
            for _ in range(10):
                gateway.chat("north")
            wait_until(lambda: well.got, "the one that is well is told", 10)
            north.settings["status"] = 200
            began = time.monotonic()
            for _ in range(20):
                assert gateway.chat("north").status_code == 200
                assert gateway.admin_call("GET", "/api/alerts").status_code == 200
            assert time.monotonic() - began < 20 * 0.5
            wait_until(lambda: len(hook.got) >= 2, "tried again", 10)
            hook.status = 204

            def counts():
                return {r["name"]: r for r in alerts(gateway)["receivers"]}
            wait_until(lambda: counts()["failing"]["sent"] >= 1, "delivered in the end", 15)
            wait_until(lambda: counts()["closed"]["given_up"] >= 1, "given up", 15)
    first = hook.messages()[0]["id"]
    assert hook.messages()[1]["id"] == first, "each try is the same message"
    assert counts()["failing"]["failed"] >= 1
    assert "alerts to receiver closed" in gateway.stderr()


def test_the_verb(make_gateway, north, hook):
    gateway = make_gateway(settings(north, receivers={"ops": {"kind": "webhook", "url": hook.url}}))
    shown = gateway.cli("alerts")
    assert shown.returncode == 0 and "Nothing fires." in shown.stdout and "latency above 1200ms and 2 times as usual per provider" in shown.stdout
    assert json.loads(gateway.cli("alerts", "--json").stdout)["rules"][0]["name"] == "slow"
    sent = gateway.cli("alerts", "test", "ops")
    assert sent.returncode == 0, sent.stderr
    wait_until(lambda: hook.got, "the test message", 10)
    assert hook.messages()[0]["status"] == "test"
    assert gateway.cli("alerts", "test", "nobody").returncode == 1
    assert gateway.cli("alerts", "silence").returncode == 2
