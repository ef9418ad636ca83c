import atexit
import fcntl
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time
import urllib.error
import urllib.request

import pymongo

import mongod
import openmetrics
import tap
import ticker_run
import ticks
from ticker_run import TICKER

PASSWORD = "p@ss:w/ord#1"
OCTET = 11

if not mongod.find():
    tap.skip_all("no mongod: run scripts/setup")
server = mongod.Mongod(OCTET, PASSWORD, ["enableTestCommands=1"])
atexit.register(server.remove)
work = tempfile.mkdtemp(prefix="drill-ticker-")
atexit.register(shutil.rmtree, work, ignore_errors=True)
admin = server.client()
atexit.register(ticker_run.end_children)


def secret(name, text):
    return ticker_run.secret(work, name, text)


USER, SECRET = secret("user", "root\n"), secret("password", PASSWORD + "\n")


class Ticker(ticker_run.Ticker):
    """One run of the program against this file's server."""
    count = 0

    def __init__(self, *args, journal=None, uri=None, user=USER, password=SECRET, **popen):
        Ticker.count += 1
        super().__init__(uri or server.uri, journal or os.path.join(work, f"journal-{Ticker.count}"), *args, user=user, password=password,
                         never_shown=(PASSWORD, "p@ss"), **popen)


def stored(journal):
    return ticker_run.stored(admin, journal)


def check_everything(run):
    journal = run.journal()
    return journal, ticker_run.check_claims(admin, journal)


def mongod_is_primary():
    try:
        return admin.admin.command("hello")["isWritablePrimary"]
    except pymongo.errors.PyMongoError:
        return False


def fail_insert(mode, **data):
    admin.admin.command("configureFailPoint", "failCommand", mode=mode, data={"failCommands": ["insert"], "appName": "psmdb-ticker", **data})


def fail_insert_off():
    admin.admin.command("configureFailPoint", "failCommand", mode="off")


# --- the ordinary life -----------------------------------------------------------------------------------------------------------


def one_tick_a_second_goes_into_both_namespaces_and_the_journal_is_exact():
    run = Ticker()
    run.wait_for('"acked"', 8)
    assert run.stop() == 0, run.err
    journal, found = check_everything(run)
    assert journal.streams == [("admin.ticker", 0), ("drill.ticker", 0)]
    assert len(found) == len(journal.ticks) and all(t["exact"] for t in journal.ticks.values())
    assert journal.end["reason"] == "stopped" and journal.open["interval_us"] == 1000000
    assert oct(os.stat(run.path).st_mode)[-3:] == "600"
    admin_issues = [r["ms"] for r in journal.issues() if r["s"] == 0]
    assert all(abs((b - a) - 1000) < 200 for a, b in zip(admin_issues, admin_issues[1:])), admin_issues
    config = admin.admin.command("replSetGetConfig")["config"]
    assert journal.open["cluster"] == {"kind": "replicaSet", "id": str(config["settings"]["replicaSetId"]), "set": "rs0"}
    assert not run.errors() and "ended" in run.err


def the_journal_on_stdout_is_marked_and_mixes_with_other_lines():
    run = Ticker("--rate", "50", "--count", "20", journal="-")
    assert run.wait() == 0, run.err
    journal = ticks.Journal(run.out + "some other line\n", prefixed=True)
    assert len(stored(journal)) == 40 and journal.end["reason"] == "complete"
    assert all(line.startswith(ticks.PREFIX) for line in run.out.splitlines())


def a_high_rate_is_journaled_in_ranges_within_blocks():
    run = Ticker("--rate", "2000", "--count", "3300", "--ns", "drill.ticker", "--writers", "2")
    assert run.wait() == 0, run.err
    journal, found = check_everything(run)
    assert len(found) == 6600 and journal.open["batch"] == 10
    assert len(journal.of("acked")) == 6600 and any("from" in r for r in journal.issues())
    assert not any(t["exact"] for t in journal.ticks.values() if "from" in t["issue"])


