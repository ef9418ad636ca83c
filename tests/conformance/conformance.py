"""The embedded API server against the real one: the same requests, and no difference that is not listed in known.json, with why it is there
and with what the embedded server answers instead: exactly that, and nothing else.

With a kubeconfig of a real server (or with programs to start one) both are asked; else the embedded one is compared with what a real
one was seen to answer (recorded.json). Prints TAP: one line a request.

With --record both answers are kept: the real one's in recorded.json, and in known.json the embedded one's of the rows that are there.

usage: conformance.py [--real KUBECONFIG | --start-real] [--embedded KUBECONFIG] [--record]
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
NOT_RECORDED = "(not recorded)"
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


def first_difference(wanted, got, path="", a="the real one"):
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key in sorted(set(wanted) | set(got)):
            if wanted.get(key, play.MISSING) != got.get(key, play.MISSING):
                return first_difference(wanted.get(key, play.MISSING), got.get(key, play.MISSING), f"{path}/{key}", a)
    if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for i, (w, g) in enumerate(zip(wanted, got)):
            if w != g:
                return first_difference(w, g, f"{path}/{i}", a)
    return f"{path}: {a} {json.dumps(wanted)[:300]}, the embedded one {json.dumps(got)[:300]}"


def why_not(wanted, got, knowingly):
    if wanted == NOT_RECORDED:
        return "recorded.json has no answer to it: record one"
    if wanted == got:
        return f"is the same, and known.json says: {knowingly['why']}"
    if not knowingly:
        return first_difference(wanted, got)
    return "differs in another way than known.json says: " + first_difference(knowingly["answer"], got, a="known.json")


def compare(reference, embedded, known):
    """Prints a line a request; returns the counts of same, knowingly different, failed."""
    same = different = failed = 0
    for number, row in enumerate(table.ROWS, 1):
        wanted, got, knowingly = reference.get(row.id, NOT_RECORDED), embedded[row.id], known.get(row.id)
        if wanted == got and not knowingly:
            same += 1
            print(f"ok {number} - {row.id}")
        elif wanted not in (got, NOT_RECORDED) and knowingly and knowingly["answer"] == got:
            different += 1
            print(f"ok {number} - {row.id}: knowingly different: {knowingly['why']}")
        else:
            failed += 1
            print("#", why_not(wanted, got, knowingly))
            print(f"not ok {number} - {row.id}")
    number = len(table.ROWS)
    for name, ids in (("known.json", known), ("recorded.json", reference)):
        for stray in sorted(set(ids) - {row.id for row in table.ROWS}):
            failed, number = failed + 1, number + 1
            print(f"not ok {number} - {name} names no request: {stray}")
    print(f"1..{number}")
    return same, different, failed


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def save(path, rows):
    with open(path, "w", encoding="utf-8") as f:
        f.write("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v, sort_keys=True)}" for k, v in rows.items()) + "\n}\n")


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
    if chosen.record and not (chosen.real or chosen.start_real):
        options.error("--record keeps what a real server answers: it needs --real KUBECONFIG or --start-real")
    own, real, known = None, None, load(KNOWN)
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
        known = {row.id: {"why": known[row.id]["why"], "answer": embedded[row.id]} for row in table.ROWS if row.id in known}
        save(RECORDED, reference)
        save(KNOWN, known)
    same, different, failed = compare(reference, embedded, known)
    print(f"# {len(table.ROWS)} requests: {same} same, {different} knowingly different, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
