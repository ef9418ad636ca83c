"""A ticker that stands still before the disaster must not make a good RPO, unless the timeline says why it stood still.

    stalled_test.py unexplained | explained
"""
import signal
import sys
import time

import harness
from harness import INCONCLUSIVE, PASS, Tap, reasons

tap = Tap()
FROZEN_S = 13  # the limit is max(5 intervals, 10 s)


def freeze(drill):
    drill.ticker.send_signal(signal.SIGSTOP)
    time.sleep(FROZEN_S)
    drill.ticker.send_signal(signal.SIGCONT)


def story(path, between):
    """One drill on a single member; between(drill) happens after the backup and before the disaster."""
    with harness.Sandbox(path / "sandbox", members=1) as sandbox:
        drill = harness.Drill(sandbox, path / "run")
        drill.start_ticker()
        time.sleep(5)
        name = drill.backup()
        drill.pin(name)
        time.sleep(3)
        between(drill)
        drill.disaster()
        drill.restore(name)
        drill.collect()
        return drill, drill.check()


def unexplained(path):
    drill, (status, verdict) = story(path, freeze)
    tap.ok(status == INCONCLUSIVE and "STALLED" in reasons(verdict), f"the ticker was frozen for {FROZEN_S} s before the disaster: INCONCLUSIVE, STALLED", drill.output)
    tap.ok(set(reasons(verdict)) <= {"STALLED", "OPEN_JOURNAL", "ENVIRONMENT"}, "and for no other reason", reasons(verdict))


def explained(path):
    def between(drill):
        drill.note("outage.start", why="the ticker is frozen on purpose")
        freeze(drill)
        drill.note("outage.end", why="thawed")
        time.sleep(2)

    drill, (status, _) = story(path, between)
    tap.ok(status == PASS, "a stall that the timeline explains is no stall: PASS", drill.output)


def main():
    which = {"unexplained": unexplained, "explained": explained}[sys.argv[1]]
    with harness.workspace("stalled") as path, tap.check(f"the story is played to its end: {sys.argv[1]}"):
        which(path)
    tap.done()


main()