def a_batch_size_that_does_not_divide_a_block_is_cut_at_its_end():
    run = Ticker("--flat-out", "--batch", "300", "--count", "2500", "--ns", "drill.ticker")
    assert run.wait() == 0, run.err
    journal, found = check_everything(run)
    sizes = [int(r["to"]) - int(r["from"]) + 1 for r in journal.issues()]
    assert sizes == [300, 300, 300, 100, 300, 300, 300, 100, 300, 200], sizes
    assert len(found) == 2500


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ask(port, path, method="GET"):
    # (status, type, text)
    try:
        with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method), timeout=10) as r:
            return r.status, r.headers["Content-Type"], r.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.headers["Content-Type"], e.read().decode()


def figures(text):
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))}


def those_who_watch_get_the_figures_of_the_journal():
    port = free_port()
    run = Ticker("--rate", "20", "--listen", f"127.0.0.1:{port}")
    run.wait_for('"type":"acked"', 40)
    status, kind, text = ask(port, "/metrics")
    assert status == 200 and kind.startswith("application/openmetrics-text; version=1.0.0"), (status, kind)
    assert not list(openmetrics.errors(text)), list(openmetrics.errors(text))
    assert not openmetrics.parsed_errors([text]), openmetrics.parsed_errors([text])
    now = figures(text)
    assert ask(port, "/healthz")[::2] == (200, "ok\n")
    assert ask(port, "/other")[0] == 404 and ask(port, "/metrics", "POST")[0] == 405
    assert run.stop() == 0
    records = run.journal().records
    acked = sum(1 for r in records if r["type"] == "acked")
    assert 40 <= now['psmdb_ticker_ticks_total{outcome="acknowledged"}'] <= now['psmdb_ticker_ticks_total{outcome="issued"}'] <= acked + 2, now
    assert now['psmdb_ticker_ticks_total{outcome="failed"}'] == now["psmdb_ticker_ticks_in_doubt"] == 0 and now["psmdb_ticker_healthy"] == 1, now
    assert now["psmdb_ticker_command_seconds_count"] >= 40 and now['psmdb_ticker_command_seconds_bucket{le="+Inf"}'] == now["psmdb_ticker_command_seconds_count"], now
    assert 0 < now["psmdb_ticker_command_seconds_sum"] < 60 and now["psmdb_ticker_schedule_error_seconds_count"] >= 40, now
    assert abs(now["psmdb_ticker_acknowledged_timestamp_seconds"] - time.time()) < 60, now
    info, = (name for name in now if name.startswith("psmdb_ticker_run_info{"))
    assert f'run="{records[0]["run"]}"' in info and f'set="{records[0]["cluster"]["set"]}"' in info, info


def a_frozen_server_is_no_good_health():
    port = free_port()
    run = Ticker("--rate", "5", "--listen", f"127.0.0.1:{port}", "--give-up", "40s", "--write-timeout", "30s")
    run.wait_for('"type":"acked"', 5)
    server.freeze()
    try:
        deadline = time.monotonic() + 25
        while ask(port, "/healthz")[0] == 200 and time.monotonic() < deadline:
            time.sleep(0.5)
        status, _, text = ask(port, "/healthz")
        assert status == 503 and "no tick was acknowledged for 1" in text and "limit 10 s" in text, (status, text)
        assert figures(ask(port, "/metrics")[2])["psmdb_ticker_healthy"] == 0
    finally:
        server.thaw()
    deadline = time.monotonic() + 30
    while ask(port, "/healthz")[0] != 200 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert ask(port, "/healthz")[0] == 200
    assert run.stop() == 0


def an_endpoint_that_cannot_be_is_one_clear_error_and_leaves_no_journal():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        run = Ticker("--listen", f"127.0.0.1:{taken.getsockname()[1]}")
        expect_refusal(run, "listen on", "hint")
    for where in ("9216", "localhost:9216", "127.0.0.1:99999", "127.0.0.1:x"):
        run = Ticker("--listen", where)
        assert run.wait() == 2 and "--listen" in run.err and not os.path.exists(run.path), run.err


def a_duration_ends_the_run():
    run = Ticker("--rate", "20", "--duration", "1s")
    assert run.wait() == 0
    journal, found = check_everything(run)
    assert 30 <= len(found) <= 40 and journal.end["reason"] == "complete", len(found)  # a busy machine misses a slot


def an_interrupt_ends_with_130_and_a_sealed_journal():
    run = Ticker("--rate", "100")
    run.wait_for('"acked"', 20)
    assert run.stop(signal.SIGINT) == 130
    journal, _ = check_everything(run)
    assert journal.end["reason"] == "interrupted" and not journal.of("issued")


