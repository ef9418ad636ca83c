"""Plays the table of requests against one API server, and makes of each answer what is compared: no uids, versions or times."""
import base64
import http.client
import json
import re
import ssl
import time
import urllib.parse

import table

UNTIL_SECONDS = 45
TIMES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
UIDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
STATUS = ("kind", "apiVersion", "status", "reason", "code", "details.name", "details.group", "details.kind", "details.causes", "metadata")
MISSING = "(missing)"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.text = status, headers, body.decode(errors="replace")
        self.media = (headers.get("Content-Type") or "").split(";")[0].strip()
        try:
            self.tree = json.loads(self.text)
        except ValueError:
            self.tree = None


class Server:
    def __init__(self, kubeconfig):
        with open(kubeconfig, encoding="utf-8") as f:
            text = f.read()
        value = lambda key: re.search(rf'"?{key}"?:\s*"?([^\s",]+)', text).group(1)
        self.url, self.token = urllib.parse.urlsplit(value("server")), value("token")
        self.tls = ssl.create_default_context(cadata=base64.b64decode(value("certificate-authority-data")).decode())

    def ask(self, row, path, body):
        headers = {"Accept": row.accept, "User-Agent": "conformance/1"}
        if row.token != "none":
            headers["Authorization"] = "Bearer " + (self.token if row.token == "admin" else "wrong")
        if row.type and body is not None:
            headers["Content-Type"] = row.type
        data = body.encode() if isinstance(body, str) else body
        for attempt in range(2):
            connection = http.client.HTTPSConnection(self.url.hostname, self.url.port, context=self.tls, timeout=60)
            try:
                connection.putrequest(row.method, path, skip_accept_encoding=True)
                for name, text in headers.items():
                    connection.putheader(name, text)
                if data is not None:
                    connection.putheader("Content-Length", str(len(data)))
                connection.endheaders()
                try:
                    if data:
                        connection.send(data)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # too large a body: the answer comes before all of it is sent
                answer = connection.getresponse()
                return Answer(answer.status, answer.headers, answer.read())
            except (ConnectionError, http.client.RemoteDisconnected):
                if attempt:
                    raise
            finally:
                connection.close()


def at(tree, path):
    """metadata.name; items.*.metadata.name: of each; resources.name=pods: the member of the list that has it; x?: whether it is there
    and not empty."""
    if path.endswith("?"):
        return at(tree, path[:-1]) not in (MISSING, "", None)
    if path.endswith("~"):
        return MISSING if not isinstance(tree, dict) else bool(tree)
    here, steps = tree, path.split(".")
    for i, step in enumerate(steps):
        if step == "*":
            return [at(each, ".".join(steps[i + 1:])) for each in here] if isinstance(here, list) else MISSING
        if "=" in step:  # the rest of the path is the value: names have dots
            key, value = ".".join(steps[i:]).split("=", 1)
            found = [each for each in here if each.get(key) == value] if isinstance(here, list) else []
            return found[0] if found else MISSING
        if isinstance(here, list) and step.isdigit() and int(step) < len(here):
            here = here[int(step)]
        elif isinstance(here, dict) and step in here:
            here = here[step]
        else:
            return MISSING
    return here


def clean(node, key=None):
    """Without what differs from one run to the next."""
    if isinstance(node, dict):
        return {k: clean(v, k) for k, v in sorted(node.items()) if k not in ("managedFields", "storageVersionHash", "selfLink")}
    if isinstance(node, list):
        node = [clean(each, key) for each in node]
        # sets, in whatever order a server keeps them
        if key == "verbs":
            return sorted(node)
        return sorted(node, key=lambda each: each.get("name", "")) if key == "resources" and node and isinstance(node[0], dict) else node
    if key in ("resourceVersion", "uid", "continue") and node:
        return f"({key})"
    if isinstance(node, str):
        return UIDS.sub("(uid)", TIMES.sub("(time)", node))
    return node


