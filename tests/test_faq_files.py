"""Questions that staff has answered: how they are kept, imported and exported, by the admin port and the verb."""

import csv
import io
import json
import time

import pytest

from conftest import running
from faq_world import add, asked, entries, remove_all, settings
from gateway import KEY
from test_traces import READER, files_with


@pytest.fixture(scope="module")
def gw(config, session_folder):
    with running(session_folder / "faq-files", settings(config)) as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def nothing_there(request):
    """Each test begins without entries."""
    if "gw" in request.fixturenames:
        remove_all(request.getfixturevalue("gw"))


# --- keeping entries

def test_each_change_is_a_version(gw):
    entry = add(gw, "what", "one")
    path = f"/api/faq/{entry['id']}"
    assert gw.admin_call("PATCH", path, {"version": 1, "answer": "two"}).json()["version"] == 2
    assert asked(gw, "what") == ("two", True)
    stale = gw.admin_call("PATCH", path, {"version": 1, "answer": "three"})
    assert stale.status_code == 409 and stale.json()["error"]["code"] == "faq_version"
    shown = gw.admin_call("GET", path).json()
    assert shown["entry"]["answer"] == "two" and [old["answer"] for old in shown["older"]] == ["one"]
    assert shown["entry"]["changed_by"] and abs(shown["entry"]["changed_at"] - time.time()) < 60
    assert gw.admin_call("DELETE", path + "?version=1").status_code == 409
    assert gw.admin_call("DELETE", path + "?version=2").status_code == 200
    assert gw.admin_call("GET", path).status_code == 404
    assert not asked(gw, "what")[1]


def test_who_may_what(gw):
    entry = add(gw)
    reader = {"key": READER}
    assert gw.admin_call("GET", "/api/faq", **reader).status_code == 200
    for method, path in (("POST", "/api/faq"), ("PATCH", f"/api/faq/{entry['id']}"), ("POST", "/api/faq/import"),
                         ("DELETE", f"/api/faq/{entry['id']}")):
        assert gw.admin_call(method, path, {}, **reader).status_code == 403
    assert gw.admin_call("GET", "/api/faq", key=KEY).status_code in (401, 403)


@pytest.mark.parametrize("body, param", [
    ({"questions": [], "answer": "x"}, "question"), ({"questions": ["x"]}, "answer"),
    ({"questions": "x", "answer": "x"}, "questions"), ({"questions": ["x"], "answer": 5}, "answer"),
    ({"questions": ["x"], "answer": "x", "languge": "de"}, "languge"),
    ({"questions": ["x"], "answer": "x" * 65537}, "answer"),
    ({"questions": ["x"], "answer": "x", "language": "d"}, "language"),
    ({"questions": ["x"], "answer": "x", "valid_from": "soon"}, "valid_from"),
    ({"questions": ["x"], "answer": "x", "valid_from": "2026-02-01", "valid_until": "2026-01-01"}, "valid_until")])
def test_what_is_no_entry(gw, body, param):
    reply = gw.admin_call("POST", "/api/faq", body)
    assert reply.status_code == 400, reply.text
    assert reply.json()["error"]["code"] == "faq_entry" and reply.json()["error"]["param"] == param


def take(gw, format: str, text: str, **more):
    return gw.admin_call("POST", "/api/faq/import", {"format": format, "text": text, **more})


def test_csv_as_a_spreadsheet_writes_it(gw):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(["question", "answer", "language", "valid_from", "valid_until", "tenant", "models"])
    writer.writerow(['Was ist "das"?', "Zeile 1;\nZeile 2, \"so\"", "de", "01.01.2020", "31.12.2199", "", ""])
    writer.writerow(["Nur wir?", "Ja.", "", "", "", "acme", "echo, talk"])
    text = "\ufeff" + out.getvalue()
    dry = take(gw, "csv", text, dry_run=True).json()
    assert (dry["added"], dry["changed"], dry["same"]) == (2, 0, 0) and dry["dry_run"] and not entries(gw)
    done = take(gw, "csv", text).json()
    assert [(row["line"], row["change"]) for row in done["entries"]] == [(2, "added"), (4, "added")]
    assert asked(gw, "was ist das") == ('Zeile 1;\nZeile 2, "so"', True)
    again = take(gw, "csv", text.replace("Ja.", "Nein.")).json()
    assert (again["added"], again["changed"], again["same"]) == (0, 1, 1)
    assert asked(gw, "nur wir") == ("Nein.", True)


def test_markdown(gw):
    text = ("---\nlanguage: de\n---\n# FAQ\n\n## Wie geht das?\n<!-- also: Wie macht man das? -->\n\nSo:\n\n"
            "```\n## kein Titel\n```\n\n## How?\n<!-- language: en -->\nLike this.\n")
    assert take(gw, "markdown", text).json()["added"] == 2
    assert asked(gw, "Wie macht man das") == ("So:\n\n```\n## kein Titel\n```", True)
    assert {row["language"] for row in entries(gw)} == {"de", "en"}
    back = gw.admin_call("GET", "/api/faq/export?format=markdown")
    assert back.headers["content-type"].startswith("text/markdown")
    same = take(gw, "markdown", back.text).json()
    assert (same["added"], same["changed"], same["same"]) == (0, 0, 2)


