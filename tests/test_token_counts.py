"""Counts of tokens for OpenAI's models, told without asking them: against OpenAI's own tiktoken."""

import base64
import os
import pathlib
import random

import pytest
import tiktoken
import tiktoken_ext.openai_public

from conftest import running
from test_embedded import CACHE

MODELS = {"gpt-4o": "o200k_base", "gpt-4": "cl100k_base"}
# Letters that one of the cuts treats apart from its neighbours.
ALPHABETS = [
    "abcdefghij XYZ'", "ABCDE'sSTMDlLvVrReE ", "0123456789 ,.", "\n\r \t/\u00a0\u3000\u2028\x0b\x85",
    "äöüßÄÖÜéèñçğİıſK", "日本語漢字かなカナ한국어", "Привет МИР", "שלום مرحبا ๐๑ ไทย हिन्दी", "😀👨\u200d👩🏽🇩🇪✨",
    "!@#$%^&*()_+-=[]{};:\"\\|<>?~`", "\u0308\u0301e\u0303A\u0308ǅǈʰªº", "²½Ⅷ①٣", "\u200b\u200d\ufeff\ufffd\ue000",
    "𝐀𝒷𐐀𐐨"]
FIXED = ["", " ", "  ", "\n", " \n ", "a" * 5000, " " * 5000, "\n" * 3000, "A" * 3000, "'s", "'ſ it'ſ IT'S we'LL've",
         "hello world", "  leading", "trailing   ", "x\n  \n  y", "\n  ", "a\n ", "<|endoftext|>", "abc'dEF",
         "\r\n\r\n//x", "😀" * 500, "e\u0301" * 400, "def f(x):\n    return x  # done\n"]


def vocabulary_file(name: str) -> pathlib.Path | None:
    return next(iter((CACHE / "files").glob(f"*/{name}.tiktoken")), None)


if not all(vocabulary_file(name) for name in MODELS.values()) and not os.environ.get("CI"):
    pytest.skip(f"no vocabularies in {CACHE}: run scripts/deps --tests first", allow_module_level=True)


def read_vocabulary(url: str, expected_hash: str) -> dict[bytes, int]:
    lines = vocabulary_file(url.rsplit("/", 1)[1].removesuffix(".tiktoken")).read_bytes().splitlines()
    return {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in lines)}


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    return request.param


@pytest.fixture(scope="module")
def encoding(model):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiktoken_ext.openai_public, "load_tiktoken_bpe", read_vocabulary)
        return tiktoken.Encoding(**getattr(tiktoken_ext.openai_public, MODELS[model])())


@pytest.fixture(scope="module")
def gateway(session_folder):
    settings = {"providers": {"openai": {"kind": "openai", "base_url": "http://127.0.0.1:9/v1", "expose": ["*"]}}}
    with running(session_folder / "token-counts", settings) as made:
        yield made


def strings() -> list[str]:
    """The same ones each time."""
    chance = random.Random(7)
    out = list(FIXED)
    while len(out) < 2500:
        letters = "".join(chance.sample(ALPHABETS, chance.choice([1, 2, 3, len(ALPHABETS)])))
        out.append("".join(chance.choices(letters, k=chance.choice([1, 3, 8, 30, 200]))))
    return out


def count(gateway, model, texts: list[str], **more) -> tuple[int, str]:
    answer = gateway.post("/v1/messages/count_tokens", {
        "model": "openai/" + model, "messages": [{"role": "user", "content": text} for text in texts], **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["input_tokens"], answer.headers["x-causeway-token-count"]


def expected(encoding, texts: list[str]) -> int:
    return cookbook_count(encoding, [{"role": "user", "content": text} for text in texts])


def cookbook_count(encoding, messages: list[dict]) -> int:
    """As OpenAI's cookbook counts ("How to count tokens with tiktoken")."""
    return 3 + sum(3 + sum(len(encoding.encode_ordinary(value)) + (key == "name") for key, value in message.items())
                   for message in messages)


def test_the_reference_comes_to_what_the_cookbook_prints(model, encoding):
    told = [("system", None, "You are a helpful, pattern-following assistant that translates corporate jargon into plain English."),
            ("system", "example_user", "New synergies will help drive top-line growth."),
            ("system", "example_assistant", "Things working well together will increase revenue."),
            ("system", "example_user", "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage."),
            ("system", "example_assistant", "Let's talk later when we're less busy about how to do better."),
            ("user", None, "This late pivot means we don't have time to boil the ocean for the client deliverable.")]
    messages = [{"role": role, **({"name": name} if name else {}), "content": text} for role, name, text in told]
    assert cookbook_count(encoding, messages) == {"gpt-4": 129, "gpt-4o": 124}[model]


def test_as_tiktoken(gateway, model, encoding):
    texts = strings()
    differ = []
    for at in range(0, len(texts), 10):
        some = texts[at:at + 10]
        if count(gateway, model, some) != (expected(encoding, some), "exact"):
            differ += [t for t in some if count(gateway, model, [t])[0] != expected(encoding, [t])]
    assert differ == []


def test_system_prompt(gateway, model, encoding):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]
    assert count(gateway, model, ["hello"], system="Be brief.") == (cookbook_count(encoding, messages), "exact")


def test_what_is_not_published_is_said_to_be_near(gateway, model, encoding):
    tool = {"name": "f", "description": "does", "input_schema": {"type": "object"}}
    assert count(gateway, model, ["hello"], tools=[tool])[1] == "estimated"
    assert count(gateway, "gpt-5", ["hello"])[1] == "estimated"
    assert count(gateway, "llama-3", ["hello"])[1] == "estimated"


def test_one_word_of_a_megabyte(gateway, model, encoding):
    total, _ = count(gateway, model, ["a" * 1_000_000])
    assert abs(total - 125_000) < 60
