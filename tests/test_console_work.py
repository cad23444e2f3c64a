"""What an operator does with the console, in a real Chromium: from a list to its cause, from a bad answer to a test case."""

import concurrent.futures
import csv
import io
import os
import pathlib
import re
import subprocess
import sys

import pytest

from console_browser import PERSON, console_config, newest
from gateway import ADMIN_KEY, ENGINE, KEY, ROOT, chat_model_file, clean_environment, plain_http, wait_until


# --- traces

def test_lists_lead_to_one_trace_and_back(full, busy):
    page = full.open("traces?errors=1")
    rows = page.locator("tbody tr")
    assert rows.count() == 2 and "model_not_found" in page.locator("tbody").inner_text()
    page.get_by_label("Only errors").click()  # the box follows the address, a moment later
    full.until("document.querySelectorAll('tbody tr').length > 2")
    page.get_by_label("Model", exact=True).fill("smart")
    full.until("location.hash.includes('model=smart')")
    full.until("document.querySelectorAll('tbody tr').length === 3")
    page.locator("tbody a").first.click()
    page.get_by_role("heading", name="Trace", exact=True).wait_for()
    full.settled()
    assert page.get_by_text("call fake/s503").is_visible() and page.get_by_text("call fake/echo").is_visible()
    for stage in ("admit", "identify", "resolve", "ledger", "pii", "choose"):
        assert page.get_by_role("cell", name=stage, exact=True).is_visible()
    page = full.open(f"traces/{newest(busy, model='fast', found='email')}")
    assert page.get_by_text("[EMAIL]").count() >= 2 and page.get_by_text("jan.kowalski").count() == 0
    assert page.get_by_text("mask 1 × email").is_visible()
    page.get_by_role("link", name="shop").click()
    full.until("location.hash.includes('key=shop')")
    full.settled()
    page.get_by_label("Words").fill("quicksilver")
    full.until("location.hash.includes('contains=quicksilver')")
    full.until("document.querySelectorAll('tbody tr').length === 2")


def test_what_another_target_answered_is_found(full):
    page = full.open("traces")
    page.get_by_label("Only with failed tries").click()
    full.until("location.hash.includes('failed_target=*')")
    full.until("!document.querySelector('tbody').innerText.includes('no-such-model')")
    models = [name.split()[0] for name in page.locator("td[data-label=Model]").all_inner_texts()]
    assert "smart" in models and "fast" not in models, models
    page = full.open("overview?window=15m")
    failed = page.get_by_role("table", name="Providers").get_by_role("row").filter(has_text="fake").first
    failed.get_by_role("cell").nth(2).get_by_role("link").click()
    full.until("location.hash.includes('failed_target=fake')")
    full.settled()
    assert page.locator("tbody tr").count() >= 3


def test_the_tail_follows(full, busy):
    page = full.open("traces?model=fa*")
    before = page.locator("tbody tr").count()
    with page.expect_response("**/api/traces/tail*"):  # which says where it begins
        page.get_by_role("button", name="Follow live").click()
    busy.chat("fast", "and one more")
    full.until(f"document.querySelectorAll('tbody tr').length === {before + 1}")
    page.get_by_role("button", name="Stop following").click()


# --- keys

def test_the_life_of_a_key(full, busy):
    page = full.open("keys")

    def secret() -> str:
        shown = page.get_by_role("dialog").locator("pre")
        shown.wait_for()
        text = shown.inner_text().strip()
        page.get_by_role("button", name="Close").click()
        page.get_by_role("dialog").wait_for(state="detached")
        return text

    page.get_by_role("button", name="Create a key").click()
    page.get_by_label("Name", exact=True).fill("mobile")
    page.get_by_label("Models", exact=True).fill("fast, smart")
    page.get_by_label("Expires in").fill("nonsense")
    page.get_by_role("button", name="Create", exact=True).click()
    page.get_by_role("dialog").get_by_role("alert").filter(has_text="duration").wait_for()
    page.get_by_label("Expires in").fill("30d")
    page.get_by_role("button", name="Create", exact=True).click()
    first = secret()
    assert busy.chat("fast", key=first).status_code == 200
    assert busy.chat("slow", key=first).status_code in (403, 404)
    page.get_by_role("button", name="Rotate mobile").click()
    page.get_by_label("The old secret works for another").fill("0s")
    page.get_by_role("button", name="Make a new secret").click()
    second = secret()
    assert second != first and busy.chat("fast", key=second).status_code == 200
    wait_until(lambda: busy.chat("fast", key=first).status_code == 401)
    page.get_by_role("button", name="Revoke mobile").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").wait_for(state="detached")
    assert busy.chat("fast", key=second).status_code == 401
    page.get_by_role("link", name="mobile").wait_for(state="detached")
    page.get_by_role("button", name="All", exact=True).click()
    assert page.get_by_text("revoked").first.is_visible()


