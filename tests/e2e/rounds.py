"""Clean rounds of tick, back up, wipe, restore and judge: every one must be an exact PASS.

    BUILD_DIR=build/release SOURCE_DIR=. tests/e2e/python tests/e2e/rounds.py --count 20 --rate 50
"""
import argparse
import os
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("SOURCE_DIR", str(ROOT))
os.environ.setdefault("BUILD_DIR", str(ROOT / "build/release"))

import harness  # pylint: disable=wrong-import-position


def one(sandbox, path, rate, tap, number):
    drill = harness.Drill(sandbox, path / f"run-{number}", rate=rate)
    with tap.check(f"round {number}"):
        began = time.monotonic()
        drill.start_ticker()
        time.sleep(5)
        name = drill.backup()
        drill.pin(name)
        time.sleep(3)
        drill.disaster()
        assert drill.restore(name).returncode == 0
        drill.collect()
        status, verdict = drill.check()
        count = {k: int(v) for k, v in verdict["counts"].items() if int(v)}
        print(f"# round {number}: {verdict['result']} {count} b0 {verdict['restorePoint']['b0']} in {time.monotonic() - began:.1f} s", flush=True)
        assert status == harness.PASS, drill.output
        assert set(count) <= {"ok", "expected_loss", "recovered", "indeterminate", "foreign"} and count["ok"] > rate, count
        # the tick in flight at the disaster has no outcome; it is after the bound, so it decides nothing and must not be there
        assert count.get("at_bound", 0) == 0, count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--rate", type=int, default=50)
    parser.add_argument("--members", type=int, default=3)
    args = parser.parse_args()
    tap = harness.Tap()
    with harness.workspace("rounds") as path:
        with harness.Sandbox(path / "sandbox", members=args.members) as sandbox:
            for number in range(1, args.count + 1):
                one(sandbox, path, args.rate, tap, number)
                sandbox.parts("wipe")
                sandbox.parts("create")
    tap.done()


sys.exit(main())
