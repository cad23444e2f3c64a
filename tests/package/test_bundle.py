"""scripts/bundle's archive on a machine that has no network, no root's rights and no compiler."""

from __future__ import annotations

import json
import os
import pathlib

import pytest
from root import run

pytestmark = pytest.mark.timeout(900)  # the first run makes the fresh system, and perhaps the engine

USER = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs", "env",
        "HOME=/srv/somebody"]

# Starts the gateway, asks it for a chat with its own verb, ends it. Port 0: any that is free.
TRY_IT = """
cd ~ && ~/causeway/bin/causeway serve --listen 127.0.0.1:0 --admin 127.0.0.1:0 --ready-file ready \
  >log 2>&1 &
for i in $(seq 100); do [ -e ~/ready ] && break; sleep 0.1; done
cd ~ && ~/causeway/bin/causeway chat 'What is the capital of France?' || { cat ~/log; exit 1; }
~/causeway/bin/causeway engine list
kill $! && wait $!
"""


@pytest.fixture(scope="module")
def archive(source, build, work):
    file = work / "bundle.tar.gz"
    run(str(source / "scripts/bundle"), "--build", str(build), "--output", str(file),
        env={**os.environ})
    return file


@pytest.fixture(scope="module")
def unpacked(archive, root):
    """The folder's name in the archive, unpacked in the root, where nobody is root."""
    home = root.path("/srv/somebody")
    home.mkdir(parents=True)
    run("tar", "-xf", str(archive), "-C", str(home))
    run("chown", "-R", "65534:65534", str(home))
    (name,) = [entry.name for entry in home.iterdir()]
    return f"/srv/somebody/{name}"


def as_user(root, *words):
    return root.run(*USER, *words, network=False)


def test_installs_and_answers_without_network_and_root(root, unpacked):
    said = as_user(root, f"{unpacked}/install.sh", "/srv/somebody/causeway")
    assert "/srv/somebody/causeway/bin/causeway serve" in said
    assert "Paris" in as_user(root, "sh", "-c", TRY_IT)


def test_there_is_really_no_network(root, unpacked):
    said = as_user(root, "sh", "-c", "cat /proc/net/route; cat /proc/net/dev")
    assert [line.split(":")[0].strip() for line in said.splitlines() if ":" in line] == ["lo"]


def test_everything_it_loads_is_its_own_or_the_c_library(root, unpacked):
    prefix = "/srv/somebody/causeway"
    for program in ("bin/causeway", "lib/causeway/llama-server", "lib/causeway/avx2/llama-server"):
        if not root.path(f"{prefix}/{program}").exists():
            continue
        for line in as_user(root, "ldd", f"{prefix}/{program}").splitlines():
            name = line.split()[0]
            path = pathlib.PurePosixPath(line.split("=> ")[1].split()[0] if "=>" in line else name)
            own = os.path.normpath(path).startswith(prefix)
            assert own or name.startswith(("linux-vdso", "/lib", "libc.", "libm.")), line


def test_a_damaged_bundle_is_refused(root, unpacked):
    manifest = root.path(f"{unpacked}/files/share/causeway/third_party/manifest")
    kept = manifest.read_bytes()
    manifest.write_bytes(kept + b"#")
    try:
        with pytest.raises(AssertionError, match="damaged"):
            as_user(root, f"{unpacked}/install.sh", "/srv/somebody/other")
        assert not root.path("/srv/somebody/other").exists()
    finally:
        manifest.write_bytes(kept)


def test_a_folder_with_other_things_is_left_alone(root, unpacked):
    other = root.path("/srv/somebody/mine")
    other.mkdir()
    (other / "letter").write_text("mine")
    with pytest.raises(AssertionError, match="not empty"):
        as_user(root, f"{unpacked}/install.sh", "/srv/somebody/mine")
    assert [entry.name for entry in other.iterdir()] == ["letter"]


def test_an_older_one_is_replaced(root, unpacked):
    stale = root.path("/srv/somebody/causeway/lib/causeway/lib/stale.so")
    stale.write_text("")
    as_user(root, f"{unpacked}/install.sh", "/srv/somebody/causeway")
    assert not stale.exists()
    listed = json.loads(as_user(root, "sh", "-c", "cd ~ && ~/causeway/bin/causeway models --json"))
    assert any(model["name"] == "local/default" for model in listed["models"])
