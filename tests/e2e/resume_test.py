"""A drill that is interrupted, killed and taken up again: the verdict is that of a drill that went through."""
import json
import os
import pathlib
import re
import signal
import subprocess

import harness
from cluster import KASTEN, NAMESPACE, Cluster, kube, verdict
from harness import ERROR, INTERRUPTED, PASS, Tap, reasons

tap = Tap()
CONFIRM = ("--confirm-destroy", NAMESPACE)
CLAIM = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "somebody-elses"},
         "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}


def output(run_dir):
    return pathlib.Path(f"{run_dir}.out").read_text()


def followers(run_dir):
    """The children that copy this run's journal."""
    found = []
    for proc in pathlib.Path("/proc").iterdir():
        try:
            argv = (proc / "cmdline").read_bytes().split(b"\0") if proc.name.isdigit() else []
        except OSError:
            continue
        if b"follow" in argv and os.fsencode(run_dir) in argv:
            found.append(int(proc.name))
    return found


def resume(cluster, run_dir, *args):
    log = open(pathlib.Path(f"{run_dir}.out"), "wb")
    child = subprocess.Popen([str(a) for a in (harness.DRILL, "run", "--resume", run_dir, "--kubeconfig", cluster.kubeconfig, *args)],
                             stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    log.close()
    return child


def story(cluster, run_dir):
    child = cluster.start_drill(run_dir, *CONFIRM, "--set", "before=8s", "--set", "after=3s")
    with tap.check("SIGKILL while it shards: done once more, and said"):
        harness.wait_until(lambda: "shard the ticker's namespaces" in output(run_dir), 60, "the sharding")
        child.kill()
        child.wait(10)
        child = resume(cluster, run_dir, *CONFIRM)
        harness.wait_until(lambda: "x-sharding" in (run_dir / "timeline.jsonl").read_text(), 30, "the sharding")
        assert (run_dir / "logs/shard.log").read_text() == "replica set rs0: nothing to shard\n"
    with tap.check("SIGKILL while it looks at what the restore must bring back: looked at once more"):
        harness.wait_until(lambda: "look from within" in output(run_dir), 60, "the description")
        child.kill()
        child.wait(10)
        harness.wait_until(lambda: not followers(run_dir), 10, "no follower")
        child = resume(cluster, run_dir, *CONFIRM)
        harness.wait_until(lambda: (run_dir / "described.jsonl").exists(), 30, "the description")
    with tap.check("a follower that is killed is started again, and the copy has no gap"):
        harness.wait_until(lambda: "let ticks go on" in output(run_dir), 60, "ticks")
        before = followers(run_dir)
        assert len(before) == 1, before
        os.kill(before[0], signal.SIGKILL)
        harness.wait_until(lambda: followers(run_dir) not in ([], before), 20, "another follower")
    with tap.check("a second psmdb-drill on the same run is refused, and so is a clean-up"):
        for argv in (["run", "--resume", run_dir, *CONFIRM], ["cleanup", run_dir]):
            done = harness.run(harness.DRILL, *argv, "--kubeconfig", cluster.kubeconfig)
            assert done.returncode == ERROR and "another psmdb-drill is at work" in done.stderr, (done.returncode, done.stderr)
    with tap.check("SIGKILL while the backup is made: nothing stays behind here, and the state names the step"):
        harness.wait_until(lambda: "run policy" in output(run_dir), 60, "the backup")
        child.kill()
        child.wait(10)
        harness.wait_until(lambda: not followers(run_dir), 10, "no follower")
        steps = [s["state"] for s in json.loads((run_dir / "state.json").read_text())["steps"]]
        assert steps[:7] == ["done"] * 6 + ["running"] and set(steps[7:]) == {"pending"}, steps
    with tap.check("Ctrl-C in the disaster: at once, with what is the matter and both ways on"):
        child = resume(cluster, run_dir, *CONFIRM)
        harness.wait_until(lambda: "the disaster: delete every psmdb" in output(run_dir), 120, "the disaster")
        child.send_signal(signal.SIGINT)
        assert child.wait(10) == INTERRUPTED
        for word in ("the disaster has begun", f"--resume {run_dir}", "--confirm-destroy", f"cleanup {run_dir}"):
            assert word in output(run_dir), (word, output(run_dir))
    with tap.check("a PVC that somebody made meanwhile is not taken along"):
        cluster.api.create(kube.core("persistentvolumeclaims"), CLAIM)
        done = cluster.resume(run_dir, *CONFIRM)
        assert done.returncode == ERROR and "somebody-elses" in done.stderr and "--confirm-pvc" in done.stderr, done.stdout + done.stderr
        assert "deletionTimestamp" not in cluster.api.get(kube.core("persistentvolumeclaims", name="somebody-elses"))["metadata"]
    with tap.check("against another cluster it is not taken up again, nor cleaned up"):
        state = (run_dir / "state.json").read_text()
        (run_dir / "state.json").write_text(re.sub(r'"cluster-uid":\s*"[^"]+"', '"cluster-uid":"of-another"', state, count=1))
        done = cluster.resume(run_dir, *CONFIRM, "--confirm-pvc", "somebody-elses")
        assert done.returncode == ERROR and "another cluster than the one that the run began with" in done.stderr, done.stdout + done.stderr
        done = harness.run(harness.DRILL, "cleanup", run_dir, "--kubeconfig", cluster.kubeconfig)
        assert done.returncode == ERROR and "another cluster than the one that the run began with" in done.stderr, done.stdout + done.stderr
        (run_dir / "state.json").write_text(state)
    with tap.check("with a yes to it the run ends: PASS, from a whole journal"):
        done = cluster.resume(run_dir, *CONFIRM, "--confirm-pvc", "somebody-elses")
        assert done.returncode == PASS, done.stdout + done.stderr
        judged = verdict(run_dir)
        assert judged["before"] == {"schema": True, "roles": True}, judged
        assert judged["result"] == "PASS" and set(reasons(judged)) <= {"ENVIRONMENT", "OPEN_JOURNAL", "FOREIGN", "PAUSED"}, judged["reasons"]
        assert int(judged["counts"]["ok"]) > 10 and int(judged["counts"]["lost"]) == 0, judged["counts"]
    with tap.check("each of Kasten's actions was asked for once, whatever was interrupted"):
        for plural, namespace in (("runactions", KASTEN), ("restoreactions", NAMESPACE)):
            names = [o["metadata"]["name"] for o in cluster.api.items(kube.kasten("actions", plural, namespace))]
            assert len(names) == 1, names
    with tap.check("what the run has made is gone or cleaned up, and what is left is named, with the reason"):
        for _ in range(2):
            done = harness.run(harness.DRILL, "cleanup", run_dir, "--kubeconfig", cluster.kubeconfig)
            assert done.returncode == 0, done.stdout + done.stderr
        lines = done.stdout.splitlines()
        assert lines.pop().startswith("0 deleted"), done.stdout
        assert all(line.startswith("gone already") or "Kasten's own record" in line for line in lines), done.stdout
        assert len(lines) == len(json.loads((run_dir / "state.json").read_text())["objects"]), done.stdout


def main():
    with harness.workspace("resume") as path, Cluster(path / "sandbox") as cluster:
        story(cluster, path / "run")
    tap.done()


main()
