#!/usr/bin/env python3
"""runs_test.py PSMDB_VERIFY SAMPLE_VERDICTS: what compares runs, asked as a person and a CI job ask it. Prints TAP."""
import json
import os
import pathlib
import pty
import subprocess
import sys
import tempfile

from inert import markdown_errors, text_errors

VERIFY, SAMPLES = sys.argv[1:3]
PASS, FAIL, USAGE, ERROR, INCONCLUSIVE = 0, 1, 2, 3, 4
count = 0


def verify(*args, **env):
    done = subprocess.run([VERIFY, *map(str, args)], capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **env})
    return done.returncode, done.stdout, done.stderr


def check(what, good, *about):
    global count
    count += 1
    print("ok" if good else "not ok", f"{count} - {what}")
    if not good:
        for line in "\n".join(map(str, about)).split("\n")[:20]:
            print("#", line.encode("unicode_escape").decode())


def status(what, wanted, got, says=""):
    check(what, got[0] == wanted and says in got[1] + got[2], f"exit status {got[0]}, wanted {wanted}, with {says!r}", got[1], got[2])


def on_a_terminal(*args, **env):
    """What a terminal gets."""
    parent, child = pty.openpty()
    with subprocess.Popen([VERIFY, *map(str, args)], stdout=child, stderr=child, env={**os.environ, "TERM": "xterm", **env}) as process:
        os.close(child)
        text = b""
        while True:
            try:
                part = os.read(parent, 65536)
            except OSError:
                break
            if not part:
                break
            text += part
        process.wait(60)
    os.close(parent)
    return text.decode()


def make_run(root, name, verdict):
    place = root / name
    place.mkdir(parents=True)
    (place / "verdict.json").write_text(json.dumps(verdict) if isinstance(verdict, dict) else verdict)
    return place


def diffs(root, sample):
    good, bad = make_run(root, "good", sample["pass"]), make_run(root, "bad", sample["silent_loss"])
    status("diff: two folders, the second worse", FAIL, verify("diff", good, bad), "a new reason to fail: LOST")
    status("diff: the other way round", PASS, verify("diff", bad, good), "NOT WORSE")
    status("diff: two files", FAIL, verify("diff", good / "verdict.json", bad / "verdict.json"), "WORSE")
    status("diff: a drill that ended in an error is no measure", INCONCLUSIVE, verify("diff", make_run(root, "ended", sample["error"]), good), "no data were judged")
    status("diff: a removal and a restore", INCONCLUSIVE, verify("diff", good, make_run(root, "removed", sample["removal"])), "of a removal")
    slow = json.loads(json.dumps(sample["pass"]))
    slow["rto"]["valueMs"] = 90000 if isinstance(slow["rto"]["valueMs"], int) else "90000"
    slow = make_run(root, "slow", slow)
    status("diff: an RTO that grew, without a limit", PASS, verify("diff", good, slow), "+49 s")
    status("diff: an RTO that grew beyond its limit", FAIL, verify("diff", good, slow, "--max-rto-growth", "10"), "the RTO grew by more than 10 %")
    status("diff: a limit that is kept", PASS, verify("diff", good, slow, "--max-rto-growth", "200", "--max-rpo-growth=0"))
    got = verify("diff", good, bad, "--output", "json")
    status("diff: JSON has the same exit status", FAIL, got)
    read = json.loads(got[1])
    check("diff: JSON names its format, both runs and what is worse", (read["format"], read["version"], read["outcome"], read["second"]["result"]) == ("psmdb-drill/diff", 1, "worse", "FAIL")
          and {"result", "reason", "ticks"} == {s["what"] for s in read["worse"]} and any(r["change"] == "same" for r in read["rows"]), got[1][:2000])
    rpo = next(r for r in read["rows"] if (r["part"], r["name"]) == ("figures", "RPO"))
    check("diff: JSON gives figures with their errors", (rpo["firstFigure"], rpo["delta"], rpo["deltaError"], rpo["change"]) ==
          ({"value": "124005", "error": "21", "atLeast": False}, "0", "42", "no difference that could be measured"), rpo)
    status("diff: into a file", FAIL, verify("diff", good, bad, "--output", "markdown", "--file", root / "diff.md"))
    check("diff: the file is there", (root / "diff.md").read_text().startswith("## ❌ WORSE"))

    for name in sample:
        pair = make_run(root, f"p-{name}", sample[name])
        for args in ((good, pair), (pair, good), (pair, pair)):
            text, md = verify("diff", *args)[1], verify("diff", *args, "--output=markdown")[1]
            check(f"diff: {name}: text and Markdown are inert", not list(text_errors(text)) and not list(markdown_errors(md)) and text and md, *list(text_errors(text))[:3], *list(markdown_errors(md))[:3])
            json.loads(verify("diff", *args, "--output=json")[1])

    check("diff: a terminal gets colour", "\x1b[" in on_a_terminal("diff", good, bad))
    check("diff: not with NO_COLOR", "\x1b[" not in on_a_terminal("diff", good, bad, NO_COLOR="1"))
    check("diff: not a terminal that is dumb", "\x1b[" not in on_a_terminal("diff", good, bad, TERM="dumb"))
    check("diff: a pipe gets none", "\x1b[" not in verify("diff", good, bad)[1])
    check("diff: unless it is asked for", "\x1b[" in verify("diff", good, bad, "--color=always")[1])

    status("diff: one run alone", USAGE, verify("diff", good))
    status("diff: three runs", USAGE, verify("diff", good, bad, good))
    status("diff: an output that is none", USAGE, verify("diff", good, bad, "--output", "xml"), "text, json, markdown")
    status("diff: a growth below 0", USAGE, verify("diff", good, bad, "--max-rto-growth", "-1"))
    status("diff: no such run", ERROR, verify("diff", good, root / "none"), "the second run")
    (root / "empty").mkdir()
    status("diff: a folder without a verdict", ERROR, verify("diff", root / "empty", good), "the first run")
    status("diff: a verdict cut short", ERROR, verify("diff", make_run(root, "cut", json.dumps(sample["pass"])[:-30]), good), "verdict")
    pipe = root / "pipe"
    pipe.mkdir()
    os.mkfifo(pipe / "verdict.json")
    status("diff: a pipe is not waited for", ERROR, verify("diff", pipe, good), "no regular file")
    status("diff: an output that cannot be written", ERROR, verify("diff", good, bad, "--file", root / "none" / "x"), "none")


def main():
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        subprocess.run([SAMPLES, root / "samples"], check=True)
        sample = {path.stem: json.loads(path.read_text()) for path in sorted((root / "samples").glob("*.json"))}
        diffs(root / "diff", sample)
    print(f"1..{count}")


main()
