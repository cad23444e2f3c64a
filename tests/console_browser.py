"""Drives the console in a real Chromium, and notes whatever it should not do."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import tempfile

from playwright.sync_api import Page, sync_playwright

from gateway import ADMIN_KEY, KEY, Gateway, wait_until

READER = "admin-read-0123456789abcdefghijklmnopqrs"
CHROMIUM = "/usr/bin/chromium"
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
           "--disable-component-update", "--disable-sync"]
AXE = pathlib.Path(__file__).parent / "node" / "node_modules" / "axe-core" / "axe.min.js"
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SECRET_WORDS = "the quicksilver bluebird sings"
PERSON = f"I am Jan Kowalski, jan.kowalski@example.com, card 4111 1111 1111 1111; {SECRET_WORDS}."
WIDE, PHONE = {"width": 1360, "height": 900}, {"width": 375, "height": 760}

# Before any script of the page: what it breaks is kept where the test finds it.
WATCH = """
window.__violations = [];
document.addEventListener("securitypolicyviolation",
    (event) => window.__violations.push(event.violatedDirective + " " + event.blockedURI));
"""


def address(gateway: Gateway) -> str:
    return f"http://{gateway.admin}"


class Console:
    """One browser profile of its own: empty at the start, gone at the end."""

    def __init__(self, page: Page, gateway: Gateway):
        self.page, self.gateway, self.url = page, gateway, address(gateway)
        self.dialogs: list[str] = []
        self.errors: list[str] = []
        self.refused: list[str] = []
        page.set_default_timeout(15_000)
        page.add_init_script(WATCH)
        page.on("dialog", self._dialog)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._said)
        page.on("response", self._answer)

    def _dialog(self, dialog):
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _said(self, message):
        # That a route is not there, or not to be read, is how the console finds out what the program has.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.errors.append(message.text)

    def _answer(self, answer):
        if answer.status == 403 or answer.status >= 500:
            self.refused.append(f"{answer.status} {answer.request.method} {answer.url}")

    def sign_in(self, key: str = ADMIN_KEY) -> "Console":
        self.page.goto(self.url + "/")
        self.page.get_by_label("Admin key").fill(key)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.locator("nav[aria-label=Pages]").wait_for(state="attached")
        return self

    def open(self, place: str) -> Page:
        """A place behind "#/", when what it shows has been loaded."""
        self.page.goto(f"{self.url}/#/{place}")
        return self.settled()

    def settled(self) -> Page:
        # A new address is drawn a moment later: until then the place before would count as loaded.
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.page.locator("main h1").wait_for()
        self.until("!document.querySelector('main .loading, main section[aria-busy]')")
        return self.page

    def until(self, expression: str):
        """Waits for what Playwright's own wait may not compile under the page's policy on scripts."""
        wait_until(lambda: self.page.evaluate(expression), expression, timeout=20, every=0.05)

    def places(self) -> list[str]:
        """What the menu offers."""
        hrefs = self.page.locator("nav[aria-label=Pages] a").evaluate_all("all => all.map(a => a.hash)")
        return [href.removeprefix("#/") for href in hrefs]

    def axe(self) -> list[str]:
        """What axe finds wrong with the page as it is, at level AA."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("levels => axe.run({ runOnly: levels })", LEVELS)
        return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found["violations"]
                for node in one["nodes"]]

    def too_wide(self) -> int:
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def is_clean(self):
        """Nothing ran that is not the console's own, and nothing failed."""
        assert self.page.evaluate("window.__violations") == []
        assert self.page.evaluate("window.__pwned ?? null") is None
        scripts = self.page.locator("script").evaluate_all("all => all.map(one => one.src)")
        assert len(scripts) == 1 and "/assets/app-" in scripts[0], scripts
        assert self.page.locator("main img, iframe, object, embed, main [onerror], main [onload]").count() == 0
        assert not self.dialogs and not self.errors, (self.dialogs, self.errors)


class Browsers:
    """Starts Chromium once for each profile, colour and size that a test asks for."""

    def __init__(self, playwright):
        self.playwright, self.open = playwright, []

    def console(self, gateway: Gateway, *, dark: bool = False, size: dict = WIDE, **options) -> Console:
        profile = tempfile.mkdtemp(prefix="causeway-chromium-")
        context = self.playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, headless=True, args=OPTIONS, viewport=size,
            color_scheme="dark" if dark else "light", accept_downloads=True,
            permissions=["clipboard-read", "clipboard-write"], **options)
        self.open.append((context, profile))
        return Console(context.pages[0], gateway)

    def close(self):
        for context, profile in self.open:
            context.close()
            shutil.rmtree(profile, ignore_errors=True)
        self.open.clear()


@contextlib.contextmanager
def browsers():
    with sync_playwright() as playwright:
        made = Browsers(playwright)
        try:
            yield made
        finally:
            made.close()


def console_config(config, contents: bool = True) -> dict:
    """A gateway with something on every page: two providers, prices, a policy on personal data, an admin who reads."""
    value = config()
    value["providers"]["local"] = {"kind": "embedded"}
    value["models"] = {"fast": {"targets": ["fake/echo"]}, "smart": {"targets": ["fake/s503", "fake/echo"]},
                       "slow": {"targets": ["fake/slow-stream"]},
                       "zoned": {"targets": ["fake/s503"], "rules": [
                           {"name": "inside only", "when": {"data": ["medical"]}, "targets": ["fake/echo"]}]}}
    value["keys"] = [{"name": "shop", "secret": KEY, "models": ["*"],
                      "tenant": "acme"},
                     {"name": "reader", "secret": READER, "kind": "admin_read_only"}]
    value["prices"] = {"models": {"fake/echo": {"input": 2000, "output": 8000}}}
    value["policies"] = [{"name": "everyone", "pii": "mask", "retries": "off", "overload": {"concurrency": {"fake/slow-stream": 1}},
                          "traces": {"contents": "on" if contents else "off"}}]
    return value


def make_traffic(gateway: Gateway):
    """Something for every page: answers whole and streamed, words with personal data, refusals."""
    for text in (PERSON, "Write a haiku about bridges", "Translate hello"):
        gateway.chat("fast", text)
        gateway.chat_stream("smart", text)
    gateway.chat("no-such-model")
    gateway.chat("fake/s429", "slowly please")
    gateway.at_rest()


def newest(gateway, **query) -> str:
    gateway.at_rest()
    path = "/api/traces?" + "&".join(f"{name}={value}" for name, value in query.items())
    return gateway.admin_call("GET", path).json()["traces"][0]["request_id"]
