"""What a report must not have, whatever a verdict says."""
import re
import subprocess

CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def xmllint(*args):
    run = subprocess.run(["xmllint", "--noout", "--nonet", *map(str, args)], capture_output=True, text=True, check=False)
    return [] if run.returncode == 0 else run.stderr.strip().split("\n")[:3] or ["xmllint failed"]


def page_errors(text):
    if re.search(r"<script|javascript:|\son[a-z]+=|<(img|link|iframe|object|embed|base|form)\b|@import|url\(|(?:src|href)=", text, re.I):
        yield "the page has something active, or from elsewhere"
    if CONTROL.search(text):
        yield "a control character is in the page"


def text_errors(text):
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > 100:
            yield f"line {number} has {len(line)} columns"
        if CONTROL.search(line) or "::" in line or "##" in line:
            yield f"line {number} would command a terminal or a CI runner"


def markdown_errors(text):
    if CONTROL.search(text) or len(text.encode()) > 1 << 20:
        yield "a control character, or more than 1 MiB"
    for tag in re.findall(r"<[^>]*>?", text):
        if tag not in ("<details>", "</details>", "<summary>", "</summary>"):
            yield f"{tag} is not ours"
    if re.search(r"@(?!&#8203;)\w|://|`|\]\(", re.sub(r"&#64;&#8203;", "", text)):
        yield "somebody is mentioned, or something linked"
    for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
        if len({row.count("|") for row in table.strip().split("\n")}) != 1:
            yield f"rows of different width: {table[:60]}"