# --- playground

def test_the_providers_view_shows_what_the_provider_sent(full):
    page = full.open("playground?models=fast")
    page.get_by_label("Prompt", exact=True).fill("Write to jan.kowalski@example.com")
    page.get_by_role("button", name="Send", exact=True).click()
    answer = page.locator(".turn.assistant").last
    answer.get_by_text("jan.kowalski@example.com").wait_for()
    page.get_by_role("button", name="As the provider sees it").click()
    answer.get_by_text("[EMAIL]").wait_for()
    assert "jan.kowalski" not in answer.inner_text()
    answer.get_by_text("changed on the way back").wait_for()


# --- usage

def test_usage_as_a_table_and_as_csv(full, busy):
    wait_until(lambda: any(row["model"] == "fast" for row in busy.usage_rows()))
    page = full.open("usage?by=model")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    rows = list(csv.DictReader(io.StringIO(pathlib.Path(download.value.path()).read_text())))
    truth = {row["model"]: row for row in busy.admin_call("GET", "/api/usage?by=model").json()["usage"]}
    assert {row["model"] for row in rows} == set(truth)
    fast = next(row for row in rows if row["model"] == "fast")
    assert int(fast["requests"]) <= truth["fast"]["requests"] and float(fast["cost_USD"]) > 0
    page.get_by_role("button", name="Key", exact=True).click()
    page.get_by_role("link", name="shop").first.wait_for()
    page.get_by_role("link", name="shop").first.click()
    page.get_by_role("heading", name="Traces", level=1).wait_for()
    full.settled()
    assert page.locator("tbody tr").count() > 3


# --- privacy

def test_what_was_masked_and_what_would_be(full):
    page = full.open("privacy")
    assert page.get_by_role("link", name="email").first.is_visible()
    assert page.get_by_role("link", name="everyone").first.is_visible()
    page.get_by_label("Text", exact=True).fill("Grüße an jan@example.com")
    page.get_by_role("button", name="Look through it").click()
    assert page.locator("mark").first.inner_text().startswith("jan@example.com")
    assert full.axe() == []
    page.get_by_role("link", name="card").first.click()
    full.until("location.hash.startsWith('#/traces?') && location.hash.includes('found=card')")


# --- playground, replay, test cases

def test_several_models_side_by_side(full, busy):
    page = full.open("playground?models=fast")
    page.get_by_role("button", name="Add a model").click()
    columns = page.locator("section.column")
    assert columns.count() == 2
    page.get_by_label("Temperature").fill("9")
    assert page.get_by_text("is a number from 0 to 2").is_visible()
    page.get_by_label("Temperature").fill("0.5")
    page.get_by_label("Prompt", exact=True).fill(PERSON)
    page.get_by_label("Prompt", exact=True).press("Control+Enter")
    for column in (columns.nth(0), columns.nth(1)):
        column.get_by_text("You said: I am Jan Kowalski, jan.kowalski@example.com").wait_for()
        column.get_by_text("in ·").wait_for()
    page.get_by_role("button", name="As the provider sees it").click()
    assert full.axe() == []
    marks = columns.nth(0).locator("mark").all_inner_texts()
    assert {"[PERSON]", "[EMAIL]", "[CARD]"} <= {mark.strip() for mark in marks}, marks
    columns.nth(0).get_by_role("link", name="trace").click()
    page.get_by_role("heading", name="Trace", exact=True).wait_for()
    full.settled()
    assert page.get_by_role("link", name="console").first.is_visible()
    full.is_clean()


