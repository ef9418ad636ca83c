"""The embedded API server against the real one: the same requests, and no difference that is not listed in known.json.

With a kubeconfig of a real server (or with programs to start one) both are asked; else the embedded one is compared with what a real
one was seen to answer (recorded.json). Prints TAP: one line a request.

usage: conformance.py [--real KUBECONFIG | --start-real] [--embedded KUBECONFIG] [--record] [--list]
"""
import argparse
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import api_server
import play
import table

HERE = os.path.dirname(os.path.abspath(__file__))
RECORDED, KNOWN = os.path.join(HERE, "recorded.json"), os.path.join(HERE, "known.json")
CRDS = os.path.join(os.environ["SOURCE_DIR"], "sandbox", "crds")


class Real:
    """A bare sandbox around the real API server, in a folder of its own."""

    def __init__(self):
        self.dir = os.path.join(tempfile.mkdtemp(prefix="drill-conformance-"), "sandbox")
        self.kubeconfig = os.path.join(self.dir, "kubeconfig")
        started = time.monotonic()
        done = subprocess.run([api_server.PROGRAM, "up", "--bare", "--apiserver", "real", "--dir", self.dir], capture_output=True, text=True, timeout=200)
        if done.returncode:
            shutil.rmtree(os.path.dirname(self.dir), ignore_errors=True)
            raise SystemExit(f"Bail out! no real API server: {done.stderr}")
        # who would act on what the requests make
        for part in ("kubelet", "kasten"):
            subprocess.run([api_server.PROGRAM, "parts", "stop", "--dir", self.dir, part], check=True, capture_output=True, timeout=60)
        print(f"# real: ready after {time.monotonic() - started:.1f} s")

    def remove(self):
        subprocess.run([api_server.PROGRAM, "down", "--purge", "--dir", self.dir], check=False, capture_output=True, timeout=100)
        shutil.rmtree(os.path.dirname(self.dir), ignore_errors=True)


def install(kubeconfig):
    """The custom kinds, by server-side apply."""
    server = play.Server(kubeconfig)
    for path in sorted(glob.glob(os.path.join(CRDS, "*.yaml"))):
        with open(path, encoding="utf-8") as f:
            for text in f.read().split("\n---\n"):
                name = text.split("\n  name: ", 1)[1].split("\n", 1)[0].strip()
                row = table.Row("", "PATCH", f"{table.CRDS}/{name}?fieldManager=conformance&force=true", text, type=table.APPLY)
                answer = server.ask(row, row.path, text)
                assert answer.status in (200, 201), f"{path}: {answer.status}: {answer.text[:500]}"


def first_difference(wanted, got, path=""):
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key in sorted(set(wanted) | set(got)):
            if wanted.get(key, play.MISSING) != got.get(key, play.MISSING):
                return first_difference(wanted.get(key, play.MISSING), got.get(key, play.MISSING), f"{path}/{key}")
    if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for i, (w, g) in enumerate(zip(wanted, got)):
            if w != g:
                return first_difference(w, g, f"{path}/{i}")
    return f"{path}: the real one {json.dumps(wanted)[:300]}, the embedded one {json.dumps(got)[:300]}"


def compare(reference, embedded, known):
    """Prints a line a request; returns the counts of same, knowingly different, failed."""
    same = different = failed = 0
    for number, row in enumerate(table.ROWS, 1):
        wanted, got, reason = reference.get(row.id), embedded[row.id], known.get(row.id)
        if wanted == got and not reason:
            same += 1
            print(f"ok {number} - {row.id}")
        elif wanted != got and reason:
            different += 1
            print(f"ok {number} - {row.id}: knowingly different: {reason}")
        else:
            failed += 1
            print("#", first_difference(wanted, got) if wanted != got else f"is the same, and known.json says: {reason}")
            print(f"not ok {number} - {row.id}")
    for stray in sorted(set(known) - {row.id for row in table.ROWS}):
        failed += 1
        print(f"not ok {len(table.ROWS) + 1} - known.json names no request: {stray}")
    return same, different, failed


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def ask(which, kubeconfig):
    install(kubeconfig)
    started = time.monotonic()
    answers = play.play(kubeconfig)
    print(f"# {which}: {len(table.ROWS)} requests in {time.monotonic() - started:.1f} s")
    return answers


def main():
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("--real"), options.add_argument("--embedded")
    options.add_argument("--start-real", action="store_true"), options.add_argument("--record", action="store_true")
    chosen = options.parse_args()
    own, real = None, None
    try:
        if chosen.start_real or chosen.real:
            real = None if chosen.real else Real()
            reference = ask("real", chosen.real or real.kubeconfig)
        else:
            reference = load(RECORDED)
        if not chosen.embedded:
            own = api_server.Server()
        embedded = ask("embedded", chosen.embedded or own.kubeconfig)
    finally:
        if own:
            own.remove()
        if real:
            real.remove()
    if chosen.record:
        with open(RECORDED, "w", encoding="utf-8") as f:
            f.write("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v, sort_keys=True)}" for k, v in reference.items()) + "\n}\n")
    same, different, failed = compare(reference, embedded, load(KNOWN))
    print(f"# {len(table.ROWS)} requests: {same} same, {different} knowingly different, {failed} failed")
    print(f"1..{len(table.ROWS)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
