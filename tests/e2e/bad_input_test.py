"""What goes wrong in front of a user: one clear error with object, cause and mend, exit status 3 (2 for usage)."""
import pathlib
import re
import socket

import harness
from harness import DRILL, ERROR, INCONCLUSIVE, SANDBOX, TICKER, USAGE, VERIFY, Tap, run

tap = Tap()
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT\S+Z (info|warn) ")


def refused(text, argv, status, *words, **kwargs):
    with tap.check(text):
        done = run(*argv, **kwargs)
        lines = [line for line in done.stderr.splitlines() if ": hint: " not in line and not LOG_LINE.match(line)]
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        assert len(lines) == 1, ("one error, please", done.stderr)
        for word in words:
            assert word in done.stderr, (word, done.stderr)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def main():
    with harness.workspace("bad") as path:
        nowhere = f"mongodb://127.0.0.1:{free_port()}/"
        user, password = path / "user", path / "password"
        user.write_text("ticker\n")
        password.write_text("p@ss:w/ord#1\n")
        login = ["--user-file", user, "--password-file", password]
        refused("ticker: nobody listens", [TICKER, "--uri", nowhere, *login, "--journal", path / "j1"], ERROR, "127.0.0.1", "hint")
        refused("collect: nobody listens", [VERIFY, "collect", "--uri", nowhere, *login, "--out", path / "o1", "--wait", "2s"], ERROR, "127.0.0.1", "hint")
        refused("ticker: no such secret file", [TICKER, "--uri", nowhere, "--user-file", path / "none", "--password-file", password, "--journal", path / "j2"], ERROR, "none")
        refused("ticker: a password in the URI", [TICKER, "--uri", "mongodb://u:secretpw@127.0.0.1/", "--journal", path / "j3"], USAGE, "hint")
        for program, args in ((TICKER, ["--nonsense"]), (VERIFY, ["nonsense"]), (VERIFY, ["judge", "--nonsense"]), (DRILL, ["nonsense"]), (SANDBOX, ["parts", "nonsense"])):
            refused(f"{pathlib.Path(program).name} {' '.join(args)}: a usage error", [program, *args], USAGE, "nonsense")
        for program, args in ((TICKER, []), (VERIFY, []), (VERIFY, ["bound"]), (VERIFY, ["collect"]), (VERIFY, ["judge"]), (VERIFY, ["report"]), (VERIFY, ["check"]), (DRILL, []),
                              (DRILL, ["note"]), (DRILL, ["follow"]), (DRILL, ["init"]), (SANDBOX, []), (SANDBOX, ["parts"])):
            with tap.check(f"{pathlib.Path(program).name} {' '.join(args)} --help answers"):
                done = run(program, *args, "--help")
                assert done.returncode == 0 and "usage:" in done.stdout and not done.stderr, done
        for program in (TICKER, VERIFY, DRILL, SANDBOX):
            with tap.check(f"{program.name} --version answers"):
                done = run(program, "--version")
                assert done.returncode == 0 and done.stdout.startswith(f"{program.name} ") and not done.stderr, done
                # the driver would keep its counters there, and complain of an earlier process's
                done = run("sh", "-c", 'echo $$; : > /dev/shm/mongoc-$$; exec "$0" --version', program)
                number, version = done.stdout.split(maxsplit=1)
                counters = pathlib.Path(f"/dev/shm/mongoc-{number}")
                assert version.startswith(f"{program.name} ") and not done.stderr and not (program != DRILL and counters.exists()), done
                counters.unlink(missing_ok=True)
        with tap.check("no password of a usage error is echoed"):
            done = run(TICKER, "--uri", "mongodb://u:secretpw@127.0.0.1/", "--journal", path / "j4")
            assert "secretpw" not in done.stdout + done.stderr
        keys = ["--access-key-file", user, "--secret-key-file", password]
        refused("bound: nobody serves the bucket", [VERIFY, "bound", "--endpoint", f"http://127.0.0.1:{free_port()}", "--region", "us-east-1", "--bucket", "b", "--prefix", "p", "--backup", "x", *keys],
                ERROR, "127.0.0.1", "hint")
        refused("judge: a directory that is not there", [VERIFY, "judge", "--run", path / "missing"], ERROR, "missing")
        refused("report: no verdict", [VERIFY, "report", "--run", path], ERROR, "verdict.json")
        (path / "verdict.json").write_text('{"format":"psmdb-drill/verdict","version":99}')
        refused("report: a verdict of another version", [VERIFY, "report", "--run", path], ERROR, "verdict.json", "99")
        run_dir = path / "run"
        run(DRILL, "init", "--run", run_dir, check=0)
        refused("init: a directory that is in use", [DRILL, "init", "--run", run_dir], ERROR, "run")
        for name in ("journal.jsonl", "timeline.jsonl", "observed.jsonl", "bound.json"):
            with tap.check(f"judge: {name} is no evidence at all: never PASS, the file is named"):
                copy = path / f"garbage-{name}"
                run(DRILL, "init", "--run", copy, check=0)
                (copy / name).write_bytes(b"\x00\xff{]garbage")
                done = run(VERIFY, "judge", "--run", copy)
                assert done.returncode == INCONCLUSIVE, (done.returncode, done.stdout, done.stderr)
                assert name in done.stdout + done.stderr + (copy / "verdict.json").read_text(), done
        with harness.Sandbox(path / "sandbox", members=1) as sandbox:
            uri = sandbox.env["MONGO_URI"]
            wrong = path / "wrong"
            wrong.write_text("not-the-password\n")
            right_user = ["--user-file", sandbox.env["TICKER_USER_FILE"]]
            refused("ticker: wrong password", [TICKER, "--uri", uri, *right_user, "--password-file", wrong, "--journal", path / "j5"], ERROR, "hint")
            refused("collect: wrong password", [VERIFY, "collect", "--uri", uri, *right_user, "--password-file", wrong, "--out", path / "o2", "--wait", "2s"], ERROR, "hint")
            refused("ticker: a namespace without permission", [TICKER, "--uri", uri, *sandbox.credentials("TICKER"), "--ns", "other.ticker", "--journal", path / "j6"], ERROR, "other.ticker", "hint")
            refused("bound: wrong key", [VERIFY, "bound", "--endpoint", sandbox.env["S3_ENDPOINT"], "--region", "us-east-1", "--bucket", sandbox.env["S3_BUCKET"], "--prefix", "p",
                                         "--backup", "x", *keys], ERROR, "hint")
            refused("bound: no such backup", [VERIFY, "bound", *sandbox.bucket(), "--backup", "2020-01-01T00:00:00Z"], ERROR, "2020-01-01T00:00:00Z")
            refused("bound: no such bucket", [VERIFY, "bound", *[("nope" if a == sandbox.env["S3_BUCKET"] else a) for a in sandbox.bucket()], "--backup", "x"], ERROR, "nope")
            refused("up: a sandbox that is up", [SANDBOX, "parts", "up", "--dir", sandbox.dir], ERROR, "sandbox")
        with tap.check("a mongod that dies at start: the part, its exit and its log are named"):
            done = run(SANDBOX, "parts", "up", "--dir", path / "dead", env={**__import__("os").environ, "PSMDB_DRILL_MONGOD": "/bin/false"})
            assert done.returncode == ERROR and "mongod-0" in done.stderr and "exit status 1" in done.stderr, done
            assert not harness.processes_of(path / "dead"), done
    tap.done()


main()
