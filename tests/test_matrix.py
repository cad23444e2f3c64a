"""Every application's client meets every kind of provider, in all that both have. What was seen stands in
docs/providers/matrix.json, of which scripts/provider-table makes the tables of docs/providers/README.md."""

import json
import os

import pytest

from gateway import ENGINE, ROOT, chat_model_file
from matrix import APPLICATIONS, CAPABILITIES, KINDS, PICTURE

SEEN = ROOT / "docs/providers/matrix.json"
ENGINE_IS_THERE = ENGINE.exists() and chat_model_file() is not None or bool(os.environ.get("CI"))
NO_EMBEDDINGS = "400 operation_not_supported"

# What is not as it should be in a pair, and why. "*": every application. All else must work.
OTHERWISE = {
    ("*", "anthropic", "embeddings"): (NO_EMBEDDINGS, "Anthropic has no embeddings"),
    ("*", "bedrock", "embeddings"): (NO_EMBEDDINGS, "the Converse API has no embeddings"),
    ("*", "embedded", "images"): ("400 model_not_suited", "the engine runs models of text"),
    ("*", "embedded", "reasoning"): ("not told", "the model that is shipped does not reason; it answers"),
}

pytestmark = pytest.mark.timeout(120)
seen: dict[str, dict[str, dict[str, str]]] = {}


@pytest.fixture(scope="module")
def clients(all_kinds):
    made = {application.name: application(all_kinds) for application in APPLICATIONS}
    yield made
    for client in made.values():
        client.close()


def check(client, provider, capability, fake, mark) -> str:
    """Does it, and holds what came against what the fake says; of the real engine, that it says something."""
    kind = KINDS[provider]
    model, words, said = f"{provider}/{kind.chat}", f"hello {mark}", f"You said: hello {mark}"
    if not fake:
        words = "What is the capital of France? Answer with one word."  # the same answer each time
    client.limit(None if fake else 200 if capability in ("structured output", "tools") else 40)
    do = getattr(client, capability.replace(" ", "_"))
    if capability == "text":
        text = do(model, words)
        assert text == said if fake else text
    elif capability == "stream":
        pieces = do(model, words)
        assert "".join(pieces) == said if fake else pieces
        assert len(pieces) > 1
    elif capability == "tools":
        name, arguments, text = do(model, words, forced=not fake)
        assert name == "weather" and isinstance(arguments["city"], str) and isinstance(text, str)
        if fake:
            assert arguments["city"] == 'Zürich "old"'
            assert [r for r in fake.records(mark) if b"sunny-result" in r.body]
    elif capability == "images":
        text = do(model, words)
        assert fake and mark in text and PICTURE[:60].encode() in fake.one(mark).body
    elif capability == "structured output":
        answer = json.loads(do(model, words))
        assert answer == {"answer": said} if fake else list(answer) == ["answer"]
    elif capability == "reasoning":
        thought, text = do(f"{provider}/{kind.thinks or kind.chat}", f"think aloud, {mark}")
        assert text
        if not thought:
            return "not told"
    elif capability == "embeddings":
        assert len(do(f"{provider}/{kind.embeds}")) > 1
    else:
        count, how = do(f"{provider}/{kind.counts or kind.chat}", words)
        assert count > 0
        return "estimated" if how == "estimated" else "yes"
    return "yes"


def otherwise(application: str, provider: str, capability: str) -> tuple[str, str] | None:
    return OTHERWISE.get((application, provider, capability)) or OTHERWISE.get(("*", provider, capability))


@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize("provider", KINDS)
@pytest.mark.parametrize("application", APPLICATIONS, ids=lambda a: a.name.replace(" ", "-"))
def test_pair(clients, kind_fakes, mark, application, provider, capability):
    fake = kind_fakes.get(provider)
    if not fake and not ENGINE_IS_THERE:
        pytest.skip("no engine or chat model: run scripts/deps first")
    cells = seen.setdefault(application.name, {}).setdefault(provider, {})
    if not getattr(application, capability.replace(" ", "_"), None):
        cells[capability] = "none"
        return
    try:
        got = check(clients[application.name], provider, capability, fake, mark)
    except application.errors as error:
        got = clients[application.name].refusal(error)
    expected, why = otherwise(application.name, provider, capability) or ("yes", "")
    # Where nobody can count, it is an estimate; which are is told by the file.
    assert got == expected or (capability, got) == ("count tokens", "estimated"), (got, expected)
    cells[capability] = f"{got}: {why}" if why else got


def test_every_exception_is_about_something():
    for application, provider, capability in OTHERWISE:
        assert application == "*" or application in [a.name for a in APPLICATIONS]
        assert provider in KINDS and capability in CAPABILITIES


def test_what_was_seen_is_what_is_written():
    """The last test of this file: the pairs that were tried in this run are those of the file."""
    if os.environ.get("CAUSEWAY_WRITE_MATRIX"):
        whole = all(len(seen.get(a.name, {}).get(p, {})) == len(CAPABILITIES) for a in APPLICATIONS for p in KINDS)
        assert whole, "not everything was tried, or something failed: the file stays as it is"
        SEEN.write_text(json.dumps(seen, indent=1, ensure_ascii=False) + "\n")
    written = json.loads(SEEN.read_text())
    assert list(written) == [a.name for a in APPLICATIONS]
    assert all(list(rows) == list(KINDS) for rows in written.values())
    for application, rows in seen.items():
        for provider, cells in rows.items():
            for capability, got in cells.items():
                assert written[application][provider][capability] == got, "scripts/provider-table --run"
