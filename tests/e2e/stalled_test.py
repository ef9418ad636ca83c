"""A ticker that stands still before the disaster must not make a good RPO."""
import signal
import time

import harness
from harness import INCONCLUSIVE, PASS, Tap, reasons

tap = Tap()


def main():
    with harness.workspace("stalled") as path:
        with harness.Sandbox(path / "sandbox", members=1) as sandbox:
            drill = harness.Drill(sandbox, path / "run")
            drill.start_ticker()
            time.sleep(5)
            name = drill.backup()
            drill.pin(name)
            time.sleep(3)
            drill.ticker.send_signal(signal.SIGSTOP)
            time.sleep(13)
            drill.ticker.send_signal(signal.SIGCONT)
            drill.disaster()
            drill.restore(name)
            drill.collect()
            with tap.check("the ticker was frozen for 13 s before the disaster: INCONCLUSIVE, STALLED"):
                status, verdict = drill.check()
                assert status == INCONCLUSIVE and "STALLED" in reasons(verdict), drill.output
            with tap.check("and for no other reason"):
                assert set(reasons(verdict)) <= {"STALLED", "OPEN_JOURNAL", "ENVIRONMENT"}, reasons(verdict)
    with harness.workspace("explained") as path:
        with harness.Sandbox(path / "sandbox", members=1) as sandbox:
            drill = harness.Drill(sandbox, path / "run")
            drill.start_ticker()
            time.sleep(5)
            name = drill.backup()
            drill.pin(name)
            time.sleep(2)
            drill.note("outage.start", why="the ticker is frozen on purpose")
            drill.ticker.send_signal(signal.SIGSTOP)
            time.sleep(13)
            drill.ticker.send_signal(signal.SIGCONT)
            drill.note("outage.end", why="thawed")
            time.sleep(2)
            drill.disaster()
            drill.restore(name)
            drill.collect()
            with tap.check("a stall that the timeline explains is no stall: PASS"):
                status, verdict = drill.check()
                assert status == PASS, drill.output
    tap.done()


main()
