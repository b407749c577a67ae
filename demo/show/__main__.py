"""The story the demo tells, checked line by line: whoever shows that a page fires must see it fire."""

import itertools
import signal
import sys
import time

from screen import Screen
from world import DemoError, World, metric, on_signals_exit

SLO, TRANSACTION = "alert-delivered", "log-to-alert"
TIER = "14.4x2m"  # the fast page: burn rate over 14.4 for 2 minutes and for 10 seconds

INTRODUCTION = """
slosonde puts a synthetic log into a pipeline every second, and looks for it at every stage:

    log --> [ingest] --Kafka--> [incident detection] --Kafka--> [alert router] --> alert

The promise (SLO): {objective:g} % of these logs become an alert within 3 seconds, judged over a day.
    error budget   how much may go wrong: {share:g} % of a day's {runs:.0f} runs, so {allowed:.0f} of them.
    burn rate      how fast that budget is being spent. At 1 it lasts exactly the day; at 14.4 it is gone in
                   {hours:.1f} hours, and somebody is paged: once it holds over 10 seconds, and as much has failed as
                   makes it 14.4 over two full minutes (a probe this young has no two minutes yet).

Each line below is one run, by when its log was due, with when it was seen at each stage. Incidents are read from
Kafka, alerts arrive by themselves: an alert can be seen a few ms before the incident behind it is read."""


class Story:
    def __init__(self, world, screen):
        self.world, self.screen = world, screen
        self.slo = world.slo(SLO)
        self.newest, self.shown = "", 0  # when the newest run shown was due; how many were shown

    def tell(self):
        objective = self.slo["objective"]
        runs = self.slo["window_seconds"]
        self.screen.say(INTRODUCTION.format(
            objective=objective * 100, share=(1 - objective) * 100, runs=runs, allowed=(1 - objective) * runs,
            hours=self.slo["window_seconds"] / 3600 / 14.4))

        self.screen.head("1. All is well.")
        self.screen.columns()
        self.watch(lambda: self.slo["good"] >= 10, 40, "ten runs to go well")
        self.expect(self.slo["bad"] == 0 and not self.page(), f"no run failed and nobody was paged, but {self.slo}")
        budget_before = self.slo["budget_remaining"]

        self.screen.head('2. The alert router now loses every alert:  POST /faults {"stage": "alert", "drop": 1}')
        self.screen.say("   A lost alert is missed only when its 3 seconds are over: the lines now come that much later.")
        self.world.fault(stage="alert", drop=1)
        began = time.monotonic()
        self.watch(self.page, 60, f"the page ({TIER}) to fire")
        fired_after = time.monotonic() - began
        self.screen.say(self.screen.paint(f"  The page fired {fired_after:.0f} s after the fault began.", "red"))
        self.expect(self.burn("10s") > 14.4 and self.burn("2m") > 14.4, f"the burn rates are over 14.4: {self.slo}")
        self.check_metrics(active=1)
        self.watch_more(4)

        self.screen.head("3. The fault is switched off:  DELETE /faults")
        self.screen.say("   Alerts lost before are still missed; then the burn rates fall as the windows move on.")
        self.world.fault()
        ended = time.monotonic()
        self.watch(lambda: not self.page(), 90, "the page to resolve")
        resolved_after = time.monotonic() - ended
        self.screen.say(self.screen.paint(f"  The page resolved {resolved_after:.0f} s after the fault ended.", "green"))
        self.watch_more(4)
        self.check_metrics(active=0)
        self.survive()
        self.conclude(budget_before, fired_after, resolved_after)

    def survive(self):
        self.screen.head("4. The probe itself is killed (kill -9), and started again 3 seconds later.")
        shown = self.world.state()["committed_to"]
        self.wait(lambda: (self.world.state()["committed_to"] or "") > shown, 20, "what was shown to be committed")
        before = self.world.slo(SLO)
        shown = self.world.state()["committed_to"]
        self.wait(lambda: self.world.state()["committed_to"] > shown, 20, "what was shown to be committed")
        self.world.kill_probe(dead_for=3)
        after = self.world.slo(SLO)
        self.expect(after["since"] == before["since"] and after["good"] >= before["good"] and
                    after["bad"] == before["bad"], f"the counts go on: {before}, then {after}")
        self.wait(lambda: self.world.slo(SLO)["good"] >= after["good"] + 2, 40, "runs to go well again")
        after = self.world.slo(SLO)
        unjudged = after["unjudged"]
        self.screen.say(f"   before   {before['good']} good, {before['bad']} bad, budget left "
                        f"{before['budget_remaining'] * 100:.1f} %\n"
                        f"   after    {after['good']} good, {after['bad']} bad, budget left "
                        f"{after['budget_remaining'] * 100:.1f} %; "
                        f"{unjudged['missed'] - before['unjudged']['missed']} slots missed meanwhile")
        self.expect(unjudged["missed"] > before["unjudged"]["missed"], f"slots were missed meanwhile: {after}")
        self.screen.say(self.screen.paint("  Nothing that had been committed is lost, and no failure was made up.", "green"))
        self.slo = after

    def conclude(self, budget_before, fired_after, resolved_after):
        spent, failed = budget_before - self.slo["budget_remaining"], self.slo["bad"]
        other = self.world.slo("incident-fast")
        self.expect(spent > 0 and failed >= 9, f"the outage cost some budget: {self.slo}")
        self.expect(other["bad"] < failed, f"the incident stage did not suffer: {other}")
        stages = self.world.stages()
        self.expect(stages["alert"]["dropped"] >= failed, f"the router lost what is missing: {stages}")
        self.screen.head("What happened")
        self.screen.say(f"  {stages['ingest']['taken']} logs went in; {stages['alert']['dropped']} alerts were lost on "
                        f"purpose; slosonde missed {failed} within their 3 seconds\n"
                        f"  and pointed at the alert stage: ingest and incident detection stayed green.\n"
                        f"  Paged after {fired_after:.0f} s, resolved {resolved_after:.0f} s after the repair. "
                        f"Cost: {spent * 100:.1f} % of the day's error budget.")

    def watch(self, condition, deadline, what):
        """Shows every run in the order in which they were due, once it is decided, until condition() holds of what was read last."""
        end = time.monotonic() + deadline
        while not (self.step() and condition()):
            if time.monotonic() > end:
                raise DemoError(f"waited {deadline} s for {what}; the SLO says {self.slo}")
            time.sleep(0.1)

    def wait(self, condition, deadline, what):
        end = time.monotonic() + deadline
        while not condition():
            self.world.check_alive()
            if time.monotonic() > end:
                raise DemoError(f"waited {deadline} s for {what}; the SLO says {self.world.slo(SLO)}")
            time.sleep(0.1)

    def watch_more(self, runs):
        """Shows this many more runs."""
        until = self.shown + runs
        self.watch(lambda: self.shown >= until, 30, f"{runs} more runs")

    def step(self):
        """Reads where things stand, and shows the runs decided since; True if there were any. A run waits for those that
        were due before it: one that fails takes its 3 seconds, one that succeeds does not."""
        self.world.check_alive()
        self.slo = self.world.slo(SLO)
        news = sorted((run for run in self.world.runs(TRANSACTION, 20) if run["due"] > self.newest),
                      key=lambda run: run["due"])
        decided = list(itertools.takewhile(lambda run: run["verdict"], news))
        for run in decided:
            self.newest = run["due"]
            self.shown += 1
            self.screen.row(run, self.slo["burn_rates"].get("10s"), self.slo["burn_rates"].get("2m"),
                            self.slo["budget_remaining"], self.page())
        return bool(decided)

    def alert(self):
        return next(alert for alert in self.slo["alerts"] if alert["tier"] == TIER)

    def page(self):
        return self.alert()["active"]

    def burn(self, window):
        return self.slo["burn_rates"][window] or 0

    def check_metrics(self, active):
        """What Prometheus would scrape says the same."""
        text = self.world.metrics()
        seen = metric(text, "slosonde_slo_alert_active", slo=SLO, severity="page", tier=TIER)
        self.expect(seen == active, f"/metrics has slosonde_slo_alert_active {active} for {TIER}, but it is {seen}")
        burn = metric(text, "slosonde_slo_burn_rate", slo=SLO, window="2m")
        self.expect(burn is not None and burn > 0, f"/metrics has a burn rate, but it is {burn}")

    def expect(self, held, what):
        if not held:
            raise DemoError(f"expected that {what}")


