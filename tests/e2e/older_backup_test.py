"""The wrong backup, restored without a fault: an older one than was pinned, and an older one pinned as well."""
import json
import time

import harness
from harness import FAIL, Tap, reasons

tap = Tap()


def main():
    with harness.workspace("older") as path:
        with harness.Sandbox(path / "sandbox") as sandbox:
            drill = harness.Drill(sandbox, path / "run")
            drill.start_ticker()
            time.sleep(6)
            older = sandbox.backup()
            drill.pin(older, path / "older.json")
            time.sleep(3)
            newer = drill.backup()
            drill.pin(newer)
            time.sleep(5)
            drill.disaster()
            drill.restore(older)
            drill.collect()
            with tap.check("an older backup than the pinned one was restored: FAIL, WRONG_BACKUP, and the missing ticks are counted"):
                status, verdict = drill.check()
                assert status == FAIL and {"WRONG_BACKUP", "LOST"} <= set(reasons(verdict)), drill.output
                assert int(verdict["counts"]["lost"]) > 50, verdict["counts"]
            with tap.check("the older backup is pinned too, so that nothing is missing before it: FAIL all the same, BOUND_BEFORE_ANCHOR"):
                copy = drill.copy("pinned")
                (copy.dir / "bound.json").write_text((path / "older.json").read_text())
                status, verdict = copy.check()
                assert status == FAIL and "BOUND_BEFORE_ANCHOR" in reasons(verdict), copy.output
                assert int(verdict["counts"]["lost"]) == 0, verdict["counts"]
            with tap.check("a bound moved by hand to before the loss: FAIL"):
                copy = drill.copy("moved")
                bound = json.loads((copy.dir / "bound.json").read_text())
                older_bound = json.loads((path / "older.json").read_text())
                for key in ("b0", "clusterLastWriteTs", "replicaSets"):
                    bound[key] = older_bound[key]
                (copy.dir / "bound.json").write_text(json.dumps(bound))
                status, verdict = copy.check()
                assert status == FAIL and {"BOUND_BEFORE_ANCHOR", "WRONG_BACKUP"} <= set(reasons(verdict)), copy.output
    tap.done()


main()
