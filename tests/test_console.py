"""The operators' console in a real Chromium: every page, both roles, keyboard, colours, phone, hostile texts."""

import gzip
import subprocess

import pytest

from console_browser import PHONE, SECRET_WORDS, Console, console_config, newest
from gateway import ADMIN_KEY, KEY, ROOT

DIST = ROOT / "web" / "console" / "dist"
HOSTILE = ("<script>window.__pwned = 1</script><img src=x onerror='window.__pwned = 2'><svg onload=alert(3)>"
           "</textarea><iframe src=javascript:alert(4)></iframe>{{7*7}}${alert(5)}\"'><b>bold</b>")
PAGES = ["overview", "traces", "usage", "alerts", "playground", "tests", "privacy", "keys", "models", "config"]


# --- what is served

def test_it_is_small_and_whole():
    files = [path for path in DIST.rglob("*") if path.is_file()]
    size = sum(len(gzip.compress(path.read_bytes(), 9)) for path in files)
    assert 20_000 < size <= 300_000, size
    page = (DIST / "index.html").read_text()
    assert "style=" not in page and "<style" not in page and page.count("<script") == 1
    assert "://" not in page, "nothing comes from elsewhere"
    licences = next(DIST.glob("assets/LICENSES*")).read_text()
    assert all(name in licences for name in ("preact ", "@preact/signals ", "uplot ", "MIT"))
    sources = "".join(path.read_text() for path in (ROOT / "web" / "console" / "src").rglob("*.ts*"))
    assert "innerHTML" not in sources and "eval(" not in sources and "new Function" not in sources


