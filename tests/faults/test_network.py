"""DNS that is broken, slow or changing; certificates and TLS versions that must not be taken; a clock that jumps."""

import asyncio
import contextlib
import json
import os
import pathlib
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time

import pytest

from faults.rig import Callers, assert_store_is_clean, needs_root, totals
from faults.shim import shim, shim_library  # noqa: F401
from fake_upstream import Fake
from gateway import assert_error, wait_until

DNS_ADDRESS = "127.0.0.153"  # port 53 there, in a mount namespace whose resolv.conf says so


class Dns:
    """Answers questions for A records: what `answers` says, after `delay` and not before `may_answer`; `broken` says
    how."""

    def __init__(self):
        self.answers: dict[str, list[str]] = {}
        self.delay, self.broken, self.ttl, self.asked = 0.0, None, 1, 0
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # beside one that has all addresses
        self.socket.bind((DNS_ADDRESS, 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                data, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            self.asked += 1
            if self.broken == "silent":
                continue
            timer = threading.Timer(self.delay, self.answer, (data, peer))
            timer.daemon = True
            timer.start()

    def answer(self, data: bytes, peer):
        self.may_answer.wait(20)
        end = data.index(b"\0", 12)
        kind = struct.unpack(">H", data[end + 1:end + 3])[0]
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode().lower())
            at += 1 + data[at]
        found = self.answers.get(".".join(labels), []) if kind == 1 else []
        code = {"servfail": 2, "refused": 5}.get(self.broken, 0 if ".".join(labels) in self.answers else 3)
        records = b"" if code else b"".join(
            b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, self.ttl, 4) + socket.inet_aton(a) for a in found)
        head = data[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, 0 if code else len(found), 0, 0)
        reply = b"\xff" * 20 if self.broken == "garbage" else head + data[12:end + 5] + records
        with contextlib.suppress(OSError):
            self.socket.sendto(reply, peer)

    def stop(self):
        self.socket.close()


@pytest.fixture
def dns(tmp_path):
    try:
        server = Dns()
    except OSError as problem:
        pytest.skip(f"no name server can be had on {DNS_ADDRESS}:53: {problem}")
    (tmp_path / "resolv.conf").write_text(f"nameserver {DNS_ADDRESS}\noptions timeout:1 attempts:2\n")
    probe = subprocess.run(["unshare", "--mount", "mount", "--bind", str(tmp_path / "resolv.conf"), "/etc/resolv.conf"],
                           capture_output=True, text=True)
    if probe.returncode:
        server.stop()
        pytest.skip(f"no mount namespace: {probe.stderr.strip()}")
    yield server
    server.stop()


def with_names(make_gateway, config, tmp_path, fake):
    """A gateway in a mount namespace of its own, whose provider `named` has a name for an address."""
    settings = config()
    settings["providers"]["named"] = {"kind": "openai", "base_url": f"http://provider.test:{fake.port}/v1",
                                      "timeouts": {"connect": "3s"}}
    settings["models"]["both"] = {"strategy": "fallback", "targets": ["named/echo", "fake/echo"]}
    gw = make_gateway(settings, start=False)
    own = gw.command

    def command():
        mount = f"mount --bind {tmp_path / 'resolv.conf'} /etc/resolv.conf"
        return ["unshare", "--mount", "sh", "-c", f'{mount} && exec "$@"', "sh", *own()]

    gw.command = command
    return gw.start()


