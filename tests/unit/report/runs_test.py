#!/usr/bin/env python3
"""runs_test.py PSMDB_VERIFY SAMPLE_VERDICTS: what compares runs, asked as a person and a CI job ask it. Prints TAP."""
import json
import os
import pathlib
import pty
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(os.environ["SOURCE_DIR"]) / "tests/support"))
import openmetrics  # noqa: E402
from inert import markdown_errors, page_errors, text_errors, xmllint  # noqa: E402

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


class NoTerminal(Exception):
    """In a bare chroot."""


def check_terminal(what, good):
    """good: a function, since there may be no terminal to be had."""
    global count
    try:
        check(what, good())
    except NoTerminal as e:
        count += 1
        print(f"ok {count} - {what} # SKIP {e}")


def on_a_terminal(*args, **env):
    """What a terminal gets."""
    try:
        parent, child = pty.openpty()
    except OSError as e:
        raise NoTerminal(e) from e
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
        for args in ((good, pair), (pair, good)) if name == "hostile" else ((good, pair),):
            text, md = verify("diff", *args)[1], verify("diff", *args, "--output=markdown")[1]
            check(f"diff: {name}: text and Markdown are inert", not list(text_errors(text)) and not list(markdown_errors(md)) and text and md, *list(text_errors(text))[:3], *list(markdown_errors(md))[:3])
            json.loads(verify("diff", *args, "--output=json")[1])

    check_terminal("diff: a terminal gets colour", lambda: "\x1b[" in on_a_terminal("diff", good, bad))
    check_terminal("diff: not with NO_COLOR", lambda: "\x1b[" not in on_a_terminal("diff", good, bad, NO_COLOR="1"))
    check_terminal("diff: not a terminal that is dumb", lambda: "\x1b[" not in on_a_terminal("diff", good, bad, TERM="dumb"))
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


def judged(sample, number, **changes):
    verdict = json.loads(json.dumps(sample))
    verdict["judgedAt"] = f"2026-01-{number // 24 % 28 + 1:02}T{number % 24:02}:00:00.000Z"
    verdict.update(changes)
    return verdict


def many_runs(root, sample, count, reports=True):
    """Runs a hour apart, of two scenarios; the versions change half-way."""
    kinds = ["pass"] * 8 + ["silent_loss", "inconclusive", "error"]
    for n in range(count):
        verdict = judged(sample[kinds[n % len(kinds)]], n, scenario=f"case-{n % 2 + 1}")
        for version in verdict["versions"]:
            if version["name"] == "mongod" and n >= count // 2:
                version["value"] = "7.0.14"
        place = make_run(root, f"run-{n:04}", verdict)
        if reports:
            (place / "report.html").write_text("")
    return root


def links(page):
    return re.findall(r'href="([^"]*)"', page)


def page_problems(path):
    """A page of history is as inert as a report, but for links to reports beside it."""
    text = path.read_text()
    yield from xmllint(path)
    for link in links(text):
        if not re.fullmatch(r"\.{1,2}/[A-Za-z0-9/._~%-]+", link):
            yield f"{link} leads elsewhere"
    yield from page_errors(re.sub(r' href="[^"]*"', "", text))


def outputs(root, where, name, **says):
    """Every output of one call holds together; returns the page and the JSON."""
    page = root / f"{name}.html"
    got = verify("history", *where, "--file", page)
    check(f"history: {name}: the page is written", got[0] == PASS and got[1].startswith(f"{page}: "), *got)
    check(f"history: {name}: the page is well-formed, inert, and links to reports alone", not list(page_problems(page)), *list(page_problems(page))[:5])
    text, md = verify("history", *where, "--output=text"), verify("history", *where, "--output=markdown")
    check(f"history: {name}: the text is inert", text[0] == PASS and not list(text_errors(text[1])), *list(text_errors(text[1]))[:5], text[2])
    check(f"history: {name}: the Markdown is inert", md[0] == PASS and not list(markdown_errors(md[1])), *list(markdown_errors(md[1]))[:5], md[2])
    metrics = verify("history", *where, "--output=openmetrics")
    check(f"history: {name}: the metrics are OpenMetrics", metrics[0] == PASS and not list(openmetrics.errors(metrics[1])), *list(openmetrics.errors(metrics[1]))[:5])
    refused = openmetrics.parsed_errors([metrics[1]])
    check(f"history: {name}: the metrics are OpenMetrics to prometheus_client", not refused, refused)
    return page.read_text(), json.loads(verify("history", *where, "--output=json")[1])


