"""A sandbox with a Kubernetes API, and drills in it as a user runs them."""
import json
import pathlib
import shutil
import subprocess
import sys

import harness
from harness import APISERVER, BUILD, DRILL, KEEP, SANDBOX, SOURCE, run

sys.path.insert(0, str(SOURCE / "tests/support"))
import kube  # noqa: E402  pylint: disable=wrong-import-position

NAMESPACE, CLUSTER, KASTEN = "mongo-ns", "my-cluster-name", "kasten-io"


class Cluster:
    def __init__(self, directory, apiserver=APISERVER):
        self.apiserver = apiserver
        self.dir = pathlib.Path(directory)
        self.kubeconfig = self.dir / "kubeconfig"

    def up(self, *args, check=0):
        done = run(SANDBOX, "up", "--dir", self.dir, "--apiserver", self.apiserver, *args, check=check, timeout=240)
        self.api = kube.Kube(self.kubeconfig)
        if done.returncode == 0:  # a test on the real one must not pass on the other
            assert ("psmdb-sandbox" in self.api.get("/version")["gitVersion"]) == (self.apiserver == "embedded"), self.apiserver
        return done

    def __enter__(self):
        self.up()
        return self

    def __exit__(self, *_):
        if KEEP and (self.dir / "logs").is_dir():
            for name in ("logs", "pods"):
                shutil.copytree(self.dir / name, self.dir.parent / f"{self.dir.name}-{name}", dirs_exist_ok=True)
        run(SANDBOX, "down", "--purge", "--dir", self.dir, timeout=120)

    def parts(self, verb, *args, check=0):
        return run(SANDBOX, "parts", verb, "--dir", self.dir, *args, check=check)

    def supervisor(self):
        return json.loads((self.dir / "state.json").read_text())["supervisor"]

    # the two words that a drill's locks ask for are the caller's to give
    def drill_argv(self, run_dir, *args, scenario="case-1"):
        return [str(a) for a in (DRILL, "run", scenario, "--run", run_dir, "--kubeconfig", self.kubeconfig, *args)]

    def drill(self, run_dir, *args, scenario="case-1", timeout=300):
        return run(*self.drill_argv(run_dir, *args, scenario=scenario), timeout=timeout)

    def resume(self, run_dir, *args, timeout=300):
        return run(DRILL, "run", "--resume", run_dir, "--kubeconfig", self.kubeconfig, *args, timeout=timeout)

    def start_drill(self, run_dir, *args, scenario="case-1"):
        log = open(pathlib.Path(f"{run_dir}.out"), "wb")
        child = subprocess.Popen(self.drill_argv(run_dir, *args, scenario=scenario), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        return child

    def psmdb(self):
        return self.api.there(kube.psmdb(name=CLUSTER))

    def wait_ready(self, timeout=90):
        harness.wait_until(lambda: (self.psmdb() or {}).get("status", {}).get("state") == "ready", timeout, "psmdb ready")

    def everything(self):
        """What a disaster would touch: kind/namespace/name -> (uid, resourceVersion)."""
        found = {}
        for path in (kube.psmdb(), kube.psmdb(kind="perconaservermongodbbackups"), kube.psmdb(kind="perconaservermongodbrestores"), kube.core("pods"),
                     kube.core("persistentvolumeclaims"), kube.core("secrets"), kube.kasten("actions", "runactions"), kube.kasten("config", "policies"),
                     kube.kasten("actions", "restoreactions", NAMESPACE), "/api/v1/namespaces"):
            for item in self.api.items(path):
                meta = item["metadata"]
                found[f"{path} {meta['name']}"] = (meta["uid"], meta["resourceVersion"])
        return found


def verdict(run_dir):
    return json.loads((pathlib.Path(run_dir) / "verdict.json").read_text())