def test_tools_and_errors_are_shown(full):
    page = full.open("playground?models=fast")
    page.get_by_label("Tools").fill('[{"type":"function","function":{"name":"weather","parameters":{}}}]')
    page.get_by_label("Prompt", exact=True).fill("What is it like in Zürich?")
    page.get_by_role("button", name="Send").click()
    page.get_by_text("calls weather").wait_for()
    page = full.open("playground?models=fake/s429")
    page.get_by_label("Prompt", exact=True).fill("hello")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("log").get_by_role("alert").wait_for()
    page = full.open("playground?models=slow")
    page.get_by_label("Prompt", exact=True).fill("hello")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("stopped", exact=True).wait_for()


def test_what_is_copied_as_code_works(full, tmp_path):
    page = full.open("playground?models=fast")
    page.get_by_label("Tools").fill("")  # what was set for another model stays, as one would want it
    page.get_by_label("System prompt").fill('It\'s "quoted" \\ and $HOME `ls`')
    page.get_by_label("Prompt", exact=True).fill("Don't \"panic\"\nat $PATH")
    page.get_by_role("button", name="Copy as code").click()
    texts = {}
    for language in ("curl", "Python", "JavaScript"):
        page.get_by_role("button", name=language, exact=True).click()
        page.get_by_role("dialog").get_by_role("button", name="Copy", exact=True).click()
        texts[language] = page.evaluate("navigator.clipboard.readText()")
        page.wait_for_timeout(1600)  # the button says "Copied" for as long
    page.keyboard.press("Escape")
    (tmp_path / "ask.mjs").write_text(texts["JavaScript"])
    (tmp_path / "node_modules").symlink_to(ROOT / "tests" / "node" / "node_modules")
    commands = {"curl": ["bash", "-c", texts["curl"]], "Python": [sys.executable, "-c", texts["Python"]],
                "JavaScript": ["node", str(tmp_path / "ask.mjs")]}
    for language, command in commands.items():
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path,
                              env={**clean_environment(), "CAUSEWAY_KEY": KEY})
        assert done.returncode == 0, (language, done.stderr)
        assert ("[DONE]" if language == "curl" else "panic") in done.stdout, (language, done.stdout)


def test_a_bad_answer_becomes_a_test_case_and_is_asked_again(full, busy):
    busy.chat("fast", "May I have a refund?")
    page = full.open(f"traces/{newest(busy, model='fast', status=200)}")
    page.get_by_role("button", name="Replay").click()
    page.get_by_label("Model", exact=True).select_option("smart")
    page.get_by_role("button", name="Send again").click()
    page.get_by_label("Mark differences").wait_for()
    assert page.locator(".side-by").nth(1).get_by_text("You said: May I have a refund?").is_visible()
    page.get_by_label("Mark differences").check()
    assert full.axe() == []
    page.get_by_role("button", name="Mark as test case").click()
    page.get_by_label("Note").fill("must not promise one")
    page.get_by_role("button", name="Mark", exact=True).click()
    page.get_by_role("dialog").wait_for(state="detached")
    page = full.open("tests")
    page.get_by_role("link", name="must not promise one").click()
    full.settled()
    page.get_by_text("May I have a refund?").first.wait_for()
    page.get_by_role("button", name="Send again").click()
    page.get_by_text("You said: May I have a refund?").nth(1).wait_for()
    page = full.open("tests")
    page.get_by_role("button", name="Delete must not promise one").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_text("There is no test case").wait_for()
    full.is_clean()


# --- configuration

