"""Drives the console in a real Chromium on a gateway whose store is full of traces, with requests coming in, and prints
how long it takes from an action to its rows on the screen. Run by scripts/bench --traces.

  measure.py FOLDER --program build/release/causeway      FOLDER: what causeway_traces_million wrote
"""

import argparse
import http.client
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]

from gateway import KEY, UPSTREAM_KEY, Gateway  # noqa: E402
from harness import machine  # noqa: E402
from harness.report import Row, print_table  # noqa: E402

MOST_BEYOND = 200  # ms that an action may take, besides the time of the API itself
MOST_TASK = 50  # ms that the page may not react, once it is loaded
MOST_GAP = 100  # ms between two frames; a frame takes 17
MOST_LATE = 0.05  # of the frames that take longer than two
PER_SECOND = 50  # requests of applications meanwhile
TRIES = 5

# Before any script of the page: tasks that are longer than 50 ms.
WATCH = """
window.__tasks = [];
new PerformanceObserver((list) => window.__tasks.push(...list.getEntries().map((one) => [one.startTime, one.duration])))
    .observe({ type: "longtask", buffered: true });
"""

# Does something, waits until it is on the screen, and tells how long that took.
MEASURE = """async ([action, path, rows]) => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const find = (kind, words) => [...document.querySelectorAll(kind)].find((one) => one.textContent.trim() === words);
  const type = (label, text) => {
    const field = find("label", label);
    const input = document.getElementById(field?.htmlFor) ?? field.querySelector("input, select");
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(input), "value").set.call(input, text);
    input.dispatchEvent(new Event(input.tagName === "SELECT" ? "change" : "input", { bubbles: true }));
  };
  const act = { go: (hash) => (location.hash = hash), click: (kind, words) => find(kind, words).click(), type };
  performance.clearResourceTimings();
  const began = performance.now();
  const shown = document.querySelectorAll("main tbody tr").length;
  act[action[0]](...action.slice(1));
  const mine = () => performance.getEntriesByType("resource").filter((one) => one.name.includes(path) && one.responseEnd);
  const ready = () => mine().length && !document.querySelector("main .loading, main section[aria-busy]") &&
    (rows === "more" ? document.querySelectorAll("main tbody tr").length > shown : document.querySelector(rows));
  while (!ready()) {
    if (performance.now() - began > 20000) throw new Error("nothing came of " + action.join(" "));
    await frame();
  }
  await frame();  // it is painted
  const took = performance.now() - began;
  const api = Math.max(...mine().map((one) => one.responseEnd)) - Math.min(...mine().map((one) => one.requestStart));
  await new Promise((done) => setTimeout(done, 120));  // tasks are told later
  const tasks = window.__tasks.filter(([at]) => at >= began).map(([, time]) => time);
  return { took, api, task: Math.max(0, ...tasks), rows: document.querySelectorAll("main tbody tr").length };
}"""

# Scrolls down and up again at four pixels a millisecond, or only waits, and tells the longest time between two frames.
FRAMES = """async ([milliseconds, scrolls]) => {
  const began = performance.now(), gaps = [];
  let last = began;
  while (last - began < milliseconds) {
    const now = await new Promise((done) => requestAnimationFrame(done));
    if (now > last) gaps.push(now - last);
    const half = milliseconds / 2, gone = now - began;
    if (scrolls) scrollTo(0, 4 * (gone < half ? gone : milliseconds - gone));
    last = Math.max(now, last);
  }
  await new Promise((done) => setTimeout(done, 120));
  const tasks = window.__tasks.filter(([at]) => at >= began).map(([, time]) => time);
  gaps.sort((a, b) => a - b);
  return { gap: gaps.at(-1), late: gaps.filter((one) => one > 34).length / gaps.length, frames: gaps.length,
           task: Math.max(0, ...tasks), rows: document.querySelectorAll("main tbody tr").length };
}"""

LIST, ONE = "/api/traces?", "/api/traces/"
ROWS = "main tbody tr"
ACTIONS = [
    ("Traces from the menu", ["go", "#/traces"], LIST, ROWS),
    ("only errors", ["click", "label", "Only errors"], LIST, ROWS),
    ("… and one model", ["type", "Model", "model-3"], LIST, ROWS),
    ("only with failed tries", ["click", "label", "Only with failed tries"], LIST, ROWS),
    ("users by pattern", ["type", "User", "user_77*"], LIST, ROWS),
    ("30 s and slower", ["type", "At least ms", "30000"], LIST, ROWS),
    ("words in the contents", ["type", "Words", "word4711 "], LIST, ROWS),
    ("the last day", ["type", "Time", "24h"], LIST, ROWS),
    ("a page more", ["click", "button", "Show more"], LIST, "more"),
    ("one trace", ["go", ""], ONE, "main dl.facts"),
    ("Overview", ["go", "#/overview"], "/api/overview", "main .stat"),
]


