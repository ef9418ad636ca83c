"""The embedded API server under requests that nobody sends by mistake: it answers in the way of HTTP, reveals nothing, and goes on serving others."""
import atexit
import http.client
import json
import os
import re
import resource
import socket
import ssl
import sys
import threading
import time

import api_server
import kube
import tap

server = api_server.Server()
atexit.register(server.remove)
client = kube.Kube(server.kubeconfig)
SECRET = "a-word-that-nobody-may-see"
client.create("/api/v1/namespaces", {"metadata": {"name": "private"}})
client.create("/api/v1/namespaces/private/secrets", {"metadata": {"name": "s"}, "stringData": {"word": SECRET}})
VERBS = ("BREW", "PROPFIND", "get", "TRACE", "LOCK", "X" * 200)


def connect(timeout=20):
    return client.tls.wrap_socket(socket.create_connection((api_server.ADDRESS, server.port), timeout), server_hostname=api_server.ADDRESS)


def ask_on(connection, method, path, body=None, **headers):
    connection.request(method, path, body, {"Content-Type": "application/json", "Authorization": f"Bearer {client.token}", **headers})
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def new_connection():
    return http.client.HTTPSConnection(api_server.ADDRESS, server.port, context=client.tls, timeout=20)


def ask(method, path, body=None, **headers):
    connection = new_connection()
    try:
        return ask_on(connection, method, path, body, **headers)
    finally:
        connection.close()


def send_raw(request, timeout=10):
    """Whatever the server says until it closes or is silent; b"" if it only closed."""
    said = b""
    with connect(timeout) as s:
        try:
            s.sendall(request)
            s.settimeout(1)
            while len(said) < 1 << 20:
                part = s.recv(65536)
                if not part:
                    break
                said += part
        except (ConnectionError, ssl.SSLError, TimeoutError):
            pass
    return said


def head(method, target, *more):
    return "\r\n".join((f"{method} {target} HTTP/1.1", "Host: x", f"Authorization: Bearer {client.token}", *more, "", "")).encode("latin-1")


def statuses(said):
    return [int(s) for s in re.findall(rb"HTTP/1\.[01] (\d{3})", said)]


def is_served():
    began = time.monotonic()
    assert ask("GET", "/api/v1/namespaces")[0] == 200
    return time.monotonic() - began


def bad_tokens_are_401_and_learn_nothing():
    namespace = "/api/v1/namespaces/private"
    paths = (namespace + "/secrets/s", namespace + "/secrets/none", namespace + "/secrets", "/api/v1/namespaces/none/secrets/s", "/apis/none/v1/x", "/nothing", "/api", "/version",
             "/readyz", "/openapi/v2", namespace + "/secrets?watch=1", namespace + "/secrets?x=%zz", namespace + "/secrets?" + "a=b&" * 200, "//", "/%00", namespace + "/secrets?limit=x")
    for authorization in ("Bearer wrong", f"Bearer {client.token}x", f"Bearer {client.token[:-1]}", f"Bearer {client.token},admin", "Bearer #", "Bearer ,", "bearer \xff\xfe",
                          f"Bearer {client.token} {client.token}", "Bearer " + "x" * 8000):
        answers, connection = set(), new_connection()
        for path in paths:
            for method, body in (("GET", None), ("POST", '{"metadata":{"name":"s"}}'), ("POST", "{"), ("PUT", "x" * 100000), ("DELETE", None), ("PATCH", "[]"), ("BREW", None)):
                status, headers, text = ask_on(connection, method, path, body, Authorization=authorization)
                answers.add((status, headers["Content-Type"], text))
        connection.close()
        assert len(answers) == 1 and answers.pop()[0] == 401, (authorization[:40], answers)
    # nobody at all: what there is and what there is not looks the same
    for authorization in ("", "Basic YWRtaW46YWRtaW4=", "Bearer", "Bearer ", f"Token {client.token}"):
        for one, other in (("secrets/s", "secrets/t"), ("secrets", "secrets")):
            here, there = (ask("GET", f"/api/v1/namespaces/{n}/{p}", Authorization=authorization) for n, p in (("private", one), ("nowhere", other)))
            assert here[0] == there[0] == 403 and SECRET.encode() not in here[2]
            assert here[2].replace(b"private", b"nowhere").replace(b'"s"', b'"t"').replace(b'\\"s\\"', b'\\"t\\"') == there[2], (here[2], there[2])
        assert ask("POST", namespace + "/secrets", "{", Authorization=authorization)[0] == 403
        assert ask("GET", "/api?x=%zz", Authorization=authorization)[0] == 403