@pytest.mark.parametrize("format, text, lines", [
    ("csv", 'question,answer\na,b\nc,"d', [1]),  # of the file's shape: told in the message
    ("csv", "question,answer,valid_until\n,x,\na,,\nb,c,12/31/2026\nd,e\nf,g,\n", [2, 3, 4, 5]),
    ("csv", "frage,antwort\na,b\n", [1, 1, 1, 1]),
    ("csv", "question,answer\na,b\nA?,c\n", [3]),
    ("csv", "", [1]),
    ("markdown", "## a\n\n## b\n<!-- lang: de -->\nx\n", [1, 4]),
    ("markdown", "only words\n", [1]),
])
def test_a_file_with_mistakes_changes_nothing(gw, format, text, lines):
    reply = take(gw, format, text)
    assert reply.status_code == 400, reply.text
    value = reply.json()
    assert value["error"]["code"] == "faq_import" and value["error"]["message"].startswith("Line ")
    assert [one["line"] for one in value["problems"]] == lines, value
    assert not entries(gw)


def test_a_large_import(config, make_gateway):
    gw = make_gateway(settings(config))
    rows = "".join(f'"Question number {n}?","Answer {n}"\n' for n in range(10_000))
    reply = gw.admin_call("POST", "/api/faq/import", {"format": "csv", "text": "question,answer\n" + rows},
                          timeout=60)
    assert reply.status_code == 200 and reply.json()["added"] == 10_000
    assert asked(gw, "question number 9999") == ("Answer 9999", True)
    over = gw.admin_call("POST", "/api/faq", {"questions": ["one more"], "answer": "x"})
    assert over.status_code == 409 and over.json()["error"]["code"] == "too_many_faq_entries"
    page = gw.admin_call("GET", "/api/faq?limit=10").json()
    assert page["total"] == 10_000 and page["more"] and len(page["entries"]) == 10
    assert len(json.loads(gw.cli("faq", "list", "--json").stdout)["entries"]) == 10_000


def test_after_a_restart(config, make_gateway):
    gateway = make_gateway(settings(config))
    secret = "the-answer-is-quicksilver"
    entry = add(gateway, "quick", secret, "fast", tenant="acme", valid_until="2199-12-31")
    gateway.admin_call("PATCH", f"/api/faq/{entry['id']}", {"version": 1, "language": "en"})
    gateway.kill()
    gateway.start()
    assert asked(gateway, "fast") == (secret, True)
    shown = gateway.admin_call("GET", f"/api/faq/{entry['id']}").json()
    assert shown["entry"]["version"] == 2 and shown["entry"]["valid_until"] == "2199-12-31"
    assert len(shown["older"]) == 1
    assert not files_with(gateway.data, secret), "sealed on the disk"


# --- the verb

def test_the_verb(gw, tmp_path):
    made = gw.cli("faq", "add", "Where is it?", "What place is it at?", "--answer", "Here.", "--language", "en")
    assert made.returncode == 0, made.stderr
    id = made.stdout.strip()
    assert asked(gw, "what place is it at") == ("Here.", True)
    listed = gw.cli("faq", "list")
    assert id in listed.stdout and "Where is it?" in listed.stdout and "valid" in listed.stdout
    shown = json.loads(gw.cli("faq", "show", id).stdout)
    assert shown["entry"]["answer"] == "Here." and shown["older"] == []
    tested = gw.cli("faq", "test", "WHERE IS IT")
    assert id in tested.stdout and "exact" in tested.stdout and "Here." in tested.stdout
    assert "a model would be asked" in gw.cli("faq", "test", "Why?").stdout

    exported = gw.cli("faq", "export")
    file = tmp_path / "faq.csv"
    file.write_text(exported.stdout.replace("Here.", "There."))
    dry = gw.cli("faq", "import", str(file), "--dry-run")
    assert "changed" in dry.stdout and "0 added, 1 changed, 0 as they were" in dry.stdout
    assert asked(gw, "where is it") == ("Here.", True)
    assert "0 added, 1 changed" in gw.cli("faq", "import", str(file)).stdout
    assert asked(gw, "where is it") == ("There.", True)

    wrong = tmp_path / "faq.md"
    wrong.write_text("## Why?\n\n## Who?\n<!-- valid_from: soon -->\nUs.\n")
    failed = gw.cli("faq", "import", str(wrong))
    assert failed.returncode == 1
    assert "Line 1:" in failed.stderr and "Line 4:" in failed.stderr and "nothing was imported" in failed.stderr
    assert gw.cli("faq", "import", str(tmp_path / "none.csv")).returncode == 1
    assert gw.cli("faq").returncode == 2

    assert gw.cli("faq", "remove", id).returncode == 0
    assert gw.cli("faq", "show", id).returncode == 1
    assert not asked(gw, "where is it")[1]
