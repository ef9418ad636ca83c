"""What is wrong with an OpenMetrics text, as far as this project writes such texts."""
import json
import pathlib
import re
import subprocess

SERIES = re.compile(r'^(psmdb_(?:drill|ticker)_[a-z_]+)((?:\{(?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)*\})?) (-?[0-9]+(?:\.[0-9]+)?)$')
ENDINGS = {"gauge": ("",), "counter": ("_total",), "info": ("_info",), "histogram": ("_bucket", "_count", "_sum")}

PARSE = """
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
refused = {}
for number, text in enumerate(json.load(sys.stdin)):
    try:
        if not [sample for family in text_string_to_metric_families(text) for sample in family.samples]:
            refused[number] = "no sample"
    except ValueError as e:
        refused[number] = str(e)
print(json.dumps(refused))
"""


def errors(text):
    lines, family, types, seen = text.split("\n"), None, {}, set()
    if lines[-2:] != ["# EOF", ""]:
        yield "the last line is not # EOF"
    for line in lines[:-2]:
        words = line.split(" ", 3)
        if words[0] == "#":
            if words[1] == "TYPE":
                family = words[2]
                if family in types:
                    yield f"{family} is opened twice"
                types[family] = words[3]
            if words[2] != family or (words[1] == "UNIT" and not family.endswith("_" + words[3])):
                yield f"out of place: {line}"
            continue
        match = SERIES.match(line)
        if not match or match.group(1) not in [f"{family}{ending}" for ending in ENDINGS.get(types.get(family), ())]:
            yield f"not a sample of {family}: {line}"
        elif match.group(1) + match.group(2) in seen:
            yield f"twice: {line}"
        else:
            seen.add(match.group(1) + match.group(2))


def parsed_errors(texts):
    """The same asked of prometheus_client's parser, which knows all of OpenMetrics: what it refuses of these texts, by their index."""
    python = pathlib.Path(__file__).resolve().parents[1] / "e2e/python"
    run = subprocess.run([python, "-c", PARSE], input=json.dumps(texts), capture_output=True, text=True, timeout=60, check=False)
    if run.returncode:
        return {number: f"prometheus_client: {(run.stdout + run.stderr).strip()[-300:]}" for number in range(len(texts))}
    return {int(number): what for number, what in json.loads(run.stdout).items()}