def test_the_configuration_is_checked_compared_and_saved(chrome, config, make_gateway):
    gateway = make_gateway(console_config(config))
    console = chrome.console(gateway).sign_in()
    page = console.open("config")
    assert KEY not in page.locator("main").inner_text() and ADMIN_KEY not in page.content()
    page.get_by_role("button", name="Edit").click()
    text = page.get_by_role("textbox", name="Configuration file")
    before = text.input_value()
    text.fill(before.replace('"smart"', '"smarter"').replace('"policies"', '"polices"'))
    page.get_by_role("button", name="Check").click()
    page.get_by_text("polices").last.wait_for()
    assert page.get_by_role("button", name="Save and use it").is_disabled()
    page.get_by_role("button", name="Line").first.click()
    assert page.evaluate("document.activeElement.tagName") == "TEXTAREA"
    text.fill(before.replace('"smart"', '"smarter"'))
    page.get_by_role("button", name="Check").click()
    page.get_by_text("Nothing is wrong with it.").wait_for()
    assert '"smarter"' in page.locator(".diff .added").inner_text()
    assert console.axe() == []
    page.get_by_role("button", name="Save and use it").click()
    page.get_by_role("button", name="Edit").wait_for()
    assert gateway.chat("smarter").status_code == 200 and gateway.chat("smart").status_code == 404
    assert KEY in gateway.config_path.read_text(), "secrets stay in the file"
    page.get_by_role("button", name="Edit").click()
    text.fill(text.input_value().replace("smarter", "smartest"))
    gateway.config_path.write_text(gateway.config_path.read_text() + "\n")
    page.get_by_role("button", name="Check").click()
    page.wait_for_timeout(500)
    if page.get_by_role("button", name="Save and use it").is_enabled():
        page.get_by_role("button", name="Save and use it").click()
    page.get_by_role("alert").first.wait_for()
    assert "smartest" not in gateway.config_path.read_text()
    console.is_clean()


def begin_to_edit(console):
    page = console.open("config")
    page.get_by_role("button", name="Edit").click()
    text = page.get_by_role("textbox", name="Configuration file")
    text.fill(text.input_value().replace('"smart"', '"smarter"'))
    return page, text


def test_unsaved_changes_of_the_configuration_wait(chrome, config, make_gateway):
    console = chrome.console(make_gateway(console_config(config))).sign_in()
    page, text = begin_to_edit(console)
    page.get_by_role("link", name="Keys").click()
    page.locator(".toast").filter(has_text="not saved").wait_for()
    page.get_by_role("link", name="Configuration").get_by_text("unsaved").wait_for()
    page.get_by_role("link", name="Configuration").click()
    assert '"smarter"' in text.input_value()
    page.evaluate("void setTimeout(() => location.reload())")
    wait_until(lambda: console.dialogs or page.wait_for_timeout(50), "the browser asks")  # it is told: no
    assert '"smarter"' in text.input_value()
    page.get_by_role("button", name="Discard changes").click()
    page.get_by_role("button", name="Edit").wait_for()
    page.get_by_role("link", name="Keys").click()
    page.get_by_role("heading", name="Keys", level=1).wait_for()
    assert page.get_by_text("unsaved").count() == 0


def test_who_was_overtaken_sees_the_difference_and_goes_on(chrome, config, make_gateway):
    gateway = make_gateway(console_config(config))
    console = chrome.console(gateway).sign_in()
    page, text = begin_to_edit(console)
    page.get_by_role("button", name="Check").click()
    page.get_by_text("Nothing is wrong with it.").wait_for()
    gateway.config_path.write_text(gateway.config_path.read_text().replace('"slow"', '"slower"'))
    page.get_by_role("button", name="Save and use it").click()
    page.get_by_role("alert").filter(has_text="The file was changed since you began").wait_for()
    meanwhile = page.get_by_label("Changed in the file")
    assert '"slower"' in meanwhile.locator(".added").inner_text() and '"slow"' in meanwhile.locator(".gone").inner_text()
    assert page.get_by_role("button", name="Save and use it").is_disabled() and '"smarter"' in text.input_value()
    assert console.axe() == []
    page.get_by_role("button", name="Go on with my text").click()
    gone = page.get_by_label("Changes", exact=True).locator(".gone")
    gone.first.wait_for()
    assert '"slower"' in " ".join(gone.all_inner_texts()), "what saving would undo is shown"
    text.fill(text.input_value().replace('"slow"', '"slower"'))
    page.get_by_role("button", name="Check").click()
    page.get_by_text("Nothing is wrong with it.").wait_for()
    page.get_by_role("button", name="Save and use it").click()
    page.get_by_role("button", name="Edit").wait_for()
    assert '"slower"' in gateway.config_path.read_text() and '"smarter"' in gateway.config_path.read_text()
    console.is_clean()


