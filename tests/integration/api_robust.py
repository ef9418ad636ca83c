import atexit
import concurrent.futures
import http.client
import json
import os
import random
import re
import socket
import ssl
import subprocess
import sys
import threading
import time

import api_server
import kube
import tap

server = api_server.Server()
atexit.register(server.remove)
client = kube.Kube(server.kubeconfig)
BODY_MAX = 3145728


def connect(timeout=20):
    return client.tls.wrap_socket(socket.create_connection((api_server.ADDRESS, server.port), timeout), server_hostname=api_server.ADDRESS)


def ask(method, path, body=None, token=None, timeout=20, **headers):
    """Status, headers and text of an answer, whatever it is."""
    connection = http.client.HTTPSConnection(api_server.ADDRESS, server.port, context=client.tls, timeout=timeout)
    sent = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
    if token != "":
        sent["Authorization"] = f"Bearer {token or client.token}"
    try:
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode(errors="replace")
    finally:
        connection.close()


def namespace(name):
    client.create("/api/v1/namespaces", {"metadata": {"name": name}})
    return f"/api/v1/namespaces/{name}/configmaps"


def config_map(name, **data):
    return {"metadata": {"name": name}, "data": data}


class Watch:
    def __init__(self, path):
        self.connection = http.client.HTTPSConnection(api_server.ADDRESS, server.port, context=client.tls, timeout=30)
        self.connection.request("GET", path, headers={"Authorization": f"Bearer {client.token}"})
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.read()

    def event(self):
        return json.loads(self.answer.readline())

    def close(self):
        self.answer.close()
        self.connection.close()


def sockets():
    folder = f"/proc/{server.process.pid}/fd"
    found = 0
    for fd in os.listdir(folder):
        try:
            found += os.readlink(os.path.join(folder, fd)).startswith(("socket:", "anon_inode:[eventfd]"))
        except FileNotFoundError:
            pass
    return found


def threads():
    return len(os.listdir(f"/proc/{server.process.pid}/task"))


def close_waits():
    """Connections at the server's end whose client has gone."""
    port = f":{server.port:04X}"
    with open("/proc/net/tcp", encoding="ascii") as f:
        return sum(line.split()[1].endswith(port) and line.split()[3] == "08" for line in f.readlines()[1:])


def watchers_leave_nothing_behind():
    path = namespace("watchers")
    before = sockets(), threads()
    for _ in range(4):
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            watches = list(pool.map(lambda _: Watch(path + "?watch=1"), range(50)))
        tap.eventually(lambda: threads() >= 50, 5, "a thread for each watch")
        # some say goodbye, some just go, some go in the middle of an event
        client.create(path, config_map(f"m{time.monotonic_ns()}", text="x" * 100000))
        for i, watch in enumerate(watches):
            if i % 3 == 0:
                watch.event()
            if i % 3 == 1:
                watch.connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            watch.close()
        tap.eventually(lambda: sockets() <= before[0] and threads() <= before[1] and not close_waits(), 5,
                       f"sockets and threads {before}, now {(sockets(), threads())} and {close_waits()} in CLOSE_WAIT")


def followers_leave_nothing_behind():
    namespace("followers")
    client.create("/api/v1/namespaces/followers/pods", {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "x"}]}})
    before = sockets(), threads()
    watches = [Watch("/api/v1/namespaces/followers/pods/p/log?follow=true") for _ in range(30)]
    for watch in watches:
        watch.close()
    tap.eventually(lambda: sockets() <= before[0] and threads() <= before[1] and not close_waits(), 5, "sockets and threads")


