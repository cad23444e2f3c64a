"""The official Node client works unmodified: node/*.test.mjs against the running program."""

import json
import pathlib
import shutil
import subprocess

import pytest

from gateway import KEY, clean_environment

FOLDER = pathlib.Path(__file__).parent / "node"


@pytest.fixture(scope="session")
def packages():
    """The pinned client, installed once."""
    assert shutil.which("node") and shutil.which("npm"), "node and npm are needed (scripts/deps installs them)"
    wanted = json.loads((FOLDER / "package.json").read_text())["dependencies"]["openai"]
    there = FOLDER / "node_modules" / "openai" / "package.json"
    if not there.exists() or json.loads(there.read_text())["version"] != wanted:
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=FOLDER, check=True, timeout=120,
                       capture_output=True)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("file", sorted(p.name for p in FOLDER.glob("*.test.mjs")))
def test_node_client(gw, packages, file):
    env = clean_environment({"OPENAI_BASE_URL": gw.base_url, "OPENAI_API_KEY": KEY})
    done = subprocess.run(["node", "--test", "--test-reporter=tap", file], cwd=FOLDER, env=env, text=True,
                          capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# fail 0" in done.stdout and "# pass 0" not in done.stdout