def test_a_draft_is_seen_while_the_file_cannot_be_read(chrome, config, make_gateway):
    gateway = make_gateway(console_config(config))
    console = chrome.console(gateway).sign_in()
    page, text = begin_to_edit(console)
    good = gateway.config_path.read_text()
    gateway.config_path.write_text(good + "\n}}\n")
    page.get_by_role("button", name="Check").click()
    page.get_by_role("heading", name="Your text, not saved").wait_for()
    assert '"smarter"' in page.get_by_role("region", name="Configuration file").first.inner_text()
    assert page.get_by_text("it cannot be read: line").is_visible(), "where"
    assert console.axe() == []
    gateway.config_path.write_text(good)
    page.get_by_role("link", name="Traces").first.click()
    page.get_by_role("link", name="Configuration").first.click()
    text.wait_for()
    assert '"smarter"' in text.input_value()


# --- alerts

def test_an_alert_says_why_and_is_silenced(chrome, config, make_gateway):
    settings = console_config(config)
    settings["alerts"] = {"step": "200ms", "window": "5s", "baseline": "5m", "rules": [
        {"name": "failing_requests", "when": "errors", "above": "5%", "for": "0s", "requests": 3, "severity": "page"}]}
    gateway = make_gateway(settings)
    console = chrome.console(gateway).sign_in()
    for _ in range(6):
        gateway.chat("fake/s503", "hello")
    page = console.open("alerts")
    alert = page.locator("section.alert")
    alert.first.wait_for()
    assert console.axe() == []
    page.get_by_role("link", name="Alerts").locator(".badge").wait_for()  # the menu says it as well
    alert.first.get_by_role("link", name="Traces behind it").click()
    console.settled()
    assert page.locator("tbody tr").count() >= 1 and "503" in page.locator("tbody").inner_text()
    page = console.open("alerts")
    alert.first.get_by_role("button", name="Silence").click()
    page.get_by_label("Note").fill("known")
    page.get_by_role("dialog").get_by_role("button", name="Silence").click()
    page.get_by_role("heading", name="Silences").wait_for()
    toast = page.locator(".toast").last
    toast.wait_for()
    whole, icon = toast.bounding_box(), toast.locator("svg").bounding_box()
    assert icon["width"] <= 24 and whole["height"] <= 110 and whole["width"] >= 200, (whole, icon)
    page.get_by_text("silent until").first.wait_for()
    silences = page.get_by_role("table", name="Silences")
    silences.get_by_role("cell", name="admin", exact=True).wait_for()  # a key by its name, not its id
    page.get_by_role("table", name="Silences").get_by_role("button", name="End").click()
    page.get_by_role("heading", name="Silences").wait_for(state="detached")
    console.is_clean()


# --- which rule

def test_a_trace_shows_the_rule_that_chose_its_targets(full, busy):
    answer = busy.chat("zoned", "hi", headers={"x-causeway-data": "medical"})
    assert answer.status_code == 200
    busy.at_rest()
    page = full.open("traces/" + answer.headers["x-request-id"])
    page.get_by_text("rule inside only").wait_for()


# --- who waits