def events_arrive_within_50_ms():
    path = namespace("quick")
    watch = Watch(path + "?watch=1")
    took = []
    for i in range(30):
        began = time.monotonic()
        client.create(path, config_map(f"m{i}"))
        assert watch.event()["object"]["metadata"]["name"] == f"m{i}"
        took.append(time.monotonic() - began)
        time.sleep(0.01)
    watch.close()
    # the creation's own time is in it; slow moments of a busy machine are none of the server's, one that waits for a tick of its own is
    assert sorted(took)[len(took) // 2] < 0.05, took


def malformed_bodies_are_400():
    path = namespace("malformed")
    for body in ("{", "nonsense", '{"a":1}x', "\0", '{"metadata":{"name":"a","name":"b"}}', "[" * 100000, '{"a":' * 3000 + "1" + "}" * 3000,
                 "[]", '"text"', "null", "1", '{"metadata":[]}', '{"metadata":{"name":5}}', '{"metadata":{"name":"a","labels":[1]}}',
                 '{"metadata":{"name":"a","labels":{"x":{}}}}', '{"metadata":{"name":"a","finalizers":"x"}}', "\xff\xfe", ""):
        status, _, text = ask("POST", path, body.encode("latin-1"))
        assert status in (400, 422), (status, body[:60], text[:200])
        assert json.loads(text)["kind"] == "Status"
    for body in ("a: &a [x]\nb: *a\nc: [*a, *a", "&a [" * 200, "- " * 5000 + "x", "%YAML 9.9\n---\n", "a: b\n---\nc: d\n", "\t:", "!!python/object:os.system x"):
        for method, where, kind in (("POST", path, "application/yaml"), ("PATCH", path + "/a?fieldManager=f", "application/apply-patch+yaml")):
            status, _, text = ask(method, where, body, Content_Type=kind)
            assert status in (400, 422), (status, body[:60], text[:200])
    for kind in ("application/merge-patch+json", "application/json-patch+json", "application/strategic-merge-patch+json"):
        client.there(path + "/there") or client.create(path, config_map("there"))
        for body in ("{", "[{]", '[{"op":"nonsense"}]', '[{"op":"remove","path":"/none"}]', '{"metadata":{"labels":5}}', '{"metadata":null}', '"x"', "[5]"):
            status, _, text = ask("PATCH", path + "/there", body, Content_Type=kind)
            assert status in (200, 400, 422, 500), (status, kind, body, text[:200])
            assert status != 500, (kind, body, text)
    assert client.get(path + "/there")["metadata"]["name"] == "there"
    assert ask("POST", path, b"k8s\0\xff\xff\xff", Content_Type="application/vnd.kubernetes.protobuf")[0] == 400
    assert ask("POST", path, "{}", Content_Type="text/html")[0] == 415
    assert ask("GET", path)[0] == 200


def bodies_over_3_mib_are_413():
    path = namespace("large")
    status, _, text = ask("POST", path, json.dumps(config_map("fits", text="x" * 1000000)))
    assert status == 201, text[:200]
    status, _, text = ask("POST", path, b'{"metadata":{"name":"big"},"data":{"x":"' + b"x" * (10 << 20) + b'"}}')
    assert status == 413 and json.loads(text)["reason"] == "RequestEntityTooLarge", text[:200]
    # without a length, in chunks
    status, _, text = ask("POST", path, iter([b" " * 65536] * 100), timeout=20)
    assert status == 413, text[:200]
    assert client.there(path + "/big") is None


def unknown_verbs_and_paths_are_answered():
    path = namespace("verbs")
    for method in ("BREW", "OPTIONS", "TRACE", "PROPFIND", "PUT", "PATCH"):
        status, _, text = ask(method, path)
        assert status in (400, 405, 415), (method, status, text[:100])
    for target in ("/", "//", "/api", "/apis", "/api/v1/", "/api/v2/pods", "/apis/none/v1/x", "/api/v1/none", "/" + "a/" * 500, "/api/v1/namespaces/a/b/c/d/e/f",
                   "/api/v1/namespaces/..%2f..%2fetc/configmaps/x", "/api/v1/namespaces/verbs/pods/%00/log", "/api/v1/pods?limit=x", "/api/v1/pods?continue=zz",
                   "/api/v1/pods?labelSelector=((", "/api/v1/pods?fieldSelector=a%3Db", "/api/v1/pods?%zz", "/api/v1/pods?" + "a=b&" * 100, "/openapi/v3/api/v9", "/openapi/v4"):
        status, _, text = ask("GET", target)
        assert status in (200, 400, 404), (target[:80], status, text[:100])


def assert_refused(request):
    with connect() as s:
        try:
            s.sendall(request.encode())
            first = s.recv(100)
        except (ConnectionError, ssl.SSLError):
            first = b""
        assert not first or re.match(rb"HTTP/1.. [45]", first), first


def huge_headers_and_targets_are_refused():
    for size in (100000, 2 << 20):
        for request in (f"GET /api/v1/pods HTTP/1.1\r\nHost: x\r\nX-Long: {'x' * size}\r\n\r\n", f"GET /{'x' * size} HTTP/1.1\r\nHost: x\r\n\r\n"):
            assert_refused(request)
    assert_refused("GET /api HTTP/1.1\r\nHost: x\r\n" + "".join(f"X-{i}: y\r\n" for i in range(20000)) + "\r\n")
    assert ask("GET", "/readyz")[0] == 200


def noise_is_no_danger():
    rng = random.Random(5)
    for _ in range(20):
        with socket.create_connection((api_server.ADDRESS, server.port), 5) as s:
            s.sendall(rng.randbytes(300))
        with connect() as s:
            s.sendall(rng.randbytes(300) + b"\r\n\r\n")
    with connect() as s:
        s.sendall(b"POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n")
        s.recv(10)
    assert ask("GET", "/readyz")[0] == 200


def slow_senders_hold_nobody_up():
    slow = []
    for i in range(40):
        s = socket.create_connection((api_server.ADDRESS, server.port), 5) if i % 2 else connect()
        s.sendall(b"\x16\x03" if i % 2 else b"POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: x\r\nAuthorization: Bear")
        slow.append(s)
    began = time.monotonic()
    for _ in range(10):
        assert ask("GET", "/api/v1/namespaces")[0] == 200
    assert time.monotonic() - began < 3
    for s in slow:
        s.close()


def tokens_count_as_long_as_they_are_in_the_file():
    assert ask("GET", "/api/v1/namespaces", token="wrong")[0] == 401
    assert ask("GET", "/api/v1/namespaces", token=client.token[:-1])[0] == 401
    assert ask("GET", "/api/v1/namespaces", token=client.token + ",admin")[0] == 401
    assert ask("GET", "/api/v1/namespaces", token="")[0] == 403
    assert ask("GET", "/readyz", token="")[0] == 200 and ask("GET", "/version", token="")[0] == 200
    assert ask("GET", "/openapi/v2", token="")[0] == 403
    path = os.path.join(server.dir, "api", "tokens.csv")
    with open(path, encoding="ascii") as f:
        before = f.read()
    with open(path, "w", encoding="ascii") as f:
        f.write("".join(line for line in before.splitlines(True) if client.token not in line) + "another,somebody,1,\n")
    assert ask("GET", "/api/v1/namespaces")[0] == 401
    assert ask("GET", "/api/v1/namespaces", token="another")[0] == 200
    os.remove(path)
    assert ask("GET", "/api/v1/namespaces", token="another")[0] == 401
    with open(path + ".new", "w", encoding="ascii") as f:
        f.write(before)
    os.rename(path + ".new", path)
    assert ask("GET", "/api/v1/namespaces")[0] == 200


def namespaces_are_kept_apart():
    here, there = namespace("here"), namespace("there")
    client.create(here, config_map("m", of="here"))
    assert client.there(there + "/m") is None
    assert ask("POST", there, json.dumps({"metadata": {"name": "m", "namespace": "here"}}))[0] == 400
    assert ask("PATCH", there + "/m", '{"data":{}}', Content_Type="application/merge-patch+json")[0] == 404
    assert ask("DELETE", there + "/m")[0] == 404
    assert ask("DELETE", there)[0] == 200
    assert client.get(here + "/m")["data"] == {"of": "here"}
    status, _, text = ask("POST", "/api/v1/namespaces/nowhere/configmaps", json.dumps(config_map("m")))
    assert status == 404 and json.loads(text)["message"] == 'namespaces "nowhere" not found'
    assert client.get("/api/v1/namespaces/nowhere/configmaps")["items"] == []


def sigterm_ends_it_within_two_seconds_though_watches_are_open():
    watches = [Watch("/api/v1/configmaps?watch=1") for _ in range(30)]
    idle = [connect() for _ in range(5)]
    # one that takes nothing of what it is sent
    deaf = connect()
    deaf.sendall(f"GET /api/v1/configmaps?watch=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client.token}\r\n\r\n".encode())
    path = namespace("deaf")
    for i in range(12):
        client.create(path, config_map(f"m{i}", text="x" * 900000))
    status, seconds = server.stop()
    assert status == 0 and seconds < 2, (status, seconds)
    for watch in watches:
        try:
            while watch.answer.readline():
                pass
        except (http.client.HTTPException, OSError):
            pass  # cut in the middle: as good as an end
        watch.close()
    for s in (*idle, deaf):
        s.close()
    server.start()


def acknowledged_writes_survive_sigkill():
    path = namespace("killed")
    acknowledged, lock = {}, threading.Lock()
    for round_ in range(6):
        stop = threading.Event()

        def write(worker):
            mine = f"w{worker}"
            for i in range(100000):
                if stop.is_set():
                    return
                try:
                    if mine in acknowledged:
                        made = client.call("PATCH", f"{path}/{mine}", {"data": {"i": f"{round_}-{i}", "pad": "x" * 300}}, "application/merge-patch+json", timeout=5)
                    else:
                        made = client.create(path, config_map(mine, i=f"{round_}-{i}"))
                    extra = client.create(path, config_map(f"r{round_}-{worker}-{i}", a="b"))
                    with lock:
                        acknowledged[mine] = made["data"]["i"], int(made["metadata"]["resourceVersion"])
                        acknowledged[extra["metadata"]["name"]] = "", int(extra["metadata"]["resourceVersion"])
                except (OSError, http.client.HTTPException):
                    return

        workers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
        for worker in workers:
            worker.start()
        tap.eventually(lambda: len(acknowledged) > 10 * (round_ + 1), 30, "writes")  # pylint: disable=cell-var-from-loop
        time.sleep(random.uniform(0, 0.4))
        server.kill()
        stop.set()
        for worker in workers:
            worker.join()
        server.start()
        there = {m["metadata"]["name"]: m for m in client.items(path)}
        for name, (text, version) in acknowledged.items():
            assert name in there, f"{name} was acknowledged and is gone (round {round_})"
            found = int(there[name]["metadata"]["resourceVersion"])
            # one more write may have been made and not answered
            assert found >= version, (name, version, found)
            assert found > version or not text or there[name]["data"]["i"] == text, (name, text, there[name])
        versions = [int(m["metadata"]["resourceVersion"]) for m in there.values()]
        assert len(versions) == len(set(versions))
        fresh = client.create(path, config_map(f"after{round_}"))
        assert int(fresh["metadata"]["resourceVersion"]) > max(versions), "versions go on"
    assert len(acknowledged) > 50, len(acknowledged)


def a_torn_end_of_the_store_is_cut_and_other_damage_is_refused():
    path = namespace("torn")
    client.create(path, config_map("whole"))
    server.kill()
    log = os.path.join(server.dir, "api", "store.jsonl")
    with open(log, "ab") as f:
        f.write(b'{"rv":999999,"as":"/configmaps","put":{"metadata":{"na')
    server.start()
    assert client.get(path + "/whole")["metadata"]["name"] == "whole"
    client.create(path, config_map("after"))
    server.kill()
    with open(log, "rb") as f:
        good = f.read()
    lines = good.splitlines(True)
    with open(log, "wb") as f:
        f.write(b"".join(lines[:3]) + lines[3].replace(b'"', b"'", 1) + b"".join(lines[4:]))
    done = subprocess.run(server.args(), capture_output=True, text=True, timeout=20)
    assert done.returncode == 3 and "line 4 of the store's log" in done.stderr and "damaged" in done.stderr, done
    with open(log, "wb") as f:
        f.write(good)
    server.start()
    assert client.get(path + "/after")["metadata"]["name"] == "after"


def one_object_that_cannot_be_moved_on_ends_no_server():
    path = namespace("unmoved")
    client.create(path, config_map("m"))
    server.kill()
    odd = {"apiVersion": "v1", "kind": "Namespace", "status": "odd",
           "metadata": {"name": "odd", "uid": "odd", "finalizers": ["example.org/hold"], "deletionTimestamp": "2026-11-28T09:00:00Z"}}
    with open(os.path.join(server.dir, "api", "store.jsonl"), "a", encoding="ascii") as f:
        f.write(json.dumps({"rv": 999999, "as": "/namespaces", "put": odd}) + "\n")
    server.start()
    log = os.path.join(server.dir, "api.log")
    tap.eventually(lambda: "sweep failed" in open(log, encoding="utf-8").read(), 5, "the log says so")
    assert client.get(path + "/m")["metadata"]["name"] == "m"
    client.create(path, {"metadata": {"name": "orphan", "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "x", "uid": "none"}]}})
    tap.eventually(lambda: client.there(path + "/orphan") is None, 5, "the others are moved on")
    assert server.process.poll() is None
    assert open(log, encoding="utf-8").read().count("sweep failed") == 1
    # what a user can do about it
    client.call("PATCH", "/api/v1/namespaces/odd/status", {"status": None}, "application/merge-patch+json")
    client.call("PATCH", "/api/v1/namespaces/odd", {"metadata": {"finalizers": None}}, "application/merge-patch+json")
    tap.eventually(lambda: client.there("/api/v1/namespaces/odd") is None, 5, "it goes")


def a_taken_address_is_said_clearly():
    with socket.socket() as taken:
        taken.bind((api_server.ADDRESS, 0))
        taken.listen()
        port = taken.getsockname()[1]
        other = os.path.join(server.dir, "other")
        done = subprocess.run([api_server.PROGRAM, "serve", "api", "--dir", other, "--address", api_server.ADDRESS, "--port", str(port)],
                              capture_output=True, text=True, timeout=20)
        assert done.returncode == 3 and f"cannot listen on {api_server.ADDRESS}:{port}" in done.stderr and "ss -ltnp" in done.stderr, done
    done = subprocess.run([api_server.PROGRAM, "serve", "api", "--dir", other, "--address", "nonsense", "--port", "1"], capture_output=True, text=True, timeout=20)
    assert done.returncode in (2, 3) and '"nonsense" is no address' in done.stderr, done
    # one that is not this machine's
    done = subprocess.run([api_server.PROGRAM, "serve", "api", "--dir", other, "--address", "203.0.113.1", "--port", "4443"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 3 and "203.0.113.1:4443" in done.stderr, done
    # a second server on one folder
    done = subprocess.run([*server.args()[:-4], "--port", str(api_server.free_port())], capture_output=True, text=True, timeout=20)
    assert done.returncode == 3 and "in use" in done.stderr, done


def secrets_are_in_no_log():
    path = "/api/v1/namespaces/default/secrets"
    client.create(path, {"metadata": {"name": "s"}, "stringData": {"a": "a-very-secret-word"}})
    ask("POST", path, '{"metadata":{"name":"s"},"stringData":{"a":"a-very-secret-word"}')
    with open(os.path.join(server.dir, "api.log"), encoding="utf-8") as f:
        text = f.read()
    assert "a-very-secret" not in text and client.token not in text


if __name__ == "__main__":
    sys.exit(tap.run([watchers_leave_nothing_behind, followers_leave_nothing_behind, events_arrive_within_50_ms, malformed_bodies_are_400, bodies_over_3_mib_are_413,
                      unknown_verbs_and_paths_are_answered, huge_headers_and_targets_are_refused, noise_is_no_danger, slow_senders_hold_nobody_up,
                      tokens_count_as_long_as_they_are_in_the_file, namespaces_are_kept_apart, secrets_are_in_no_log,
                      sigterm_ends_it_within_two_seconds_though_watches_are_open, acknowledged_writes_survive_sigkill,
                      a_torn_end_of_the_store_is_cut_and_other_damage_is_refused,
                      one_object_that_cannot_be_moved_on_ends_no_server, a_taken_address_is_said_clearly],
                     sys.argv[1] if len(sys.argv) > 1 else None))