def credentials_may_come_from_the_environment():
    path = os.path.join(work, "journal-env")
    env = dict(os.environ, MONGODB_USER="root", MONGODB_PASSWORD=PASSWORD)
    done = subprocess.run([TICKER, "--uri", server.uri, "--journal", path, "--count", "1"], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert PASSWORD not in open(path).read() + done.stderr


def nothing_but_the_namespaces_is_touched():
    admin.drop_database("scratch")
    before = {db: set(admin[db].list_collection_names()) for db in admin.list_database_names()}
    run = Ticker("--ns", "scratch.ticks", "--count", "2", "--rate", "10")
    assert run.wait() == 0
    after = {db: set(admin[db].list_collection_names()) for db in admin.list_database_names()}
    assert after.pop("scratch") == {"ticks"}
    before.pop("scratch", None)
    before["config"].update({"transactions"} & after["config"])  # the server's own, for retryable writes
    assert after == before
    assert list(admin.scratch.ticks.index_information()) == ["_id_"]


# --- trouble ---------------------------------------------------------------------------------------------------------------------


def a_killed_server_loses_no_acknowledged_tick_and_doubles_none():
    run = Ticker("--rate", "200")
    run.wait_for('"acked"', 300)
    server.kill()
    time.sleep(1)
    server.start()
    size = run.text().count('"acked"')
    run.wait_for('"acked"', size + 300, 40)
    assert run.stop() == 0, run.err
    journal, found = check_everything(run)
    doubted = [t for t in journal.ticks.values() if t.get("was") == "unknown" or t["state"] == "unknown"]
    assert not any(t.get("exact") for t in doubted)
    assert not journal.of("issued") and not journal.of("failed")
    # no burst after the stall
    for stream in range(2):
        times = [r["ms"] for r in journal.issues() if r["s"] == stream]
        assert max(sum(1 for t in times if start <= t < start + 100) for start in range(0, times[-1], 10)) <= 22


def a_killed_server_in_the_middle_of_batches_leaves_no_gap_among_the_acknowledged():
    run = Ticker("--flat-out", "--ns", "drill.ticker", "--writers", "3", "--give-up", "30s")
    run.wait_for('"acked"', 20)
    server.kill()
    server.start()
    size = run.text().count('"acked"')
    run.wait_for('"acked"', size + 10, 40)
    assert run.stop() == 0, run.err
    journal, found = check_everything(run)
    assert not journal.of("failed") and not journal.of("unknown") and not journal.of("issued"), run.err
    assert len(found) == len(journal.ticks)


def a_write_concern_error_is_in_doubt_until_the_same_tick_is_met_again():
    run = Ticker("--rate", "20", "--ns", "drill.ticker")
    run.wait_for('"acked"', 5)
    fail_insert({"times": 1}, writeConcernError={"code": 64, "errmsg": "waiting for replication timed out"})
    run.wait_for('"unknown"')
    size = run.text().count('"acked"')
    run.wait_for('"acked"', size + 5)
    assert run.stop() == 0
    journal, found = check_everything(run)
    doubted = [t for t in journal.ticks.values() if t.get("was") == "unknown"]
    assert len(doubted) == 1 and doubted[0]["state"] == "acked" and not doubted[0]["exact"]
    reasons = [r for r in journal.records if r["type"] == "unknown"]
    assert [r["code"] for r in reasons] == [64] and "timed out" in reasons[0]["reason"], reasons


def a_tick_whose_connection_was_lost_is_in_doubt_then_acknowledged_but_never_exact():
    run = Ticker("--rate", "20", "--ns", "drill.ticker")
    run.wait_for('"acked"', 5)
    fail_insert({"times": 1}, closeConnection=True)
    run.wait_for('"exact":false')
    assert run.stop() == 0
    journal, _ = check_everything(run)
    assert sum(not t["exact"] for t in journal.ticks.values()) == 1 and len(journal.of("acked")) == len(journal.ticks)


def a_connection_lost_again_and_again_is_in_doubt_then_resolved():
    run = Ticker("--rate", "20", "--ns", "drill.ticker")
    run.wait_for('"acked"', 5)
    fail_insert({"times": 5}, closeConnection=True)
    run.wait_for('"unknown"')
    size = run.text().count('"acked"')
    run.wait_for('"acked"', size + 5)
    assert run.stop() == 0
    journal, found = check_everything(run)
    assert len(found) == len(journal.ticks) == len(journal.of("acked"))


def a_step_down_is_never_taken_for_a_refusal():
    run = Ticker("--rate", "20", "--ns", "drill.ticker")
    run.wait_for('"acked"', 5)
    fail_insert({"times": 4}, errorCode=10107, errorLabels=["RetryableWriteError"])
    run.wait_for('"unknown"')
    size = run.text().count('"acked"')
    run.wait_for('"acked"', size + 5)
    assert run.stop() == 0
    journal, _ = check_everything(run)
    assert not journal.of("failed")


def a_refused_document_is_failed_and_the_ticks_go_on():
    admin.drop_database("refuse")
    admin.refuse.create_collection("ticks")
    run = Ticker("--rate", "20", "--ns", "refuse.ticks")
    run.wait_for('"acked"', 5)
    admin.refuse.command("collMod", "ticks", validator={"nobody": {"$exists": True}})
    run.wait_for('"failed"', 2)
    admin.refuse.command("collMod", "ticks", validator={})
    size = run.text().count('"acked"')
    run.wait_for('"acked"', size + 5)
    assert run.stop() == 0
    journal, found = check_everything(run)
    assert {t["outcome"]["code"] for t in journal.of("failed").values()} == {121}
    assert not journal.of("unknown")


def a_batch_with_a_refused_document_is_told_apart_tick_by_tick():
    admin.drop_database("refuse")
    admin.refuse.create_collection("ticks", validator={"seq": {"$ne": 550}})
    run = Ticker("--flat-out", "--batch", "100", "--count", "1000", "--ns", "refuse.ticks")
    assert run.wait() == 0
    journal, found = check_everything(run)
    assert sorted(seq for _, seq in journal.of("failed")) == list(range(550, 601))
    assert len(journal.of("acked")) == 949 == len(found)


def a_frozen_server_leaves_a_doubt_that_the_thaw_resolves():
    run = Ticker("--rate", "20", "--ns", "drill.ticker", "--write-timeout", "100ms", "--give-up", "4s")
    run.wait_for('"acked"', 5)
    server.freeze()
    try:
        run.wait_for('"unknown"', 1, 30)
    finally:
        server.thaw()
    size = run.text().count('"acked"')
    run.wait_for('"acked"', size + 5, 40)
    assert run.stop() == 0
    journal, found = check_everything(run)
    assert len(found) == len(journal.ticks) == len(journal.of("acked"))


def a_stop_does_not_wait_for_ever_for_a_frozen_server():
    run = Ticker("--rate", "20", "--give-up", "1s")
    run.wait_for('"acked"', 5)
    server.freeze()
    try:
        time.sleep(0.3)
        started = time.monotonic()
        assert run.stop() == 0, run.err
        assert time.monotonic() - started < 4
    finally:
        server.thaw()
    time.sleep(0.5)
    journal, found = check_everything(run)
    assert journal.end and 1 <= len(journal.of("issued")) + len(journal.of("unknown")) <= 2


def after_giving_up_the_ticks_go_on_and_the_doubt_stays():
    run = Ticker("--rate", "20", "--ns", "drill.ticker", "--give-up", "500ms")
    run.wait_for('"acked"', 5)
    server.kill()
    run.wait_for('"unknown"', 1, 30)
    time.sleep(1.5)
    issued = run.text().count('"issued"')
    time.sleep(1)
    assert run.text().count('"issued"') == issued, "ticks are issued while nobody answers"
    server.start()
    size = run.text().count('"acked"')
    run.wait_for('"acked"', size + 5, 40)
    assert run.stop() == 0
    journal, found = check_everything(run)
    assert len(journal.of("unknown")) == 1


def another_cluster_at_the_same_address_ends_the_run():
    global admin
    # a term that the new set has not reached: clients that remember it take the new primary for a stale one
    for _ in range(3):
        admin.admin.command("replSetStepDown", 1, force=True)
        tap.eventually(lambda: mongod_is_primary(), 20, "a primary")
    run = Ticker("--rate", "20", "--give-up", "5s")
    run.wait_for('"acked"', 5)
    server.fresh()
    assert run.wait(60) == 3, run.err
    admin = server.client()
    journal = run.journal()
    assert journal.end and "the cluster changed" in journal.end["reason"], journal.records[-1]
    assert len(run.errors()) == 2 and "the cluster changed" in run.errors()[0], run.err
    assert not stored(journal), "ticks of the old run are in the new cluster"


def a_stop_does_not_wait_for_ever_for_a_reader_of_stdout():
    run = Ticker("--flat-out", "--batch", "1", "--ns", "drill.ticker", "--give-up", "500ms", journal="-")
    pipe = run.process.stdout.fileno()
    fcntl.fcntl(pipe, 1031, 4096)  # F_SETPIPE_SZ
    tap.eventually(lambda: int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), "little") > 3000, 20, "a full pipe")
    time.sleep(0.5)  # nobody reads: the next record waits in the middle of its write
    run.process.send_signal(signal.SIGTERM)
    try:
        assert run.process.wait(8) == 3
    except subprocess.TimeoutExpired:
        run.process.kill()
        raise AssertionError("it did not end")
    run.wait()
    assert "could not be sealed" in run.err and "hint: look whether somebody reads stdout" in run.err, run.err
    text = run.out[:run.out.rindex("\n") + 1]
    assert len(stored(ticks.Journal(text, prefixed=True))) > 3


