"""What the end-to-end tests share: a sandbox of real parts, one drill in it, and TAP output.

PSMDB_DRILL_APISERVER chooses the API server of every sandbox that has one: embedded (default) or real.

Nothing in here knows how the verifier works: damage.py changes the database and the files with an implementation of its own.
"""
import contextlib
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

BUILD = pathlib.Path(os.environ["BUILD_DIR"])
SOURCE = pathlib.Path(os.environ["SOURCE_DIR"])
VERIFY = BUILD / "verifier/psmdb-verify"
DRILL = BUILD / "scenarios/psmdb-drill"
TICKER = BUILD / "ticker/psmdb-ticker"
SANDBOX = BUILD / "sandbox/psmdb-sandbox"
APISERVER = os.environ.get("PSMDB_DRILL_APISERVER") or "embedded"
KEEP = bool(os.environ.get("PSMDB_DRILL_KEEP"))

PASS, FAIL, USAGE, ERROR, INCONCLUSIVE, INTERRUPTED = 0, 1, 2, 3, 4, 130


def run(*argv, timeout=180, check=None, **kwargs):
    """Runs a command, output captured; check: the exit status it must have."""
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=timeout, **kwargs)
    if check is not None and done.returncode != check:
        raise AssertionError(f"{pathlib.Path(str(argv[0])).name} {' '.join(str(a) for a in argv[1:3])}: exit status {done.returncode}, not {check}\n"
                             f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done


class Sandbox:
    """Three mongods, three agents and an S3 server below one directory."""

    def __init__(self, directory, members=3):
        self.dir = pathlib.Path(directory)
        self.members = members
        self.env = {}

    def __enter__(self):
        self.parts("up", "--members", self.members, timeout=180)
        for line in self.parts("env").stdout.splitlines():
            words = shlex.split(line.removeprefix("export "))
            if words and "=" in words[0]:
                name, value = words[0].split("=", 1)
                self.env[name] = value
        return self

    def strays(self):
        """What the S3 server would leave in /tmp: it makes sockets there whatever it is told."""
        first = int(self.env["S3_ENDPOINT"].rsplit(":", 1)[1])
        return [p for port in range(first, first + 10) for p in pathlib.Path("/tmp").glob(f"seaweedfs-*-*{port % 10000:04}.sock")
                if int(p.stem.rsplit("-", 1)[1]) in (port, port + 10000)]

    def __exit__(self, *_):
        if KEEP and (self.dir / "logs").is_dir():
            shutil.copytree(self.dir / "logs", self.dir.parent / f"{self.dir.name}-logs", dirs_exist_ok=True)
        self.parts("down", "--purge", timeout=120)

    def parts(self, verb, *args, check=0, timeout=180):
        return run(SANDBOX, "parts", verb, "--dir", self.dir, *args, check=check, timeout=timeout)

    def credentials(self, user):
        return ["--user-file", self.env[f"{user}_USER_FILE"], "--password-file", self.env[f"{user}_PASSWORD_FILE"]]

    def bucket(self):
        env = self.env
        return ["--endpoint", env["S3_ENDPOINT"], "--region", env["S3_REGION"], "--bucket", env["S3_BUCKET"], "--prefix", env["S3_PREFIX"],
                "--access-key-file", env["S3_ACCESS_KEY_FILE"], "--secret-key-file", env["S3_SECRET_KEY_FILE"]]

    def backup(self):
        return self.parts("backup").stdout.strip().splitlines()[-1]

    def client(self, user="ADMIN"):
        import pymongo  # pylint: disable=import-outside-toplevel
        read = lambda what: pathlib.Path(self.env[f"{user}_{what}_FILE"]).read_text().rstrip("\n")
        return pymongo.MongoClient(self.env["MONGO_URI"], username=read("USER"), password=read("PASSWORD"), serverSelectionTimeoutMS=15000)


class Drill:
    """One run directory and the steps a person would take."""

    def __init__(self, sandbox, directory, rate=20):
        self.sandbox, self.dir, self.rate = sandbox, pathlib.Path(directory), rate
        self.ticker = self.follower = None
        run(DRILL, "init", "--run", self.dir, "--scenario", "e2e", check=0)

    def note(self, name, **data):
        run(DRILL, "note", "--run", self.dir, name, *[f"{k}={v}" for k, v in data.items()], check=0)

    def start_ticker(self, *extra):
        reader, writer = os.pipe()
        (self.dir / "logs").mkdir(exist_ok=True)
        log = open(self.dir / "logs/ticker.stderr.log", "ab")
        self.follower = subprocess.Popen([DRILL, "follow", "--run", self.dir], stdin=reader, stderr=log)
        self.ticker = subprocess.Popen([TICKER, "--uri", self.sandbox.env["MONGO_URI"], *self.sandbox.credentials("TICKER"), "--ns", "admin.ticker",
                                        "--ns", "drill.ticker", "--rate", str(self.rate), "--journal", "-", *extra], stdout=writer, stderr=log)
        os.close(reader)
        os.close(writer)
        log.close()

    def stop_ticker(self, signum=signal.SIGKILL):
        if self.ticker:
            self.ticker.send_signal(signum)
            self.ticker.wait(30)
            self.follower.wait(30)
            self.ticker = None

    def backup(self):
        self.note("backup.requested")
        name = self.sandbox.backup()
        self.note("backup.finished", backup=name, state="done")
        return name

    def pin(self, backup, out=None):
        run(VERIFY, "bound", *self.sandbox.bucket(), "--backup", backup, "--out", out or self.dir / "bound.json", check=0)
        if not out:
            self.note("bound.pinned", backup=backup)

    def disaster(self):
        self.note("disaster", what="every mongod killed, every data folder deleted, the ticker killed")
        self.sandbox.parts("wipe")
        self.stop_ticker()
        self.note("volumes.gone")

    def restore(self, backup):
        self.note("cluster.requested")
        self.sandbox.parts("create")
        self.note("cluster.ready")
        self.note("restore.requested", backup=backup)
        done = self.sandbox.parts("restore", backup, check=None)
        self.note("restore.finished", backup=backup, state="done" if done.returncode == 0 else "error", reported_by="pbm")
        return done

    def collect(self, *extra):
        path = self.dir / "observed.jsonl"
        path.unlink(missing_ok=True)
        run(VERIFY, "collect", "--uri", self.sandbox.env["MONGO_URI"], *self.sandbox.credentials("VERIFIER"), "--ns", "admin.ticker", "--ns", "drill.ticker",
            "--out", path, *extra, check=0)

    def login_of(self, user):
        return ["--login", ",".join(self.sandbox.env[f"{user}_{what}_FILE"] for what in ("USER", "PASSWORD"))]

    def describe(self):
        """Before the backup; the administrator sees the users."""
        run(VERIFY, "collect", "--describe", "--uri", self.sandbox.env["MONGO_URI"], *self.sandbox.credentials("VERIFIER"), *self.login_of("ADMIN"),
            "--ns", "admin.ticker", "--ns", "drill.ticker", "--out", self.dir / "described.jsonl", check=0)

    def check(self, *extra):
        """Judges and reports; returns (exit status, verdict)."""
        for name in ("verdict.json", "report.html", "report.md", "junit.xml"):
            (self.dir / name).unlink(missing_ok=True)
        done = run(VERIFY, "check", "--run", self.dir, *extra)
        path = self.dir / "verdict.json"
        if not path.exists():
            raise AssertionError(f"no verdict: exit status {done.returncode}\n{done.stdout}\n{done.stderr}")
        self.output = done.stdout + done.stderr
        return done.returncode, json.loads(path.read_text())

    def copy(self, name):
        """A copy of the run's evidence, to be damaged."""
        other = Drill.__new__(Drill)
        other.__dict__.update(self.__dict__)
        other.dir = self.dir.parent / f"{self.dir.name}-{name}"
        shutil.rmtree(other.dir, ignore_errors=True)
        other.dir.mkdir(mode=0o700)
        for path in self.dir.glob("*.json*"):
            shutil.copy2(path, other.dir)
        return other


def wait_until(condition, timeout, what):
    """Asks again and again; an exception of the condition counts as no."""
    end, last = time.monotonic() + timeout, None
    while time.monotonic() < end:
        try:
            if condition():
                return
            last = None
        except Exception as e:  # pylint: disable=broad-except
            last = e
        time.sleep(0.2)
    raise AssertionError(f"waited {timeout} s for {what}" + (f": {last}" if last else ""))


def reasons(verdict):
    return [r["code"] for r in verdict["reasons"]]


def failing_junit(directory):
    """How many failures and errors the JUnit file has."""
    import xml.etree.ElementTree as tree  # pylint: disable=import-outside-toplevel
    root = tree.parse(pathlib.Path(directory) / "junit.xml").getroot()
    return len(root.findall(".//failure")), len(root.findall(".//error"))


@contextlib.contextmanager
def workspace(name):
    """A folder for one test program; it goes afterwards unless PSMDB_DRILL_KEEP is set."""
    base = BUILD / "e2e"
    base.mkdir(exist_ok=True)
    path = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=base))
    try:
        yield path
    finally:
        if not KEEP:
            shutil.rmtree(path, ignore_errors=True)