def unknown_verbs_are_405():
    client.create("/api/v1/namespaces/private/configmaps", {"metadata": {"name": "m"}})
    for path in ("/api/v1/namespaces/private/configmaps", "/api/v1/namespaces/private/configmaps/m", "/api/v1/namespaces", "/api/v1/namespaces/private", "/api/v1/namespaces/private/status"):
        for verb in VERBS:
            said = send_raw(head(verb, path, "Connection: close"))
            assert statuses(said) == [405] and b'"reason":"MethodNotAllowed"' in said, (verb[:20], path, said[:300])
    assert client.get("/api/v1/namespaces/private/configmaps/m")["metadata"]["name"] == "m"


def tricks_with_paths_lead_nowhere():
    inside = "/api/v1/namespaces/default/configmaps/"
    for target in (inside + "..%2f..%2fprivate%2fsecrets%2fs", inside + "../../private/secrets/s", inside + "%2e%2e/%2e%2e/private/secrets/s", inside + "..%5c..%5cprivate",
                   "/api/v1/namespaces/default%2f..%2fprivate/secrets/s", "/api/v1/namespaces/private%00/secrets/s", "/api/v1/namespaces/private/secrets%00/s", "/api/v1//namespaces/private/secrets/s",
                   "//api/v1/namespaces/private/secrets/s", "/api/v1/namespaces/private/./secrets/s", "/api/v1/namespaces/private/secrets/s%00.json", "/api/v1/namespaces/private/secrets/s/..",
                   "/api/v1/namespaces/%c0%ae%c0%ae/secrets/s", "/api/v1/namespaces/private/secrets/%ff%fe", "/api/v1/namespaces/*/secrets/s", "/api/v1/namespaces/pr%69vate/secrets/%20s",
                   "/api/v1/namespaces/private/secrets/s;x", "/api/v1/watch/namespaces/private/secrets", "api/v1/namespaces/private/secrets/s", "/api/v1/namespaces/private/pods/..%2f..%2fapi/log",
                   "/api/v1/namespaces/private/secrets/s#", "/api/v1/namespaces/private/secrets/s\\"):
        said = send_raw(head("GET", target, "Connection: close"))
        assert not said or statuses(said)[0] in (400, 404), (target, said[:200])
        assert SECRET.encode() not in said and b"YS13b3Jk" not in said, target
        said.decode()  # whatever it repeats is text
    for target in ("/api/v1/name spaces", "/\x01\x02", "/api/v1/namespaces\tx"):
        said = send_raw(head("GET", target, "Connection: close"))
        assert not said or statuses(said)[0] in (400, 404, 505), (target, said[:200])
    # one that is no text: what stands before the NUL counts
    assert statuses(send_raw(head("GET", "/api/v1/namespaces/private/secrets/none\0/../s", "Connection: close")))[0] in (400, 404)
    # one's own namespace stays one's own
    for namespace, name in (("default", "s"), ("private", "S"), ("PRIVATE", "s")):
        assert client.there(f"/api/v1/namespaces/{namespace}/secrets/{name}") is None


