"""mongosh, for comparisons: from npm into the cache, never committed. Its XXH3 is hash-wasm's."""
import os
import pathlib
import shutil
import subprocess

from measure import NotMeasured, progress

PACKAGES = ("mongosh@2.3.9", "hash-wasm@4.12.0", "bson@6.10.1")


def folder():
    cache = os.environ.get("PSMDB_DRILL_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "psmdb-drill")
    return pathlib.Path(cache) / "bench-mongosh"


def find(may_install):
    """The program; its folder is node_modules/.bin."""
    place = folder()
    done = place / "installed"
    if not done.exists() or done.read_text() != " ".join(PACKAGES):
        if not may_install:
            raise NotMeasured("mongosh is not in the cache: leave --no-install out")
        if not shutil.which("npm"):
            raise NotMeasured("no npm to get mongosh with")
        progress(f"npm installs {', '.join(PACKAGES)} into {place}")
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        (place / "package.json").write_text('{"name": "bench", "private": true}\n')
        try:
            got = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--save-exact", *PACKAGES], cwd=place, capture_output=True,
                                 text=True, timeout=300, check=False)
        except subprocess.TimeoutExpired:
            raise NotMeasured("npm did not get mongosh within 300 s") from None
        if got.returncode:
            raise NotMeasured(f"npm cannot get mongosh: {got.stderr[-300:].strip()}")
        done.write_text(" ".join(PACKAGES))
    return place / "node_modules/.bin/mongosh"


def environment(bench, **more):
    """The password goes by the environment, and so does what a script is to know."""
    home = bench.work / "mongosh-home"
    home.mkdir(exist_ok=True)
    uri = bench.mongod.uri.replace("mongodb://", "mongodb://root:bench@") + "&authSource=admin"
    return dict(os.environ, HOME=str(home), BENCH_URI=uri, BENCH_MODULES=str(folder() / "node_modules"), **{f"BENCH_{k}": str(v) for k, v in more.items()})
