"""junit.xml as those who show it read it, each in its own way: what it takes for the name, the status and the text of a case. Written from what these readers do, not from what the report writes:
GitLab (lib/gitlab/ci/parsers/test/junit.rb on ActiveSupport's Hash.from_xml), Jenkins (junit-plugin, SuiteResult and CaseResult), GitHub through mikepenz/action-junit-report (testParser.ts)."""
import xml.etree.ElementTree as ET

# ActiveSupport reads a type attribute as the type of the element's content: these it casts or refuses
CASTS = {"symbol", "date", "datetime", "dateTime", "duration", "integer", "float", "double", "decimal", "boolean", "string", "yaml", "base64Binary", "hexBinary", "file", "array"}


def gitlab(root):
    def cases(node, parent):
        for suite in node.findall("testsuite"):
            yield from cases(suite, suite)
        if parent is not None:
            for case in node.findall("testcase"):
                yield node.get("name"), case

    if root.tag != "testsuites" and root.find("testsuite") is None:
        return
    for suite, case in cases(root, None):
        if case.get("type") or case.get("nil"):
            raise ValueError("a case with a type is cast")
        status, text = "passed", ""
        for tag, what in (("failure", "failed"), ("error", "error"), ("skipped", "skipped")):
            found = case.findall(tag)
            if found:
                if len(found) > 1 or found[0].get("type") in CASTS or not (found[0].text or "").strip():
                    raise ValueError(f"the text of {tag} of {case.get('name')} is shown as something else than a text")
                status, text = what, found[0].text
                break
        yield (suite, case.get("classname"), case.get("name")), status, text


def jenkins(root):
    def suites(node):
        for suite in node.findall("testsuite"):
            yield from suites(suite)
        if node.find("testcase") is not None or node.find("error") is not None:
            yield node

    for suite in suites(root):
        if suite.find("error") is not None:
            raise ValueError("an error of a suite is a case <init>")
        float(suite.get("time", "0"))
        for case in suite.findall("testcase"):
            name = case.get("classname") or suite.get("name")
            if "." not in name:
                raise ValueError(f"{name} lies in no package")
            float(case.get("time", "0"))
            error, failure = case.find("error"), case.find("failure")
            found = error if error is not None else failure
            status = "skipped" if case.find("skipped") is not None else "passed" if found is None else "failed"  # it has no status for errors
            # the message is shown beside the text: both must be there
            if found is not None and not (found.get("message") and (found.text or "").strip()):
                raise ValueError(f"nothing to show for {case.get('name')}")
            yield (name, case.get("name")), status, "" if found is None else found.text


def github(root):
    def suites(node):
        yield from ([node] if node.tag == "testsuite" else [])
        for suite in node.findall("testsuite"):
            yield from suites(suite)

    for suite in suites(root):
        for case in suite.findall("testcase"):
            failure, error = case.findall("failure"), case.find("error")
            if len(failure) > 1:
                raise ValueError(f"{case.get('name')}: the first failure alone is shown")
            skip = case.find("skipped") is not None or case.get("status") in ("disabled", "ignored")
            found = failure[0] if failure else error
            message = "" if found is None else (found.get("message") or (found.text or "").strip() or case.get("name"))
            status = "skipped" if skip else "passed" if found is None else "failed"
            yield (suite.get("name"), case.get("name")), status, message


READERS = {"GitLab": gitlab, "Jenkins": jenkins, "GitHub": github}


def errors(text, verdict):
    """What is wrong with a junit.xml in the eyes of any reader; verdict: the verdict.json that it is of."""
    root = ET.fromstring(text)
    for reader, read in READERS.items():
        try:
            cases = list(read(root))
        except ValueError as e:
            yield f"{reader}: {e}"
            continue
        if len(cases) != len(list(root.iter("testcase"))) or not cases:
            yield f"{reader}: {len(cases)} cases"
        if len({key for key, _, _ in cases}) != len(cases):
            yield f"{reader}: a name twice: one of the cases is not shown"
        statuses = {status for _, status, _ in cases}
        if "skipped" in statuses or (verdict["result"] == "PASS") != (statuses == {"passed"}):
            yield f"{reader}: {statuses} for {verdict['result']}"
        if reader == "GitLab" and (verdict["result"] == "FAIL") != ("failed" in statuses):
            yield f"{reader}: {statuses} for {verdict['result']}"
        if any(status != "passed" and not output.strip() for _, status, output in cases):
            yield f"{reader}: a case that has not passed says nothing"
        if reader != "GitHub":
            shown = "\n".join(output for _, _, output in cases)
            for reason in verdict["reasons"]:
                if reason["severity"] in ("fail", "inconclusive") and f"{reason['code']}:" not in shown:
                    yield f"{reader}: {reason['code']} is not shown"