def huge_queries_are_refused():
    for query in ("a=" + "x" * 12000, "a=b&" * 200, "labelSelector=" + "a%3Db," * 1500, "&".join(f"k{i}=v" for i in range(1000)), "fieldSelector=" + "%2C" * 3000,
                  "labelSelector=" + "(" * 8000, "limit=" + "9" * 8000, "continue=" + "61" * 6000, "x" * 200000, "=" * 5000, "%61=1&" * 1000):
        # a head that is too large for the library is cut off, and not all of them are answered
        said = send_raw(head("GET", "/api/v1/pods?" + query, "Connection: close"))
        assert not said or statuses(said)[0] in (200, 400, 414, 431, 500), (said[:200], query[:40])
        assert len(said) < 10000, len(said)
    for query in ("timeoutSeconds=-1", "timeoutSeconds=0", "timeoutSeconds=99999999999999999999", "timeoutSeconds=1e99", "timeoutSeconds=x", "resourceVersion=99999999999999999999",
                  "resourceVersion=-1", "resourceVersion=18446744073709551615", "limit=-1&timeoutSeconds=1", "allowWatchBookmarks=perhaps", "continue=7a"):
        with connect() as s:
            s.sendall(head("GET", "/api/v1/configmaps?watch=1&" + query))
            first = s.recv(200)
            assert statuses(first)[0] in (200, 400, 500), (query, first)
    for limit in ("-1", "99999999999999999999", "0x10", "1.5", ""):
        assert ask("GET", f"/api/v1/configmaps?limit={limit}")[0] in (200, 400)
    tap.eventually(lambda: len(os.listdir(f"/proc/{server.process.pid}/task")) < 15, 10, "the watches to go with their clients")


def bodies_that_are_traps_are_400():
    path = "/api/v1/namespaces/default/configmaps"
    deep = lambda n, a, b: '{"metadata":{"name":"deep"},"data":' + a * n + "1" + b * n + "}"
    for body in (deep(61, "[", "]"), deep(5000, "[", "]"), deep(5000, '{"a":', "}"), "[" * 1000000, '{"a":' * 500000, '{"metadata":{"name":"a"},"metadata":{"name":"b"}}',
                 '{"metadata":{"name":"a","name":"b"}}', '{"metadata":{"name":"a"},"data":{"x":"\xff"}}', '{"metadata":{"name":"a"},"data":{"x":"\xed\xa0\x80"}}', '{"metadata":{"name":"\\ud800"}}',
                 '{"metadata":{"name":"a"},"data":{"x":"\\u0000"}}', '{"metadata":{"name":"a"},"x":1e999}', '{"metadata":{"name":"a"},"x":01}', '{"metadata":{"name":"a"},"x":-}', '{"metadata":{"name":"a"}}}',
                 '{"metadata":{"name":"a"},}', "{'metadata':{}}", '\ufeff{"metadata":{}}'.encode().decode("latin-1"), '{"metadata":{"name":"a"}}\0', "{" + ",".join(f'"k{i}":1' for i in range(2000)) + "}"):
        status, _, text = ask("POST", path, body.encode("latin-1"))
        assert status in (400, 422) and json.loads(text)["kind"] == "Status", (status, body[:60], text[:200])
        text.decode()
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{b}: &{b} [*{a},*{a},*{a},*{a},*{a},*{a},*{a},*{a},*{a}]\n" for a, b in zip("abcdefghij", "bcdefghijk"))
    began = time.monotonic()
    assert ask("POST", path, bomb, **{"Content-Type": "application/yaml"})[0] == 400
    assert time.monotonic() - began < 5
    assert client.items(path) == [] and is_served() < 3


def malformed_chunks_make_no_object():
    path = "/api/v1/namespaces/default/configmaps"
    whole = '{"metadata":{"name":"smuggled"}}'
    chunked = "Transfer-Encoding: chunked"
    part = f"{len(whole):x}\r\n{whole}\r\n"
    for headers, body in (((chunked,), "zz\r\n"), ((chunked,), "-5\r\nhello\r\n0\r\n\r\n"), ((chunked,), "ffffffffffffffffff\r\n" + whole), ((chunked,), "7fffffffffffffff\r\n" + whole),
                          ((chunked,), f"{len(whole):x}\r\n{whole}XX0\r\n\r\n"), ((chunked,), part), ((chunked,), part + "0"), ((chunked,), "\r\n\r\n"), ((chunked,), "0x5\r\nhello\r\n0\r\n\r\n"),
                          ((chunked,), "5;" + "x" * 100000 + "\r\nhello\r\n0\r\n\r\n"), (("Content-Length: 5", "Content-Length: 32"), whole), (("Content-Length: -1",), whole),
                          (("Content-Length: +32",), whole), (("Content-Length: 99999999999999999999999",), whole), (("Content-Length: 100",), whole),
                          (("Transfer-Encoding: gzip, chunked",), part + "0\r\n\r\n"), (("Transfer-Encoding: nonsense",), part + "0\r\n\r\n"), (("Content-Length: 0x20",), whole)):
        request = head("POST", path, "Content-Type: application/json", *headers) + body.encode()
        said = send_raw(request)
        assert not said or statuses(said)[0] >= 400, (headers, body[:40], said[:300])
    assert client.items(path) == [], "an object was made of half a request"
    # both lengths at once: one request, or none, and nothing of what could be taken for a second
    second = head("DELETE", "/api/v1/namespaces/private/secrets/s").decode("latin-1")
    said = send_raw(head("POST", path, "Content-Type: application/json", chunked, f"Content-Length: {5 + len(second)}") + ("0\r\n\r\n" + second).encode())
    assert client.there("/api/v1/namespaces/private/secrets/s") or statuses(said)[0] >= 400, said
    assert is_served() < 3


