"""The official Node client works unmodified: node/*.test.mjs against the running program."""

import pathlib

import pytest

from gateway import KEY

FILES = sorted(p.name for p in (pathlib.Path(__file__).parent / "node").glob("*.test.mjs"))


@pytest.mark.timeout(180)
@pytest.mark.parametrize("file", FILES)
def test_node_client(gw, node, file):
    node(file, OPENAI_BASE_URL=gw.base_url, OPENAI_API_KEY=KEY)