@needs_root
@pytest.mark.parametrize("how", ["servfail", "refused", "garbage", "silent", "no such name"])
def test_dns_broken(config, make_gateway, tmp_path, dns, fake, how):
    """502 in time, another target answers at once after, others are not held up; with DNS back it is served."""
    gw = with_names(make_gateway, config, tmp_path, fake)
    if how != "no such name":
        dns.answers["provider.test"] = ["127.0.0.1"]
        dns.broken = how
    with Callers(gw, "others", count=1) as others:
        wait_until(lambda: others.confirmed)
        before = len(others.confirmed)
        start = time.monotonic()
        assert_error(gw.chat("named/echo"), (502, 503, 504))
        assert time.monotonic() - start < 5
        if how == "silent":  # which takes its time to find out
            assert len(others.confirmed) > before
        assert gw.chat("both").status_code == 200
    assert not others.odd
    dns.broken, dns.answers["provider.test"] = None, ["127.0.0.1"]
    wait_until(lambda: gw.chat("named/echo").status_code == 200, "names are found again", timeout=15, every=0.3)


@needs_root
def test_dns_slow(config, make_gateway, tmp_path, dns, fake):
    """An answer after 700 ms is waited for, by nobody else; many who ask the same are one question."""
    dns.answers["provider.test"], dns.delay, dns.ttl = ["127.0.0.1"], 0.7, 60
    gw = with_names(make_gateway, config, tmp_path, fake)
    asked, codes = dns.asked, []
    threads = [threading.Thread(target=lambda: codes.append(gw.chat("named/echo").status_code)) for _ in range(12)]
    dns.may_answer.clear()
    for thread in threads:
        thread.start()
    wait_until(lambda: dns.asked > asked)
    assert gw.chat("echo").status_code == 200
    assert codes == [], "who needs no name waits for none"
    dns.may_answer.set()
    for thread in threads:
        thread.join()
    assert codes == [200] * 12
    loops = os.cpu_count() or 1
    assert dns.asked - asked <= 4 * (loops + 1), "one question of each loop, for A and AAAA"


@needs_root
def test_dns_changes(config, make_gateway, tmp_path, dns):
    """The old address answers until its time to live is over and its connections are closed, then the new one; also
    where the old one has died."""
    old, new = Fake().start(), None
    dns.answers["provider.test"] = ["127.0.0.1"]
    gw = with_names(make_gateway, config, tmp_path, old)
    assert gw.chat("named/echo", "one").status_code == 200
    new = Fake().start(old.port, "127.0.0.2")
    dns.answers["provider.test"] = ["127.0.0.2"]
    old.stop()
    wait_until(lambda: gw.chat("named/echo", "two").status_code == 200, "the new address", timeout=10, every=0.2)
    assert new.records("two")
    dns.answers["provider.test"] = ["127.0.0.9", "127.0.0.2"]  # the first refuses
    time.sleep(1.2)
    for connection in list(new._open):
        new.loop.call_soon_threadsafe(connection.transport.abort)
    assert gw.chat("named/echo", "three").status_code in (200, 502)
    wait_until(lambda: gw.chat("named/echo", "four").status_code == 200, "the second address", timeout=10)
    new.stop()


# --- TLS


def openssl(*arguments: str, cwd: pathlib.Path):
    subprocess.run(["openssl", *arguments], cwd=cwd, check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """An authority; make(name, host, begin, end) gives certificate and key of a server."""
    folder = tmp_path_factory.mktemp("tls")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "30",
            "-subj", "/CN=test authority", "-addext", "basicConstraints=critical,CA:TRUE", cwd=folder)

    def make(name: str, host: str, days: int = 30):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                "-subj", f"/CN={host}", cwd=folder)
        (folder / f"{name}.ext").write_text(f"subjectAltName=DNS:{host}\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", str(days), "-extfile", f"{name}.ext", "-out", f"{name}.pem", cwd=folder)
        return folder / f"{name}.pem", folder / f"{name}.key"

    make.ca = folder / "ca.pem"
    return make


