import atexit
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

sys.path.append(os.path.join(os.environ["SOURCE_DIR"], "tests", "e2e"))
import harness  # noqa: E402
import kube  # noqa: E402
import tap  # noqa: E402

PROGRAM = os.path.join(os.environ["BUILD_DIR"], "sandbox", "psmdb-sandbox")
CACHE = os.environ.get("PSMDB_DRILL_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "psmdb-drill")
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager")
POD = "my-cluster-name-rs0-0"


def found(name):
    folders = [os.environ.get("KUBEBUILDER_ASSETS") or "/", *os.environ["PATH"].split(":"), os.path.join(CACHE, "parts", "bin")]
    return os.environ.get("PSMDB_DRILL_" + name.upper().replace("-", "_")) or any(os.access(os.path.join(f, name), os.X_OK) for f in folders)


missing = [name for name in PROGRAMS if not found(name)]
if missing:
    tap.skip_all(f"no {', '.join(missing)}: run scripts/setup --real-apiserver")
work = tempfile.mkdtemp(prefix="drill-real-")
place = os.path.join(work, "sandbox")


def sandbox(*args, env=None, timeout=240):
    return subprocess.run([PROGRAM, *args, "--dir", place], capture_output=True, text=True, timeout=timeout, env=env)


@atexit.register
def remove():
    sandbox("down", "--purge")
    shutil.rmtree(work, ignore_errors=True)


def api():
    return kube.Kube(os.path.join(place, "kubeconfig"))


def part(name):
    with open(os.path.join(place, "state.json"), encoding="utf-8") as f:
        state = json.load(f)
    return next(p for p in state["parts"] if p["name"] == name)


def text_of(path, server, timeout=20):
    request = urllib.request.Request(server.server + path, headers={"Authorization": f"Bearer {server.token}"})
    with urllib.request.urlopen(request, context=server.tls, timeout=timeout) as answer:
        return answer.read().decode()


def what_is_missing_is_named():
    env = {"PATH": "/nonexistent", "HOME": work, "PSMDB_DRILL_CACHE": "/nonexistent"}
    for name in ("mongod", "weed", "pbm", "pbm-agent"):
        env["PSMDB_DRILL_" + name.upper().replace("-", "_")] = "/bin/true"
    done = sandbox("up", "--bare", "--apiserver", "real", env=env)
    assert done.returncode == 3 and not os.path.exists(os.path.join(place, "state.json")), done
    for word in ("etcd", "KUBEBUILDER_ASSETS", "PATH", "scripts/setup --real-apiserver"):
        assert word in done.stderr, done.stderr


def the_demo_s_cluster_comes_up():
    done = sandbox("up", "--apiserver", "real")
    assert done.returncode == 0, done.stderr
    version = api().get("/version")["gitVersion"]
    assert version.startswith("v1.") and "psmdb-sandbox" not in version, version
    assert api().get(kube.psmdb(name="my-cluster-name"))["status"]["state"] == "ready"


def the_other_server_is_refused_for_the_same_folder():
    done = sandbox("up", "--apiserver", "embedded")
    assert done.returncode == 3 and f'a sandbox is already running in "{place}"' in done.stderr, done
    done = sandbox("down")
    assert done.returncode == 0, done
    done = sandbox("up", "--apiserver", "embedded")
    assert done.returncode == 2 and "has the real API server" in done.stderr, done
    done = sandbox("up")
    assert done.returncode == 0, done.stderr


def logs_come_through_the_kubelet():
    server = api()
    tap.eventually(lambda: server.get(kube.core("pods", name=POD))["status"]["phase"] == "Running", 60, "the pod")
    lines = text_of(kube.core("pods", name=POD) + "/log?container=mongod&tailLines=3", server).splitlines()
    assert len(lines) == 3 and all(json.loads(line)["msg"] for line in lines), lines
    stamped = text_of(kube.core("pods", name=POD) + "/log?container=mongod&tailLines=1&timestamps=true", server)
    assert stamped[:3] == "202", stamped
    try:
        text_of(kube.core("pods", name=POD) + "/log?container=none", server)
    except urllib.error.HTTPError as e:
        assert e.code == 400, e
    else:
        raise AssertionError("a container that is not there has a log")


def following_ends_with_the_pod():
    server, ended = api(), []
    path = kube.core("pods", name=POD) + "/log?container=mongod&follow=true&tailLines=1"
    follower = threading.Thread(target=lambda: ended.append(text_of(path, server, 60)))
    follower.start()
    time.sleep(1)  # what is followed must have begun; were it slower, the pod would be another one and the test fail
    assert not ended, "a follower stays"
    server.delete(kube.core("pods", name=POD))
    follower.join(60)
    assert ended and ended[0].count("\n") > 1, "lines came while it was followed"


def the_kubelet_answers_nobody_else():
    node = api().get("/api/v1/nodes/sandbox")["status"]
    address = next(a["address"] for a in node["addresses"] if a["type"] == "InternalIP")
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    url = f"https://{address}:{node['daemonEndpoints']['kubeletEndpoint']['Port']}/containerLogs/mongo-ns/{POD}/mongod"
    try:
        urllib.request.urlopen(url, context=tls, timeout=10)
    except urllib.error.HTTPError as e:
        assert e.code == 401, e
    else:
        raise AssertionError("somebody without a certificate was answered")


def killed_it_comes_back_with_everything():
    os.kill(part("api")["pid"], 9)
    before = api
    tap.eventually(lambda: part("api")["state"] == "ready" and part("api")["restarts"] > 0, 60, "another API server")

    def answers():
        try:
            return before().get(kube.psmdb(name="my-cluster-name"))["metadata"]["name"] == "my-cluster-name"
        except (OSError, kube.Refused):
            return False
    tap.eventually(answers, 60, "the psmdb")


def runs(pid):
    """One that has ended has no command line any more, though whoever has it now may not have asked for its status yet."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return bool(f.read())
    except OSError:
        return False


def nothing_is_left_of_it():
    with open(os.path.join(place, "state.json"), encoding="utf-8") as f:
        state = json.load(f)
    pids = {p["name"]: p["pid"] for p in state["parts"]}
    assert all(pids.values()) and set(pids) >= {"etcd", "api", "controllers", "kubelet", "kasten", "s3"}, pids
    pids["supervisor"] = state["supervisor"]
    before = set(harness.processes_of(place))
    assert before > set(pids.values()) and all(map(runs, before)), (before, pids)  # those of the pods, too
    done = sandbox("down", "--purge")
    assert done.returncode == 0 and not os.path.exists(place), done
    assert not harness.processes_of(place), harness.processes_of(place)
    alive = {name: pid for name, pid in pids.items() if runs(pid)}
    assert not alive, alive


if __name__ == "__main__":
    sys.exit(tap.run([what_is_missing_is_named, the_demo_s_cluster_comes_up, the_other_server_is_refused_for_the_same_folder,
                      logs_come_through_the_kubelet, following_ends_with_the_pod, the_kubelet_answers_nobody_else,
                      killed_it_comes_back_with_everything, nothing_is_left_of_it], sys.argv[1] if len(sys.argv) > 1 else None))
