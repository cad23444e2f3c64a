"""Rules that look at what is asked: its complexity and its language, in every dialect."""

import json

import pytest

from conftest import running
from gateway import UPSTREAM_KEY, chat_body, run

EASY = "What is the capital of Norway?"
HARD = "Compare the capitals of Norway and Sweden and explain, step by step, which one suits a company better."
GERMAN = "Bitte schreiben Sie eine freundliche Erinnerung an den Kunden, der seit drei Wochen nicht zahlt."


@pytest.fixture(scope="module")
def desk(config, session_folder):
    settings = config()
    settings["models"]["desk"] = {"targets": ["fake/large"], "rules": [
        {"name": "german", "when": {"languages": ["de", "nl"]}, "targets": ["fake/german"]},
        {"name": "easy", "when": {"complexity": "easy"}, "targets": ["fake/small"]}]}
    strict = {"easy_below": 0.01}
    settings["models"]["strict"] = {"targets": ["fake/large"], "rules": [
        {"name": "easy", "when": {"complexity": "easy", **strict}, "targets": ["fake/small"]},
        {"name": "hard", "when": {"complexity": "hard", "languages": "en", **strict}, "targets": ["fake/hard"]}]}
    with running(session_folder / "questions", settings) as gateway:
        yield gateway


def asked(gateway, model, *texts, **fields):
    """The target of a conversation that ends with the last text."""
    messages = [{"role": "assistant" if i % 2 else "user", "content": text} for i, text in enumerate(texts)]
    answer = gateway.post("/v1/chat/completions", {**chat_body(model, **fields), "messages": messages})
    assert answer.status_code == 200, answer.text
    return answer.headers["x-causeway-model"]


def test_an_easy_question_stays_and_a_hard_one_goes(desk):
    assert asked(desk, "desk", EASY) == "small"
    assert asked(desk, "desk", HARD) == "large"


def test_the_last_question_counts(desk):
    assert asked(desk, "desk", "Hello!", "Hello! How can I help?", HARD) == "large"
    assert asked(desk, "desk", HARD, "Oslo.", GERMAN) == "german"
    assert asked(desk, "desk", GERMAN, "Gern.", HARD) == "large"


def test_a_language_has_its_own_targets(desk):
    assert asked(desk, "desk", GERMAN) == "german"
    assert asked(desk, "desk", "Leg uit wat het verschil is tussen een bv en een eenmanszaak.") == "german"
    assert asked(desk, "desk", "Explique la différence entre une SARL et une SAS.") == "large"


def test_parts_are_one_question(desk):
    parts = [{"type": "text", "text": "Hier ist ein Brief."}, {"type": "text", "text": GERMAN}]
    assert asked(desk, "desk", parts) == "german"


def test_tools_make_it_hard(desk):
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
    assert asked(desk, "desk", EASY, tools=[tool]) == "large"


def test_the_line_is_the_operators(desk):
    assert asked(desk, "strict", EASY) == "hard", "nothing scores so little"
    assert asked(desk, "strict", GERMAN) == "large", "both conditions must hold"


def test_anthropics_dialect(desk):
    for text, target in ((EASY, "small"), (HARD, "large"), (GERMAN, "german")):
        body = {"model": "desk", "max_tokens": 50, "messages": [{"role": "user", "content": text}],
                "system": "You are the desk of a library. " * 100}
        answer = desk.post("/v1/messages", body)
        assert answer.status_code == 200, answer.text
        assert answer.headers["x-causeway-model"] == target


def test_it_is_explained(desk):
    said = desk.cli("route", "explain", "desk", "--prompt", GERMAN)
    assert "Rule: german" in said.stdout and ", language de" in said.stdout, said.stdout
    said = desk.cli("route", "explain", "desk", "--prompt", EASY)
    assert "Rule: easy" in said.stdout and ", complexity 0." in said.stdout, said.stdout


@pytest.mark.parametrize("when, words", [
    ({"complexity": "medium"}, "complexity"), ({"languages": ["German"]}, "languages"),
    ({"complexity": "easy", "easy_below": 2}, "easy_below")])
def test_what_no_condition_can_be(config, tmp_path, when, words):
    settings = config()
    settings["models"]["desk"] = {"targets": ["fake/echo"],
                                  "rules": [{"name": "r", "when": when, "targets": ["fake/echo"]}]}
    file = tmp_path / "causeway.yaml"
    file.write_text(json.dumps(settings))
    done = run("check", "--config", str(file), env={"UPSTREAM_KEY": UPSTREAM_KEY})
    assert done.returncode != 0 and words in done.stdout + done.stderr, done
