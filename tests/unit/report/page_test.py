#!/usr/bin/env python3
"""page_test.py PSMDB_VERIFY SAMPLE_VERDICTS: what a reader without a mouse, without colours, or with weak eyes gets from the pages. Prints TAP. Each check is also shown a spoiled page, to prove that
it can fail."""
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET

VERIFY, SAMPLES = sys.argv[1:3]
# (what it is written in, what it is written on): text of each page, in both schemes. "tint" is the first reason's ground
PAIRS = [(ink, paper) for ink in ("text", "soft", "bad", "open", "info", "good") for paper in ("card", "ground")] + \
        [("text", "tint"), ("soft", "tint")] + [("card", paper) for paper in ("good", "bad", "open", "error", "soft")]


def rules(css, dark):
    """The colours that hold: those of :root, and in a dark scheme what replaces them; the result's tint for each result."""
    night = re.search(r"@media \(prefers-color-scheme:dark\)\{:root\{([^}]*)\}", css).group(1)
    roots = [re.search(r":root\{(color-scheme[^}]*)\}", css).group(1)] + ([night] if dark else [])
    colours = dict(pair for root in roots for pair in re.findall(r"--([a-z]+):(#[0-9a-f]{3,6})", root))
    tints = re.findall(r"body\.([a-z]+)\{[^}]*?--tint:(#[0-9a-f]{6})", css)
    return colours, [colours["tint"]] + [tint for _, tint in (tints[3:] if dark else tints[:3])]


def luminance(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(2 * d for d in colour[1:])
    channels = [int(digits[i:i + 2], 16) / 255 for i in (0, 2, 4)]
    return sum(w * (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4) for w, c in zip((0.2126, 0.7152, 0.0722), channels))


def contrast(a, b):
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def contrast_errors(text):
    css = re.search(r"<style>(.*?)</style>", text, re.S).group(1)
    if css.count("body.fail{") != 2 or "outline:2px" not in css:
        yield "the style is not as this test reads it, or the focus is not seen"
    for dark in (False, True):
        colours, tints = rules(css, dark)
        for ink, paper in PAIRS:
            for ground in tints if paper == "tint" else [colours[paper]]:
                ratio = contrast(colours[ink], ground)
                if ratio < 4.5:
                    yield f"{'dark' if dark else 'light'}: --{ink} {colours[ink]} on --{paper} {ground}: {ratio:.2f}"


def name(element):
    return element.tag.rsplit("}", 1)[-1]


def structure_errors(text):
    root = ET.fromstring(text.replace("<!DOCTYPE html>", "", 1))
    if root.get("lang") != "en":
        yield "no language"
    seen = [name(e) for e in root.iter()]
    for landmark in ("header", "main", "footer", "h1"):
        if seen.count(landmark) != 1:
            yield f"{seen.count(landmark)} times {landmark}"
    if not any(name(e) == "title" and e.text for e in root[0]):
        yield "no title"
    level = 0
    for tag in seen:
        if re.fullmatch("h[1-6]", tag):
            if int(tag[1]) > level + 1:
                yield f"{tag} after h{level}"
            level = int(tag[1])
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    if len(ids) != len(set(ids)):
        yield "an id twice"
    for e in root.iter():
        if name(e) == "th" and e.get("scope") not in ("col", "row"):
            yield "a th without a scope"
        if name(e) == "table" and not any(name(c) == "thead" for c in e):
            yield "a table without a head"
        for attribute in ("aria-labelledby", "aria-describedby"):
            for target in (e.get(attribute) or "").split():
                if target not in ids:
                    yield f"{attribute} of nothing: {target}"
        if e.get("tabindex") is not None and not (e.get("role") and (e.get("aria-label") or e.get("aria-labelledby"))):
            yield f"{name(e)} takes the focus and has no name"
        if "scroll" in (e.get("class") or "").split() and e.get("tabindex") != "0":
            yield "what scrolls cannot be reached by keyboard"
    outer = {child: parent for parent in root.iter() for child in parent}
    for e in root.iter():
        drawn_in = outer.get(e)
        while drawn_in is not None and name(drawn_in) != "svg":
            drawn_in = outer.get(drawn_in)
        if name(e) != "svg" or drawn_in is not None or e.get("aria-hidden") == "true":
            continue
        if e.get("role") != "img" or not any(name(c) == "title" and (c.text or "").strip() for c in e):
            yield "a picture without role or title"


def main():
    number = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        subprocess.run([SAMPLES, root / "samples"], check=True)
        for path in (root / "samples").glob("*.json"):
            (root / "runs" / path.stem).mkdir(parents=True)
            (root / "runs" / path.stem / "verdict.json").write_text(path.read_text())
        subprocess.run([VERIFY, "history", root / "runs", "--file", root / "samples" / "history.html"], check=True, stdout=subprocess.DEVNULL)
        pages = {path.stem: path.read_text() for path in sorted((root / "samples").glob("*.html"))}
    for page, text in pages.items():
        for what, problems in (("text stands out from its ground, 4.5 to 1", contrast_errors(text)), ("landmarks, headings, tables and pictures have names", structure_errors(text))):
            number += 1
            problems = list(problems)
            failed += bool(problems)
            for problem in problems[:5]:
                print("#", problem.encode("unicode_escape").decode())
            print("not ok" if problems else "ok", f"{number} - {page}: {what}")
    good = pages["silent_loss"]
    spoiled = [(contrast_errors, "--soft:#59636e", "--soft:#8a949e"), (contrast_errors, "--bad:#ff7b80", "--bad:#8f1622"), (structure_errors, ' lang="en"', ""),
               (structure_errors, "<h2>Why", "<h4>Why"), (structure_errors, ' scope="col"', ""), (structure_errors, "<title id=\"story-t\">Timeline of the drill</title>", ""),
               (structure_errors, 'role="img"', ""), (structure_errors, ' role="group"', ""), (structure_errors, "<main>", "<div>")]
    blind = []
    for check, old, new in spoiled:
        bad = good.replace(old, new).replace("<h4>Why</h2>", "<h4>Why</h4>")
        if new == "<div>":
            bad = bad.replace("</main>", "</div>")
        assert bad != good, old
        if not list(check(bad)):
            blind.append(old)
    number += 1
    print("not ok" if blind else "ok", f"{number} - every check sees a spoiled page", "#" if blind else "", *blind)
    print(f"1..{number}")
    return failed > 0 or bool(blind)


sys.exit(main())
