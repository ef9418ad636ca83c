"""Test functions of a module, run in order, as TAP. Names are sentences with underscores."""
import sys
import time
import traceback


class Skip(Exception):
    pass


def run(tests, only=None):
    failed = 0
    tests = [t for t in tests if not only or only in t.__name__]
    if not tests:
        print(f"not ok 1 - no test has {only!r} in its name" if only else "not ok 1 - there is no test", "1..1", sep="\n", flush=True)
        return 1
    for number, test in enumerate(tests, 1):
        started, note, verdict = time.monotonic(), "", "ok"
        try:
            test()
        except Skip as skip:
            note = f" # SKIP {skip}"
        except Exception:
            verdict, failed = "not ok", failed + 1
            for line in traceback.format_exc().splitlines():
                print("#", line)
        print(f"{verdict} {number} - {test.__name__}{note}", flush=True)
        print(f"# {time.monotonic() - started:.1f} s", flush=True)
    print(f"1..{len(tests)}", flush=True)
    return 1 if failed else 0


def eventually(done, seconds=20, what="it"):
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


def skip_all(reason):
    print(f"ok 1 - everything # SKIP {reason}\n1..1")
    sys.exit(0)