def farewell(world, screen, stay):
    if not stay:
        screen.head("What to look at next")
        screen.say("  demo/run --stay       keeps probe and pipeline up, for their status page, metrics and API\n"
                   "  demo/slosonde.yaml    is the configuration that was run")
        return
    screen.head("Where to look")
    screen.say(f"  status page   {world.probe}/\n"
               f"  metrics       {world.probe}/metrics\n"
               f"  SLOs, runs    {world.probe}/api/v1/slos   {world.probe}/api/v1/runs\n"
               f"  pipeline      {world.pipeline}/status   embedded Kafka at {world.brokers}\n"
               f"  its config    demo/slosonde.yaml")
    screen.say(f'\n  Try: curl -d \'{{"stage": "detect", "delay": "5s"}}\' {world.pipeline}/faults\n'
               f"  and: curl -X DELETE {world.pipeline}/faults\n\n  Ctrl-C ends it.")
    while True:
        world.check_alive()
        time.sleep(1)


def main(arguments):
    on_signals_exit()
    screen = Screen()
    world = World()
    told = False
    try:
        with world:
            Story(world, screen).tell()
            told = True
            farewell(world, screen, "--stay" in arguments)
    except DemoError as error:
        print(f"\ndemo/run: {error}\n{world.logs()}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print()
        world.forget()
        return 0 if told else 128 + signal.SIGINT
    world.forget()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
