#!/usr/bin/env python3
"""formats_test.py SAMPLE_VERDICTS: what other programs will read, read by other programs. Prints TAP. Each check is also shown a spoiled input, to prove that it can fail."""
import copy
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ["SOURCE_DIR"])
sys.path.insert(0, str(SOURCE / "tests/support"))
import json_schema  # noqa: E402
import junit_readers  # noqa: E402
import openmetrics  # noqa: E402
from inert import markdown_errors, page_errors, text_errors, xmllint  # noqa: E402

SCHEMA = json.loads((SOURCE / "docs/verdict.schema.json").read_text())


def schema_errors(verdict):
    return list(json_schema.errors(verdict, SCHEMA, SCHEMA))


def junit_errors(text, result):
    failures, errors = (int(re.search(rf'<testsuite [^>]*{k}="(\d+)"', text).group(1)) for k in ("failures", "errors"))
    if (failures, errors) != (text.count("<failure "), text.count("<error ")):
        yield "the totals are not those of the cases"
    if (result == "FAIL") != (failures > 0) or (result == "PASS") != (failures + errors == 0):
        yield f"{failures} failures and {errors} errors for {result}"


def checks(folder, name):
    read = {end: (folder / f"{name}.{end}").read_text() for end in ("json", "xml", "html", "txt", "md", "prom")}
    verdict = json.loads(read["json"])
    yield "verdict.json fits its schema", schema_errors(verdict)
    yield "junit.xml fits the common dialect", xmllint("--schema", SOURCE / "tests/support/junit.xsd", folder / f"{name}.xml")
    yield "junit.xml is read by GitLab, Jenkins and GitHub as it is meant", junit_readers.errors(read["xml"], verdict)
    yield "junit.xml says what the verdict says", junit_errors(read["xml"], verdict["result"])
    yield "the page is well-formed", xmllint(folder / f"{name}.html")
    yield "the page is inert", page_errors(read["html"])
    yield "the text is inert and at most 100 columns wide", text_errors(read["txt"])
    yield "the Markdown is inert", markdown_errors(read["md"])
    yield "the metrics are OpenMetrics", openmetrics.errors(read["prom"])


def spoiled(folder):
    """Each check on something that it must refuse."""
    good = json.loads((folder / "pass.json").read_text())
    for change in (lambda v: v.update(extra=1), lambda v: v.pop("rpo"), lambda v: v.update(issued=5), lambda v: v.update(result="GOOD"),
                   lambda v: v["streams"][0]["ranges"][0].append("x"), lambda v: v["rto"].update(valueMs="1"), lambda v: v["counts"].pop("lost")):
        bad = copy.deepcopy(good)
        change(bad)
        yield "schema", schema_errors(bad)
    xml = (folder / "pass.xml").read_text()
    for number, bad in enumerate((xml.replace('skipped="0"', 'skipped="1"'), xml.replace(' classname="psmdb-drill.checks"', ""),
                                  re.sub(r'name="(journal|timeline): [^"]*"', 'name="twin"', xml), xml.replace("Z", "&#1;"))):
        (folder / f"bad{number}.xml").write_text(bad)
        yield "xsd", xmllint("--schema", SOURCE / "tests/support/junit.xsd", folder / f"bad{number}.xml")
    yield "junit", list(junit_errors(xml, "FAIL"))
    fail, failed = json.loads((folder / "silent_loss.json").read_text()), (folder / "silent_loss.xml").read_text()
    for number, (bad, verdict) in enumerate((
            (failed, good), (xml, fail), (failed.replace('type="LOST"', 'type="integer"'), fail), (re.sub(r'(type="LOST">)[^<]*', r"\1", failed), fail), (failed.replace("CORRUPTED:", ""), fail),
            (failed.replace("<failure ", "<error ").replace("</failure>", "</error>"), fail), (re.sub(r'name="(journal|timeline): [^"]*"', 'name="twin"', failed), fail),
            (failed.replace('classname="psmdb-drill.checks"', 'classname="checks"'), fail), (failed.replace(' time="0.000"/>', ' time="0.000"><skipped/></testcase>', 1), fail),
            (re.sub(r"(<failure .*?</failure>)", r"\1\1", failed, count=1, flags=re.S), fail))):
        yield f"junit readers {number}", list(junit_readers.errors(bad, verdict))
    yield "junit readers, the good one", not list(junit_readers.errors(failed, fail))
    yield "page", list(page_errors("<img src='x'/>"))
    yield "text", list(text_errors("x" * 101))
    yield "text", list(text_errors("  ::error::x"))
    yield "markdown", list(markdown_errors("hello @team"))
    yield "markdown", list(markdown_errors("| a | b |\n| a |\n"))
    yield "metrics", list(openmetrics.errors("psmdb_drill_x{} 1\n# EOF\n"))
    text = (folder / "pass.prom").read_text()
    yield "metrics", list(openmetrics.errors(text.replace("# EOF\n", "")))
    bad = (text.replace("# EOF\n", ""), text.replace("# TYPE psmdb_drill_ticks gauge", "# TYPE psmdb_drill_ticks counter"), text.replace('class="ok"', 'class="o"k"'), "")
    refused = openmetrics.parsed_errors([*bad, text])
    for number in range(len(bad)):
        yield "parsed metrics", refused.get(number)
    yield "parsed metrics, the good one", len(bad) not in refused


def main():
    number = failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([sys.argv[1], name], check=True)
        for sample in sorted(path.stem for path in folder.glob("*.json")):
            for what, problems in checks(folder, sample):
                number += 1
                problems = list(problems)
                failed += bool(problems)
                for problem in problems[:5]:
                    print("#", problem.encode("unicode_escape").decode())
                print("not ok" if problems else "ok", f"{number} - {sample}: {what}")
        samples = sorted(folder.glob("*.prom"))
        refused = openmetrics.parsed_errors([path.read_text() for path in samples])
        number += 1
        failed += bool(refused)
        print("not ok" if refused else "ok", f"{number} - the metrics are OpenMetrics to prometheus_client", "#" if refused else "", *(f"{samples[k].stem}: {v}" for k, v in refused.items()))
        blind = [what for what, problems in spoiled(folder) if not problems]
        number += 1
        print("not ok" if blind else "ok", f"{number} - every check sees a spoiled report", "#" if blind else "", *blind)
    print(f"1..{number}")
    return failed > 0 or bool(blind)


sys.exit(main())