def test_who_waits_for_a_target_is_shown(full, busy):
    streams = [busy.raw() for _ in range(3)]
    for stream in streams:
        stream.send(busy.request_bytes({"model": "slow", "stream": True,
                                        "messages": [{"role": "user", "content": "word " * 300}]}))  # 15 s
    try:
        page = full.open("models")
        table = page.get_by_role("table", name="Waiting for targets")
        row = table.get_by_role("row").filter(has_text="fake/slow-stream").first
        row.get_by_text("2", exact=True).wait_for(timeout=10_000)  # wait for the one that goes
        assert [cell.strip() for cell in row.get_by_role("cell").all_inner_texts()][2:5] == ["1", "1", "2"]
        tenant = table.get_by_role("row").filter(has_text="acme").first
        assert [cell.strip() for cell in tenant.get_by_role("cell").all_inner_texts()][3:5] == ["1", "2"]
        full.is_clean()
    finally:
        for stream in streams:
            stream.close()


def test_a_quota_that_is_used_up_is_shown(chrome, config, make_gateway):
    settings = config()
    settings["providers"]["fake"]["quota"] = {"requests_per_minute": 60}
    settings["policies"] = [{"name": "all", "priority": "high", "retries": {"wait": "30s"}}]
    gateway = make_gateway(settings)
    console = chrome.console(gateway).sign_in()
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(gateway.chat, "echo", f"question {number}") for number in range(20)]
        wait_until(lambda: "quota used up" in gateway.cli("providers").stdout, "they wait")
        table = console.open("models").get_by_role("table", name="Replicas and keys")
        row = table.get_by_role("row").filter(has_text="fake/echo")
        row.get_by_text("quota used up").wait_for()
        row.get_by_text(re.compile(r"^\d+ waiting$")).wait_for()
        assert {one.result().status_code for one in asked} == {200}
    console.is_clean()


# --- models of its own

@pytest.mark.skipif(not (ENGINE.exists() and chat_model_file()) and not os.environ.get("CI"),
                    reason="no engine here: scripts/deps builds it")
def test_a_local_model_is_loaded_and_unloaded(full):
    page = full.open("models")
    card = page.locator("section.card", has=page.get_by_role("heading", name="smollm2-135m-instruct"))
    card.get_by_role("button", name="Load").click()
    card.get_by_text("ready", exact=True).wait_for(timeout=90_000)
    card.get_by_role("button", name="Unload").click()
    card.get_by_text("stopped", exact=True).wait_for(timeout=30_000)


# --- overview

def test_the_overview_leads_to_what_is_behind_it(full, busy):
    page = full.open("overview?window=15m")
    full.until("[...document.querySelectorAll('.stat')].some(one => /^Requests/.test(one.innerText) && "
                           "!/\\n0\\n/.test(one.innerText))")
    page.get_by_role("link", name="model_not_found").or_(page.get_by_role("link", name="not_found")).first.click()
    full.settled()
    assert page.locator("tbody tr").count() >= 1 and "404" in page.locator("tbody").inner_text()
    page = full.open("overview?window=15m")
    page.get_by_role("button", name="Requests as a table").click()
    assert page.get_by_role("table", name="Requests").is_visible()
    assert plain_http("GET", f"http://{busy.admin}/api/overview?window=15m").status_code == 401


def test_other_names_lead_nowhere_and_one_point_is_drawn(full):
    def one_point(route):
        answer = route.fetch()
        data = answer.json()
        data["points"] = [{**data["points"][-1], "p50_ms": 200, "p95_ms": 300, "p99_ms": 400}]
        data["models"] = [{"model": "other", "requests": 7, "errors": 7, "p95_ms": 3, "cost": 0}]
        route.fulfill(response=answer, json=data)

    full.page.route("**/api/overview?*", one_point)
    try:
        page = full.open("overview?window=1h")
        row = page.get_by_role("table", name="Models").get_by_role("row").filter(has_text="all others")
        row.wait_for()
        assert row.get_by_role("link").count() == 0
        drawn = page.get_by_role("img", name="Time to the whole answer").locator("canvas").evaluate("""canvas => {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            let strong = 0;  // neither grey, as text and lines are, nor empty
            for (let at = 0; at < data.length; at += 4)
                strong += data[at + 3] > 128 && Math.max(data[at], data[at + 1], data[at + 2]) -
                    Math.min(data[at], data[at + 1], data[at + 2]) > 60;
            return strong;
        }""")
        assert drawn > 30, drawn
    finally:
        full.page.unroute("**/api/overview?*")