def clean_table(tree, empty_cells=False):
    """kubectl shows null and an empty text as nothing, both: they are the same here unless it is asked for."""
    columns = [{k: c.get(k) for k in ("name", "type", "format", "priority")} for c in tree.get("columnDefinitions") or []]
    ages = [i for i, c in enumerate(columns) if c["name"] in ("Age", "Created At")]
    rows = []
    for row in tree.get("rows") or []:
        cells = ["(age)" if i in ages and cell != "<unknown>" else "" if cell is None and not empty_cells else cell for i, cell in enumerate(row["cells"])]
        rows.append({"cells": cells, "object": at(row, "object.kind"), "name": at(row, "object.metadata.name")})
    return {"kind": tree.get("kind"), "columns": columns, "rows": rows}


def events(text):
    found = []
    for line in text.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            found.append({"line": line[:200]})
            continue
        tree = event.get("object") or {}
        if tree.get("kind") == "Table":
            found.append({"type": event.get("type"), **clean_table(tree)})
        elif event.get("type") == "BOOKMARK":
            # how many and when is the server's affair
            found.append({"type": "BOOKMARK", "kind": tree.get("kind"), "members": sorted(tree)})
        else:
            found.append({"type": event.get("type"), "object": clean(tree)})
    bookmarks = [e for e in found if e.get("type") == "BOOKMARK"]
    return [e for e in found if e.get("type") != "BOOKMARK"] + bookmarks[:1]


def body_of(row, answer):
    tree = answer.tree
    if "watch=" in row.path and answer.status == 200 and row.fields is None:
        return events(answer.text)
    if tree is None:
        return clean(answer.text.strip()[:300]) if answer.status >= 400 or len(answer.text) < 300 else "(text)"
    if not isinstance(tree, dict):
        return clean(tree)
    if tree.get("kind") == "Status":
        fields = row.fields or STATUS + (("message",) if row.message else ())
        made = {f: clean(at(tree, f), f.split(".")[-1]) for f in fields}
        for cause in made.get("details.causes") or [] if not row.message and isinstance(made.get("details.causes"), list) else []:
            cause.pop("message", None)  # texts are for people
        return made
    if row.fields is not None:
        return {f: clean(at(tree, f), f.split(".")[-1]) for f in row.fields}
    if tree.get("kind") == "Table":
        return clean_table(tree, row.empty_cells)
    return clean(tree)


def fill(text, answers):
    """${ID.path} is what the row ID was answered."""
    def put(match):
        for row_id in sorted(answers, key=len, reverse=True):
            if match.group(1).startswith(row_id + "."):
                value = at(answers[row_id].tree, match.group(1)[len(row_id) + 1:])
                return urllib.parse.quote(str(value), safe="") if "continue" in match.group(1) else str(value)
        return MISSING
    return re.sub(r"\$\{([^}]+)\}", put, text)


def asked_until(server, row, path, body):
    deadline = time.monotonic() + UNTIL_SECONDS
    while True:
        answer = server.ask(row, path, body)
        if row.until is None or time.monotonic() > deadline:
            return answer
        # compact or not, and with what in between, is the server's affair
        if answer.status == row.until and (not row.until_has or has_condition(answer.tree, row.until_has)):
            return answer
        time.sleep(0.2)


def has_condition(tree, text):
    kind, status = re.fullmatch(r'"([^"]+)","status":"([^"]+)"', text).groups()
    return any(c.get("type") == kind and c.get("status") == status for c in (tree.get("status") or {}).get("conditions") or [])


def version(answer):
    return at(answer.tree, "metadata.resourceVersion") if answer else MISSING


def same_version(one, other):
    """In a word; what has no version is not the same as what has none either."""
    one, other = version(one), version(other)
    return "missing" if MISSING in (one, other) else "same" if one == other else "another"


def play(kubeconfig, told=None):
    """{id: what is compared}, in the order of the table."""
    server, answers, made = Server(kubeconfig), {}, {}
    for row in table.ROWS:
        text = table.text_of(row)
        path = fill(row.path, answers)
        answer = asked_until(server, row, path, fill(text, answers) if isinstance(text, str) else text)
        answers[row.id] = answer
        made[row.id] = {"status": answer.status, "type": answer.media, "body": body_of(row, answer)}
        if row.versions:
            made[row.id]["versions"] = {other: same_version(answers[other], answer) for other in row.versions}
        warnings = answer.headers.get_all("Warning")
        if warnings:
            made[row.id]["warnings"] = len(warnings)
        if told:
            told(row.id)
    return made