def a_ticker_that_was_frozen_wakes_without_a_burst():
    run = Ticker("--rate", "50")
    run.wait_for('"acked"', 20)
    run.process.send_signal(signal.SIGSTOP)
    time.sleep(0.2)
    before = len(run.journal().issues())
    time.sleep(6)  # more than the driver and link_trusted allow a connection to be idle
    run.process.send_signal(signal.SIGCONT)
    run.wait_for('"acked"', before + 50)
    assert run.stop() == 0, run.err
    journal, found = check_everything(run)
    for stream in range(2):
        times = [r["ms"] for r in journal.issues() if r["s"] == stream]
        assert max(b - a for a, b in zip(times, times[1:])) >= 5900, "the journal does not show the stall"
        assert max(sum(1 for t in times if start <= t < start + 100) for start in range(0, times[-1], 10)) <= 7
    assert len(found) == len(journal.of("acked")) == len(journal.ticks)


def a_tick_that_may_not_be_read_back_stays_unknown():
    admin.admin.command("createRole", "insertOnly", roles=[], privileges=[{"resource": {"db": "drill", "collection": "ticker"}, "actions": ["insert"]}])
    admin.admin.command("createUser", "inserter", pwd="i", roles=["clusterMonitor", "insertOnly"])
    run = Ticker("--rate", "20", "--ns", "drill.ticker", "--give-up", "1s", user=secret("u3", "inserter"), password=secret("p3", "i"))
    run.wait_for('"acked"', 5)
    fail_insert({"times": 1}, writeConcernError={"code": 64, "errmsg": "waiting for replication timed out"})
    run.wait_for('"unknown"')
    size = run.text().count('"acked"')
    run.wait_for('"acked"', size + 5)
    assert run.stop() == 0
    journal, found = check_everything(run)
    doubted = [k for k, t in journal.ticks.items() if t["state"] == "unknown"]
    assert len(doubted) == 1 and doubted[0] in found, "claimed without having been looked at"