@pytest.mark.timeout(330)
def test_what_is_committed_is_what_the_sources_give():
    done = subprocess.run([ROOT / "scripts" / "console", "--check"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


# --- signing in

def test_a_wrong_key_does_not_open_it(chrome, busy):
    console = chrome.console(busy)
    page = console.page
    page.goto(console.url + "/")
    for key in ("cw-wrong-key-of-nobody", KEY):
        page.get_by_label("Admin key").fill(key)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("alert").filter(has_text="no admin key that works").wait_for()
    assert page.locator("nav").count() == 0
    assert console.axe() == []
    page.get_by_label("Admin key").fill(ADMIN_KEY)
    page.keyboard.press("Enter")
    page.get_by_text("full", exact=True).wait_for()
    assert page.evaluate("document.cookie") == "", "no script may read the session"
    assert ADMIN_KEY not in page.evaluate("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")
    page.reload()
    page.get_by_text("full", exact=True).wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Admin key").wait_for()
    assert page.evaluate("fetch('/api/status').then(a => a.status)") == 401
    console.is_clean()


def test_who_guesses_is_locked_out(chrome, config, make_gateway):
    console = chrome.console(make_gateway(console_config(config)))
    page = console.page
    page.goto(console.url + "/")
    for _ in range(6):
        page.get_by_label("Admin key").fill("cw-guessed-0123456789")
        with page.expect_response("**/api/session"):
            page.get_by_role("button", name="Sign in").click()
        page.get_by_role("alert").wait_for()
    page.get_by_role("alert").filter(has_text="Too many wrong keys").wait_for()


def test_a_revoked_key_is_shown_out(chrome, busy):
    made = busy.make_key(kind="admin")
    console = chrome.console(busy).sign_in(made["key"])
    console.open("keys")
    busy.admin_call("DELETE", f"/api/keys/{made['id']}")
    console.page.goto(console.url + "/#/models")
    console.page.get_by_label("Admin key").wait_for()


# --- every page

@pytest.mark.parametrize("place", PAGES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_is_there_and_readable(chrome, full, dark, place):
    page = full.page
    page.emulate_media(color_scheme="dark" if dark else "light")
    assert place in full.places()
    full.open(place)
    page.wait_for_timeout(250)  # charts and what is loaded second
    assert page.evaluate("document.documentElement.dataset.theme") == ("dark" if dark else "light")
    assert full.axe() == []
    full.is_clean()
    assert not full.refused


@pytest.mark.parametrize("place", [*PAGES, "trace"])
def test_every_page_fits_a_phone(chrome, busy, place):
    console = Phone.of(chrome, busy)
    page = console.open(f"traces/{newest(busy, found='email')}" if place == "trace" else place)
    page.wait_for_timeout(150)
    assert console.too_wide() <= 0
    assert console.axe() == []
    console.is_clean()


class Phone:
    """One phone for all pages."""

    made: dict = {}

    @classmethod
    def of(cls, chrome, gateway) -> Console:
        if gateway not in cls.made:
            cls.made[gateway] = chrome.console(gateway, size=PHONE, has_touch=True).sign_in()
        return cls.made[gateway]


def test_the_menu_of_a_phone(chrome, busy):
    console = Phone.of(chrome, busy)
    page = console.open("traces")
    menu = page.get_by_role("button", name="Menu")
    assert not page.get_by_role("link", name="Keys").is_visible()
    menu.click()
    page.get_by_role("link", name="Keys").click()
    page.get_by_role("heading", name="Keys", level=1).wait_for()
    page.locator(".side").wait_for(state="hidden")
    menu.click()
    page.locator(".side").wait_for()
    page.keyboard.press("Escape")
    page.locator(".side").wait_for(state="hidden")


def test_a_page_without_its_route_is_not_there(full):
    page = full.open("nothing-of-the-sort")
    assert page.get_by_text("There is no such page").is_visible()


def test_the_chosen_colours_stay(chrome, busy):
    console = chrome.console(busy).sign_in()
    page = console.open("keys")
    page.get_by_role("button", name="Dark colours").click()
    page.reload()
    console.settled()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.get_by_role("button", name="Light colours").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


# --- the read-only role

def test_a_reader_is_offered_nothing_that_changes(reader, busy):
    assert set(reader.places()) == set(PAGES) - {"playground"}
    request = newest(busy, found="email")
    for place in [*reader.places(), f"traces/{request}"]:
        page = reader.open(place)
        page.wait_for_timeout(150)
        buttons = " | ".join(page.get_by_role("button").all_inner_texts())
        for word in ("Create", "Rotate", "Revoke", "Expiry", "Edit", "Reload", "Load", "Unload", "Fetch", "Replay",
                     "Mark", "Silence", "Delete", "Send", "Save"):
            assert word not in buttons, (place, word, buttons)
        assert page.get_by_text(SECRET_WORDS).count() == 0, place
    assert not reader.refused, "nothing was asked for that this key may not have"
    reader.is_clean()
    page = reader.open(f"traces/{request}")
    assert page.get_by_text("Contents are shown to full admin keys only").is_visible()
    page = reader.open("traces")
    assert page.get_by_label("Words").count() == 0
    page = reader.open("playground")
    assert page.get_by_text("There is no such page").is_visible()


# --- keyboard

def test_without_a_mouse(chrome, busy):
    console = chrome.console(busy)
    page = console.page
    page.goto(console.url + "/")
    page.get_by_label("Admin key").wait_for()
    assert page.evaluate("document.activeElement.type") == "password"
    page.keyboard.type(ADMIN_KEY)
    page.keyboard.press("Enter")
    page.locator("nav[aria-label=Pages]").wait_for()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.textContent").startswith("Keys"):
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "the focus is seen"
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Keys", level=1).wait_for()
    assert page.evaluate("document.activeElement.id") == "main"
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Create a key":
            break
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    assert page.evaluate("document.activeElement.closest('dialog') !== null")
    assert console.axe() == []
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    assert page.evaluate("document.activeElement.textContent") == "Create a key"


# --- hostile texts

def test_nothing_of_what_people_write_runs(chrome, config, make_gateway, fake):
    name = "k<img src=x onerror=alert(1)>"
    settings = console_config(config)
    settings["models"]["<svg onload=alert(6)>"] = {"targets": ["fake/echo"]}
    gateway = make_gateway(settings)
    made = gateway.make_key(name=name, tenant="<b>t</b>", user="<script>alert(7)</script>", models=["*"])
    for model in ("fast", "<svg onload=alert(6)>", "<script>alert(8)</script>"):
        gateway.chat(model, HOSTILE, key=made["key"], tools=[
            {"type": "function", "function": {"name": "f", "description": HOSTILE, "parameters": {}}}],
            tool_choice="none", user=HOSTILE[:60])
    request = newest(gateway, model="fast")
    console = chrome.console(gateway).sign_in()
    page = console.open(f"traces/{request}")
    assert page.get_by_text("<script>window.__pwned = 1</script>").count() >= 2, "prompt and answer, as they were written"
    page.get_by_role("button", name="As it was sent").click()
    if page.get_by_role("button", name="Replay").count():
        page.get_by_role("button", name="Replay").click()
        page.get_by_role("button", name="Send again").click()
        page.get_by_label("Mark differences").check()
    if page.get_by_role("button", name="Mark as test case").count():
        page.get_by_role("button", name="Mark as test case").click()
        page.get_by_label("Note").fill(HOSTILE)
        page.get_by_role("button", name="Mark", exact=True).click()
        page.get_by_role("dialog").wait_for(state="detached")
    if "playground" in console.places():
        page = console.open("playground?models=fast,<svg onload=alert(6)>")
        page.get_by_label("System prompt").fill(HOSTILE)
        page.get_by_label("Prompt", exact=True).fill(HOSTILE + "\n```html\n" + HOSTILE + "\n```\n")
        page.get_by_role("button", name="Send").click()
        page.get_by_text("You said: <script>window.__pwned = 1").first.wait_for()
        page.get_by_role("button", name="As the provider sees it").click()
        page.get_by_role("button", name="Copy as code").click()
        page.keyboard.press("Escape")
    for place in console.places():
        page = console.open(place)
        page.wait_for_timeout(150)
        console.is_clean()
    console.open("keys")
    assert page.get_by_text(name).first.is_visible()
    page = console.open("privacy")
    page.get_by_label("Text", exact=True).fill(HOSTILE + " jan@example.com")
    page.get_by_role("button", name="Look through it").click()
    page.locator("mark").first.wait_for()
    page = console.open("traces/" + HOSTILE[:40].replace("/", "%2F").replace("#", ""))
    page = console.open("%3Cimg%20src=x%20onerror=alert(9)%3E")
    console.is_clean()