class Tap:
    """Test anything protocol: one line a check, an exception is a failed one."""

    def __init__(self):
        self.count = self.failed = 0

    def ok(self, good, text, detail=""):
        self.count += 1
        self.failed += not good
        print("ok" if good else "not ok", f"{self.count} - {text}", flush=True)
        if not good and detail:
            for line in str(detail).splitlines()[-40:]:
                print("#", line, flush=True)
        return good

    @contextlib.contextmanager
    def check(self, text):
        began = time.monotonic()
        try:
            yield
        except Exception:  # pylint: disable=broad-except
            self.ok(False, text, traceback.format_exc())
        else:
            self.ok(True, f"{text} ({time.monotonic() - began:.1f} s)")

    def done(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)


def processes_of(directory):
    """Processes whose command line, environment or working folder names this directory or what is below it. One that has ended has none of the three."""
    name = re.compile(re.escape(os.fsencode(directory)) + rb"(?![\w-])")
    found = []
    for proc in pathlib.Path("/proc").iterdir():
        if not proc.name.isdigit() or int(proc.name) == os.getpid():
            continue
        for read in ((proc / "cmdline").read_bytes, (proc / "environ").read_bytes, lambda: os.readlink(os.fsencode(proc / "cwd"))):
            with contextlib.suppress(OSError):
                if name.search(read()):
                    found.append(int(proc.name))
                    break
    return found


def secrets_in(sandbox_dir):
    """Every secret value of the sandbox, by file; user names are no secrets."""
    return {path.name: path.read_text().rstrip("\n") for path in (pathlib.Path(sandbox_dir) / "secrets").iterdir() if "user" not in path.name}