# --- what cannot work ------------------------------------------------------------------------------------------------------------


def expect_refusal(run, *texts, journal_made=False):
    assert run.wait() == 3, run.err
    errors = run.errors()
    assert 1 <= len(errors) <= 2 and len(errors[0]) < 700, run.err
    for text in texts:
        assert text in run.err, (text, run.err)
    assert journal_made == os.path.exists(run.path)


def a_wrong_password_is_one_clear_error():
    expect_refusal(Ticker(password=secret("wrong", "not it")), "login refused", "hint: check the user name and the password")


def an_unreachable_server_is_one_clear_error():
    started = time.monotonic()
    expect_refusal(Ticker("--give-up", "1s", uri=f"mongodb://127.{OCTET}.254.254:27017/?replicaSet=rs0"), f"127.{OCTET}.254.254:27017",
                   "hint: check that MongoDB runs")
    assert time.monotonic() - started < 5


def a_user_without_the_right_roles_is_one_clear_error():
    admin.admin.command("createUser", "reader", pwd="r", roles=["clusterMonitor", {"role": "read", "db": "drill"}])
    admin.admin.command("createUser", "nobody", pwd="n", roles=[])
    run = Ticker("--ns", "drill.ticker", user=secret("u1", "reader"), password=secret("p1", "r"))
    expect_refusal(run, "write the first tick into \"drill.ticker\"", "no permission", "hint: grant the user a role", journal_made=True)
    journal = run.journal()
    assert journal.ticks[0, 1]["state"] == "failed" and journal.ticks[0, 1]["outcome"]["code"] == 13
    expect_refusal(Ticker(user=secret("u2", "nobody"), password=secret("p2", "n")), "hint: grant the user clusterMonitor")


