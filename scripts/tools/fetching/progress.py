"""Shows how far something is: a moving line on a terminal, plain lines elsewhere, or JSON lines."""

import json
import sys
import time


def megabytes(count):
    return f"{count / 1e6:.1f} MB" if count < 1e8 else f"{count / 1e6:.0f} MB"


def duration(seconds):
    seconds = int(seconds + 0.5)
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min {seconds % 60:02d} s"


class Progress:
    """One of these for each thing; `style` is auto, plain, json or none; writes to stderr."""

    INTERVAL = {"bar": 0.2, "plain": 10.0, "json": 0.5, "none": float("inf")}

    def __init__(self, name, style="auto", out=None):
        self.name = name
        self.out = out or sys.stderr
        if style == "auto":
            style = "bar" if self.out.isatty() else "plain"
        self.style = style

    def start(self, step, total, already=0):
        """Begins a step of `total` bytes, `already` of which are there from an earlier run."""
        self.step, self.total, self.already = step, total, already
        self.began = time.monotonic()
        self.spoken = self.began if self.style == "plain" else 0.0
        remark = f", {megabytes(already)} of them already here" if already else ""
        if self.style == "plain":
            self._line(f"{self.name}: {step} {megabytes(total)}{remark}")

    def update(self, count):
        now = time.monotonic()
        if now - self.spoken < self.INTERVAL[self.style]:
            return
        self.spoken = now
        self._show(count, now)

    def finish(self, count):
        if self.style == "json":
            self._show(count, time.monotonic())
        elif self.style != "none":
            took = time.monotonic() - self.began
            self._line(f"{self.name}: {self.step} {megabytes(count)} done in {duration(took)}")

    def note(self, text):
        if self.style == "json":
            self._line(json.dumps({"name": self.name, "note": text}))
        elif self.style != "none":
            self._line(f"{self.name}: {text}")

    def _show(self, count, now):
        speed = (count - self.already) / max(now - self.began, 1e-6)
        left = (self.total - count) / speed if speed > 0 else None
        if self.style == "json":
            fields = {"name": self.name, "step": self.step, "bytes": count, "total": self.total,
                      "bytes_per_second": int(speed)}
            if left is not None:
                fields["seconds_left"] = round(left, 1)
            self._line(json.dumps(fields))
            return
        share = 100 * count // max(self.total, 1)
        text = (f"{self.name}: {self.step} {share}% of {megabytes(self.total)}, "
                f"{megabytes(speed)}/s" + (f", {duration(left)} left" if left is not None else ""))
        if self.style == "bar":
            self.out.write("\r\033[K" + text)
            self.out.flush()
        else:
            self._line(text)

    def _line(self, text):
        self.out.write(("\r\033[K" if self.style == "bar" else "") + text + "\n")
        self.out.flush()