class Traffic:
    """Requests of applications, evenly spread, until it is left."""

    def __init__(self, gateway):
        self.gateway, self.stop = gateway, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def run(self):
        number, began = 0, time.monotonic()
        connection = http.client.HTTPConnection(self.gateway.listen)
        fields = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
        while not self.stop.wait(max(0.0, began + number / PER_SECOND - time.monotonic())):
            body = {"model": "fast" if number % 20 else "no-such-model",
                    "messages": [{"role": "user", "content": f"word{number}"}]}
            connection.request("POST", "/v1/chat/completions", json.dumps(body), fields)
            connection.getresponse().read()
            number += 1

    def __exit__(self, *reason):
        self.stop.set()
        self.thread.join()


def open_anew(console, place):
    console.open("keys")
    page = console.open(place)
    page.wait_for_timeout(300)
    return page


def measure(console, name, action, path, rows):
    taken = []
    for _ in range(TRIES):
        page = open_anew(console, "keys" if action[1] == "#/traces" else "traces")
        if action == ["go", ""]:
            action = ["go", page.locator(f"{ROWS} a").first.get_attribute("href")]
        if name.startswith("…"):
            page.evaluate(MEASURE, [["click", "label", "Only errors"], LIST, ROWS])
        taken.append(page.evaluate(MEASURE, [action, path, rows]))
    return report(name, taken)


def report(name, taken):
    beyond = [one["took"] - one["api"] for one in taken]
    median = statistics.median
    task = median(one["task"] for one in taken)
    measured = (f"{median(one['took'] for one in taken):.0f} ms, of these {median(one['api'] for one in taken):.0f} the API; "
                f"longest {max(one['took'] for one in taken):.0f}; long task {task:.0f} ms; {taken[-1]['rows']} rows")
    return Row(name, f"≤ {MOST_BEYOND} ms beyond the API, tasks ≤ {MOST_TASK} ms", measured,
               median(beyond) <= MOST_BEYOND and task <= MOST_TASK)


def frames(page, name, milliseconds, scrolls):
    seen = page.evaluate(FRAMES, [milliseconds, scrolls])
    measured = (f"longest gap {seen['gap']:.0f} ms, {seen['late']:.1%} of {seen['frames']} frames late; "
                f"long task {seen['task']:.0f} ms; {seen['rows']} rows")
    return Row(name, f"gaps ≤ {MOST_GAP} ms, late ≤ {MOST_LATE:.0%}", measured,
               seen["gap"] <= MOST_GAP and seen["late"] <= MOST_LATE)


def drive(console):
    page = console.page
    page.add_init_script(WATCH)
    console.sign_in()
    console.settled()
    page.wait_for_timeout(1500)  # the load itself is not measured
    rows = [measure(console, *one) for one in ACTIONS]
    open_anew(console, "traces")
    for _ in range(10):
        page.evaluate(MEASURE, [["click", "button", "Show more"], LIST, "more"])
    rows.append(frames(page, "scrolling through ten pages", 6000, True))
    page.get_by_role("button", name="Follow live").click()
    rows.append(frames(page, f"following live, {PER_SECOND} requests/s", 10_000, False))
    rows.append(frames(page, "… and scrolling", 6000, True))
    page.goto(f"{console.url}/#/overview")
    rows.append(frames(page, "the overview, live", 11_000, False))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--program", type=Path, default=ROOT / "build" / "release" / "causeway")
    options = parser.parse_args()
    os.environ["CAUSEWAY_BIN"] = str(options.program)
    from console_browser import browsers
    from fake_upstream import Fake

    fake = Fake().start()
    settings = {
        "server": {"data": str(options.folder)},
        "providers": {"fake": {"kind": "openai", "base_url": fake.base_url, "api_key": UPSTREAM_KEY}},
        "models": {"fast": {"targets": ["fake/s503", "fake/echo"]}},
        "keys": [{"name": "shop", "secret": KEY, "models": ["*"]}],
        "policies": [{"name": "everyone", "retries": "off", "traces": {"contents": "on"}}],
    }
    with tempfile.TemporaryDirectory(prefix="causeway-bench-") as work:
        gateway = Gateway(Path(work) / "gateway", settings)
        try:
            with machine.priority(print), browsers() as made, Traffic(gateway):
                rows = drive(made.console(gateway))
        finally:
            gateway.stop()
            fake.stop()
    print_table(rows)
    print(f"\nMedians of {TRIES}. Load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.")
    return 0 if all(row.passed for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
