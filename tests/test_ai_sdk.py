"""The Vercel AI SDK as it comes, with nothing set but address and key: node/ai_sdk.mjs, its clients of three
dialects towards every kind of provider that has a fake."""

import json

import pytest

from gateway import KEY
from matrix import KINDS, PICTURE


@pytest.mark.timeout(180)
def test_ai_sdk(all_kinds, kind_fakes, node, mark):
    kinds = [name for name, kind in KINDS.items() if kind.fake]
    node("ai_sdk.mjs", CAUSEWAY=all_kinds.url, KEY=KEY, KINDS=json.dumps(kinds), PICTURE=PICTURE, MARK=mark)
    for name in kinds:
        records = kind_fakes[name].records(mark)
        assert [r for r in records if b"sunny-in" in r.body], "results of tools came to the provider"
        assert [r for r in records if PICTURE[:60].encode() in r.body], "and so did the picture"