def requests_in_one_go_are_answered_in_order():
    said = send_raw(head("GET", "/version") * 20 + head("BREW", "/api/v1/namespaces") + head("GET", "/readyz", "Connection: close"))
    assert statuses(said) == [200] * 20 + [405, 200], statuses(said)


def long_bodies_cost_nothing_of_whoever_is_unknown():
    """Nothing of what they send is kept: 20 of them at once, 3 MB each but for the last byte."""
    def rss():
        with open(f"/proc/{server.process.pid}/status", encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))
    before, slow = rss(), []
    for _ in range(20):
        s = connect()
        s.sendall(b"POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\nContent-Length: 3000001\r\n\r\n" + b" " * 3000000)
        slow.append(s)
    tap.eventually(lambda: is_served() < 3, 10, "others to be served")
    with open(f"/proc/{server.process.pid}/maps", encoding="utf-8") as f:
        sanitized = "libasan" in f.read()  # it keeps what was freed
    assert sanitized or rss() - before < 20000, f"{before} kB before, {rss()} kB with them"
    for s in slow:
        s.sendall(b" ")
        assert b" 401 " in s.recv(200)
        s.close()


def a_crowd_of_idle_connections_keeps_nobody_out():
    # the server has taken its own
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    idle, stop, errors = [], threading.Event(), []

    def come_again():
        while not stop.is_set():
            try:
                if len(idle) < 1600:
                    idle.append(socket.create_connection((api_server.ADDRESS, server.port), 5))
                else:
                    time.sleep(0.05)
            except OSError as error:
                errors.append(error)
                time.sleep(0.05)
    rude = threading.Thread(target=come_again)
    rude.start()
    tap.eventually(lambda: len(idle) > 1300, 30, f"a crowd: {len(idle)}, {errors[:2]}")
    def served():
        try:
            return is_served() < 10
        except (OSError, http.client.HTTPException):
            return False
    tap.eventually(served, 12, "somebody to be served in the crowd")
    stop.set()
    rude.join()
    for s in idle:
        s.close()
    tap.eventually(lambda: len(os.listdir(f"/proc/{server.process.pid}/task")) < 15, 20, "their threads to end")
    assert is_served() < 3


def whoever_reads_nothing_holds_up_nobody():
    path = "/api/v1/namespaces/private/configmaps"
    for i in range(8):
        client.create(path, {"metadata": {"name": f"big-{i}"}, "data": {"x": "y" * 900000}})
    deaf = [connect() for _ in range(10)]
    for s in deaf:
        s.sendall(head("GET", "/api/v1/configmaps") + head("GET", "/api/v1/configmaps?watch=1"))
    for i in range(5):
        assert is_served() < 3
        client.merge(f"{path}/big-{i}", {"data": {"z": "1"}})
    for s in deaf:
        s.close()
    tap.eventually(lambda: len(os.listdir(f"/proc/{server.process.pid}/task")) < 15, 20, "their threads to end")


if __name__ == "__main__":
    sys.exit(tap.run([bad_tokens_are_401_and_learn_nothing, unknown_verbs_are_405, tricks_with_paths_lead_nowhere, huge_queries_are_refused, bodies_that_are_traps_are_400,
                      malformed_chunks_make_no_object, requests_in_one_go_are_answered_in_order, long_bodies_cost_nothing_of_whoever_is_unknown,
                      whoever_reads_nothing_holds_up_nobody, a_crowd_of_idle_connections_keeps_nobody_out], sys.argv[1] if len(sys.argv) > 1 else None))
