"""Case 1 again and again in one sandbox: PASS, exact, each time. By hand.

    BUILD_DIR=build/release SOURCE_DIR=. tests/e2e/python tests/e2e/rounds_case1.py --count 10
"""
import argparse
import time

import harness
from cluster import NAMESPACE, Cluster, verdict
from harness import PASS, Tap


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--rate", default="5")
    args = parser.parse_args()
    tap, sums = Tap(), {}
    with harness.workspace("rounds") as path, Cluster(path / "sandbox") as cluster:
        for number in range(1, args.count + 1):
            with tap.check(f"round {number}"):
                began = time.monotonic()
                done = cluster.drill(path / f"run-{number}", "--confirm-destroy", NAMESPACE, "--set", f"rate={args.rate}", "--set", "before=5s", "--set", "after=5s")
                assert done.returncode == PASS, done.stdout[-3000:] + done.stderr[-2000:]
                result = verdict(path / f"run-{number}")
                for name, value in result["counts"].items():
                    sums[name] = sums.get(name, 0) + int(value)
                print(f"# round {number}: {result['result']}, ok {result['counts']['ok']}, expected loss {result['counts']['expected_loss']}, "
                      f"at bound {result['counts']['at_bound']}, lost {result['counts']['lost']}, {time.monotonic() - began:.0f} s", flush=True)
    print("# sums:", ", ".join(f"{k} {v}" for k, v in sums.items() if v))
    tap.done()


main()
