"""How long a sandbox takes to start, with the embedded API server as a ratio to the real one, turn by turn.

Of each kind of start the median and the worst of some rounds:
- plane: API server, kubelet and Kasten, around another sandbox's bucket (up --bare --bucket-of)
- bare:  with an S3 server of its own (up --bare)

usage: start_up.py PROGRAM [ROUNDS]     (PROGRAM: psmdb-sandbox; default 5 rounds)
"""
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time


def sandbox(*args):
    done = subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=240, check=False)
    if done.returncode:
        raise SystemExit(f"start_up: {' '.join(map(str, args))}: exit status {done.returncode}: {done.stderr}")


def seconds_to_start(place, *args):
    began = time.monotonic()
    sandbox("up", "--dir", place, "--bare", *args)
    took = time.monotonic() - began
    sandbox("down", "--purge", "--dir", place)
    return took


def main():
    took = {(kind, server): [] for kind in ("plane", "bare") for server in ("embedded", "real")}
    with tempfile.TemporaryDirectory(prefix="drill-start-") as work:
        host, place = pathlib.Path(work) / "host", pathlib.Path(work) / "sandbox"
        sandbox("up", "--dir", host, "--bare")
        try:
            for _ in range(ROUNDS):
                for (kind, server), times in took.items():
                    times.append(seconds_to_start(place, "--apiserver", server, *(("--bucket-of", host) if kind == "plane" else ())))
        finally:
            sandbox("down", "--purge", "--dir", host)
    print(f"{ROUNDS} starts each; load of the machine at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    for (kind, server), times in took.items():
        print(f"{kind:5}  {server:8}  median {statistics.median(times):6.2f} s  worst {max(times):6.2f} s")
    for kind in ("plane", "bare"):
        print(f"{kind:5}  embedded/real {statistics.median(took[kind, 'embedded']) / statistics.median(took[kind, 'real']):.3f}")


if len(sys.argv) not in (2, 3):
    sys.exit(__doc__)
PROGRAM, ROUNDS = sys.argv[1], int((sys.argv + ["5"])[2])
main()
