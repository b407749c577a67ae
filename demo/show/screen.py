"""What the demo writes: plain lines, coloured on a terminal unless NO_COLOR is set."""

import datetime
import os
import sys


class Screen:
    def __init__(self):
        self.terminal = sys.stdout.isatty()
        self.colour = self.terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        try:
            "✔✗█".encode(sys.stdout.encoding or "ascii")
            self.good, self.bad, self.bar_mark = "✔", "✗", "█"
        except (UnicodeEncodeError, LookupError):
            sys.stdout.reconfigure(errors="replace")
            self.good, self.bad, self.bar_mark = "ok", "XX", "#"

    def paint(self, text, colour):
        codes = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "dim": "2", "alarm": "1;97;41", "calm": "1;30;42"}
        return f"\033[{codes[colour]}m{text}\033[0m" if self.colour else text

    def say(self, text=""):
        print(text, flush=True)

    def head(self, text):
        self.say()
        self.say(self.paint(text, "bold"))

    def columns(self):
        self.say(self.paint("  time      ingest      incident    alert           burn rate, 10 s     2 min   "
                            "budget left  page", "dim"))

    def row(self, run, burn_short, burn_long, budget, page):
        """One line: when a run was due and how it went at each stage, and where the SLO stands now."""
        stages = "".join(self._stage(stage, width) for stage, width in zip(run["stages"], (12, 12, 13)))
        due = datetime.datetime.fromisoformat(run["due"].replace("Z", "+00:00")).astimezone()
        self.say(f"  {due:%H:%M:%S}  {stages}{self._burn(burn_short)}  {_number(burn_long):>7}"
                 f"   {budget * 100:8.2f} %   {self._page(page)}")

    def _stage(self, stage, width):
        bad = stage["bad"] or stage["verdict"] not in (None, "on_time")
        if bad:
            text = f"{self.bad} {stage['verdict'] or 'missing'}"
        else:
            text = f"{self.good} {stage['latency_seconds'] * 1000:.0f} ms"
        return self.paint(text.ljust(width), "red" if bad else "green")

    def _burn(self, burn):
        width = min(10, round((burn or 0) / 20))
        bar = (self.bar_mark * width).ljust(10)
        return f"{_number(burn):>6} {self.paint(bar, 'red' if (burn or 0) > 14.4 else 'yellow')}"

    def _page(self, page):
        return self.paint(" FIRING ", "alarm") if page else "quiet"


def _number(value):
    return "-" if value is None else f"{value:.1f}"