class TlsFront:
    """TLS in front of a fake upstream."""

    def __init__(self, fake, certificate, versions=None, ciphers=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if versions:
            self.context.set_ciphers("ALL:@SECLEVEL=0")
            self.context.minimum_version, self.context.maximum_version = versions
        self.context.load_cert_chain(*certificate)
        started = threading.Event()
        self.loop = asyncio.new_event_loop()

        async def pipe(reader, writer):
            with contextlib.suppress(OSError, ssl.SSLError):
                while data := await reader.read(65536):
                    writer.write(data)
                    await writer.drain()
            with contextlib.suppress(OSError, ssl.SSLError):
                writer.close()

        async def serve(reader, writer):
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", fake.port)
            await asyncio.gather(pipe(reader, up_writer), pipe(up_reader, writer))

        async def main():
            server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=self.context)
            self.port = server.sockets[0].getsockname()[1]
            started.set()
            await asyncio.Event().wait()

        self.loop.set_exception_handler(lambda *_: None)
        threading.Thread(target=lambda: contextlib.suppress(Exception).__enter__() or self.loop.run_until_complete(main()),
                         daemon=True).start()
        assert started.wait(5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("fault, word", [("good", None), ("expired", "expired"), ("wrong host", "host"),
                                         ("unknown authority", "authority"), ("TLS 1.1", "")])
def test_certificates(config, make_gateway, fake, authority, shim, fault, word):
    """Nothing is sent to a server that does not prove who it is, or speaks what is no longer safe: 502, the log says
    why, and another target answers."""
    host = "other.test" if fault == "wrong host" else "localhost"
    certificate = authority(fault.replace(" ", "-"), host, days=1 if fault == "expired" else 30)
    old = (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1) if fault == "TLS 1.1" else None
    front = TlsFront(fake, certificate, old)
    if old:
        peer = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{front.port}", "-tls1_1", "-cipher",
                               "ALL:@SECLEVEL=0"], input="", capture_output=True, text=True)
        if "Protocol  : TLSv1.1" not in peer.stdout:
            pytest.skip("this OpenSSL cannot serve TLS 1.1")
    settings = config()
    settings["providers"]["secure"] = {"kind": "openai", "base_url": f"https://localhost:{front.port}/v1",
                                       **({} if fault == "unknown authority" else {"ca_file": str(authority.ca)})}
    settings["models"]["both"] = {"strategy": "fallback", "targets": ["secure/echo", "fake/echo"]}
    gw = make_gateway(settings, start=False)
    if fault == "expired":
        gw.env.update(shim.env(gw.data))
        shim.set(clock_seconds=3 * 86400)  # the certificate is of one day
    gw.start()
    answer = gw.chat("secure/echo", "hello")
    if word is None:
        assert answer.status_code == 200
        return
    error = assert_error(answer, (502, 503))
    told = (error["message"] + gw.said()).lower()
    assert word in told, told[-500:]
    assert gw.chat("both").status_code == 200


# --- the clock


@pytest.mark.parametrize("jump", [+86400 * 40, -86400 * 40, +3600, -3600], ids=lambda s: f"{s:+} s")
def test_clock_jumps(config, make_gateway, shim, fake, jump):
    """Forwards and back under load: no request fails, no deadline fires, each settlement is counted once. Keys end by
    the wall clock, as they say."""
    gw = make_gateway(config(), start=False)
    gw.env.update(shim.env(gw.data))
    gw.start()
    key = gw.make_key(expires_in="1d")["key"]
    with Callers(gw, "clock", count=3) as callers:
        time.sleep(0.4)
        shim.set(clock_seconds=jump)
        time.sleep(1.5)
        code = gw.chat("echo", key=key).status_code
        assert code == (401 if jump > 86400 else 200)
        shim.set(clock_seconds=0)
        time.sleep(0.5)
    assert not callers.odd and len(callers.confirmed) > 100
    assert gw.chat("echo", key=key).status_code == 200
    counted: dict[str, int] = {}
    for row in gw.admin_call("GET", "/api/usage?by=day,model").json()["usage"]:
        counted[row["model"]] = counted.get(row["model"], 0) + row["requests"]
    assert all(counted.get(f"fake/{m}") == 1 for m in callers.confirmed)
    gw.kill()
    gw.start()
    assert_store_is_clean(gw)
    assert set(totals(gw)) == set(counted)