def histories(root, sample):
    root.mkdir()
    runs = many_runs(root / "some" / "runs", sample, 40)
    page, read = outputs(root, [runs], "forty")
    check("history: each run is in the JSON, in order of time", len(read["runs"]) == 40 and [r["name"] for r in read["runs"]] == sorted(str(runs / f"run-{n:04}") for n in range(40)), read["runs"][:2])
    check("history: each report that is there is linked to", sorted(links(page)) == [f"./some/runs/run-{n:04}/report.html" for n in range(40)], *links(page)[:3])
    check("history: each link leads to the report", all((root / link).is_file() for link in links(page)))
    check("history: a mark for each version that changed, once a scenario", page.count("<li><time>") == 2 and "mongod 6.0.5 → 7.0.14" in page)
    check("history: results have a letter and a shape beside the colour", all(f'<path class="r-{r}"' in page for r in ("PASS", "FAIL", "INCONCLUSIVE", "ERROR")) and page.count(">F</text>") == page.count('class="r-FAIL"'))

    many = many_runs(root / "many", sample, 300, reports=False)
    verify("history", many, "--file", root / "many.html")
    page = (root / "many.html").read_text()
    check("history: many runs: columns of several, all in the table", "Each column is about 4 runs" in page and page.count("<tr><th scope=\"row\">") == 300 and len(page) < 1 << 20, len(page))
    text = verify("history", many, "--output=text")[1]
    check("history: many runs: the text says what it leaves out", "The newest 200; of 100 before them only the counts" in text and "300 runs" in text, text[:300])

    mixed = root / "mixed"
    for name in sample:
        make_run(mixed, f"a-{name}", sample[name])
    make_run(mixed, "cut", json.dumps(sample["pass"])[:-30])
    make_run(mixed, "of another time", judged(sample["pass"], 5, version=99))
    make_run(mixed, '"><script>x<', sample["pass"])
    ((mixed / '"><script>x<') / "report.html").write_text("")
    (mixed / "foreign").mkdir()
    (mixed / "a file").write_text("")
    (mixed / "pipe").mkdir()
    os.mkfifo(mixed / "pipe" / "verdict.json")
    (mixed / "latest").symlink_to("a-pass")
    page, read = outputs(root, [mixed, mixed / "a-pass", mixed / "a-pass" / "verdict.json", root / "nowhere"], "mixed")
    check("history: what is no run is named and counted, and a run counts once", len(read["runs"]) == len(sample) + 1 and read["skippedCount"] == 5
          and {pathlib.Path(s["name"]).name for s in read["skipped"]} == {"cut", "of another time", "foreign", "pipe", "nowhere"}, read["skipped"], len(read["runs"]))
    check("history: the page names them, too", all(f"/{name}</th>" in page for name in ("cut", "of another time", "foreign", "pipe", "nowhere")))
    check("history: a folder's name does not break out of a link", links(page) == ["./mixed/%22%3E%3Cscript%3Ex%3C/report.html"], *links(page))
    away = root / "away" / "from" / "it"
    away.mkdir(parents=True)
    verify("history", mixed, "--file", away / "p.html")
    check("history: links go up where they must", links((away / "p.html").read_text()) == ["../../../mixed/%22%3E%3Cscript%3Ex%3C/report.html"], *links((away / "p.html").read_text()))

    scenarios = root / "scenarios"
    for n in range(40):
        make_run(scenarios, f"run-{n}", judged(sample["pass"], n, scenario=f"s{n}"))
    page = verify("history", scenarios)[1]
    check("history: many scenarios: a dozen trends, and it is said", page.count('class="trend"') == 12 and "28 scenarios with fewer runs" in page)

    check_terminal("history: a terminal gets colour", lambda: "\x1b[" in on_a_terminal("history", runs, "--output", "text"))
    check_terminal("history: not with NO_COLOR", lambda: "\x1b[" not in on_a_terminal("history", runs, "--output", "text", NO_COLOR="1"))
    check_terminal("history: a page is refused on a terminal", lambda: "--output text" in on_a_terminal("history", runs))
    status("history: into a pipe", PASS, verify("history", runs), "<!DOCTYPE html>")
    status("history: nothing to look at", USAGE, verify("history"))
    status("history: an output that is none", USAGE, verify("history", runs, "--output", "pdf"), "openmetrics")
    (root / "empty").mkdir()
    status("history: an empty folder", ERROR, verify("history", root / "empty", "--file", root / "no.html"), "no run could be read")
    status("history: none that can be read", ERROR, verify("history", mixed / "cut", mixed / "foreign", root / "nowhere"), "skipped: 3")
    check("history: no page then", not (root / "no.html").exists())
    status("history: a page that cannot be written", ERROR, verify("history", runs, "--file", root / "none" / "x.html"), "none")
    (root / "bad.html").write_text('<a href="https://example.org/">x</a>')
    check("history: the check of a page sees a spoiled one", len(list(page_problems(root / "bad.html"))) > 0)
    shutil.rmtree(root)


def main():
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        subprocess.run([SAMPLES, root / "samples"], check=True)
        sample = {path.stem: json.loads(path.read_text()) for path in sorted((root / "samples").glob("*.json"))}
        diffs(root / "diff", sample)
        histories(root / "history", sample)
    print(f"1..{count}")


main()