def an_existing_journal_is_not_overwritten():
    path = secret("taken", "precious")
    run = Ticker(journal=path)
    expect_refusal(run, "exists already", "hint: a journal is never overwritten", journal_made=True)
    assert open(path).read() == "precious"


def a_password_in_the_uri_is_a_usage_error():
    run = Ticker(uri=f"mongodb://root:secret99@{server.host}:27017/")
    assert run.wait() == 2 and "secret99" not in run.err and "holds a password" in run.err, run.err


def a_full_disk_ends_the_run_before_an_unjournaled_tick():
    limit = 40000
    run = Ticker("--rate", "200", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    expect_refusal(run, "File too large", "hint: no tick is sent that is not journaled", journal_made=True)
    journal = run.journal()
    found = stored(journal)
    assert journal.end is None and len(journal.ticks) > 50
    assert not set(found) - set(journal.ticks), "a tick went out without its record"


def a_full_stdout_is_one_clear_error():
    with open("/dev/full", "w") as full:
        expect_refusal(Ticker(journal="-", stdout=full), "write the journal to stdout", "No space left on device")


def a_closed_stdout_ends_the_run():
    run = Ticker("--rate", "50", journal="-")
    lines = [run.process.stdout.readline() for _ in range(20)]
    run.process.stdout.close()
    run.process.stdout = None
    assert run.wait() == 3
    assert "Broken pipe" in run.err and len(run.errors()) == 2, run.err
    assert lines[0].startswith(ticks.PREFIX)


def usage_errors_name_the_fault():
    for args, text in ((["--rate", "0"], "--rate"), (["--rate", "nan"], "--rate"), (["--ns", "admin"], "\"admin\" is not a namespace"),
                       (["--ns", "admin.system.users"], "is not a namespace"), (["--writers", "40"], "more than 64 streams"),
                       (["--rate", "5", "--flat-out"], "exclude each other"), (["--ns", "a.b", "--ns", "a.b"], "twice"),
                       (["--log-level", "loud"], "--log-level")):
        done = subprocess.run([TICKER, "--uri", server.uri, *args], capture_output=True, text=True)
        assert done.returncode == 2 and text in done.stderr, (args, done.stderr)


# What the threads share is used on each of these paths: the gate, the stop and its cause, the totals.
BETWEEN_THREADS = [those_who_watch_get_the_figures_of_the_journal, a_high_rate_is_journaled_in_ranges_within_blocks, an_interrupt_ends_with_130_and_a_sealed_journal,
                   a_killed_server_in_the_middle_of_batches_leaves_no_gap_among_the_acknowledged, a_refused_document_is_failed_and_the_ticks_go_on,
                   a_stop_does_not_wait_for_ever_for_a_frozen_server, a_stop_does_not_wait_for_ever_for_a_reader_of_stdout,
                   another_cluster_at_the_same_address_ends_the_run, a_full_disk_ends_the_run_before_an_unjournaled_tick]

if __name__ == "__main__":
    functions = [f for f in list(globals().values()) if callable(f) and getattr(f, "__module__", "") == "__main__" and f.__doc__ is None]
    helpers = {"secret", "fail_insert", "fail_insert_off", "check_everything", "expect_refusal", "free_port", "ask", "figures", "mongod_is_primary", "stored", "Ticker"}
    functions = [f for f in functions if f.__name__ not in helpers]
    if sys.argv[1:] == ["--threads"]:
        sys.exit(tap.run(BETWEEN_THREADS))
    sys.exit(tap.run(functions, sys.argv[1] if len(sys.argv) > 1 else None))
