"""What happens around psmdb-ticker during a run: its journal's disk fills up, its login is taken away, the wall clock is wrong and jumps."""
import atexit
import datetime
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import judging
import mongod
import tap
import ticker_run

PASSWORD = "p@ss:w/ord#1"

if not mongod.find():
    tap.skip_all("no mongod: run scripts/setup")
server = mongod.Mongod(15, PASSWORD, ["enableTestCommands=1"])
atexit.register(server.remove)
work = tempfile.mkdtemp(prefix="drill-around-")
atexit.register(shutil.rmtree, work, ignore_errors=True)
atexit.register(ticker_run.end_children)
admin = server.client()
USER, SECRET = ticker_run.secret(work, "user", "root"), ticker_run.secret(work, "password", PASSWORD)
count = 0


def start(*args, journal=None, user=USER, password=SECRET, **popen):
    global count
    count += 1
    return ticker_run.Ticker(server.uri, journal or os.path.join(work, f"journal-{count}"), *args, user=user, password=password,
                             never_shown=(PASSWORD, "p@ss", "first-word", "other-word"), **popen)


def check(run):
    journal = run.journal()
    return journal, ticker_run.check_claims(admin, journal)


# --- a full disk -----------------------------------------------------------------------------------------------------------------


class SmallDisk:
    """A file system of 128 KiB. Needs the right to mount."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="disk-", dir=work)
        self.sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
        try:
            done = subprocess.run([*self.sudo, "mount", "-t", "tmpfs", "-o", f"size=128k,mode=0700,uid={os.geteuid()}", "none", self.path], capture_output=True, text=True)
        except OSError as e:
            raise tap.Skip(f"nothing can be mounted: {e}")
        if done.returncode:
            raise tap.Skip(f"nothing can be mounted: {done.stderr.strip()}")
        return self.path

    def __exit__(self, *_):
        subprocess.run([*self.sudo, "umount", "-l", self.path], check=True)


def ends_before_what_is_not_journaled(run, admin_ns):
    assert run.wait() == 3, run.err
    errors = run.errors()
    assert len(errors) == 2 and "No space left on device" in errors[0] and run.path in errors[0], run.err
    assert "hint: no tick is sent that is not journaled" in errors[1], run.err
    journal, found = check(run)  # the last line is whole: half a record was taken back
    assert journal.end is None and len(found) > 100 and len(found) <= len(journal.ticks)
    states = {state: len(journal.of(state)) for state in ("acked", "issued", "unknown", "failed")}
    assert states["acked"] > 100 and states["issued"] <= len(journal.streams) * journal.open["batch"] and not states["unknown"] and not states["failed"], states
    # the server got nothing that is not in the journal
    there = sum(len(seqs) for (identity, _, _), seqs in judging.present(admin, [admin_ns]).items() if identity == journal.open["run"])
    assert there == len(found), f"{there} documents, {len(found)} of them journaled"


def a_disk_that_is_full_ends_the_run_at_500_ticks_a_second():
    with SmallDisk() as disk:
        ends_before_what_is_not_journaled(start("--rate", "500", "--ns", "drill.disk", journal=disk + "/journal"), "drill.disk")


def a_disk_that_is_full_ends_the_run_flat_out_in_four_streams():
    with SmallDisk() as disk:
        ends_before_what_is_not_journaled(start("--flat-out", "--batch", "7", "--writers", "4", "--ns", "drill.disk", journal=disk + "/journal"), "drill.disk")


def a_disk_that_has_room_again_gets_no_journal_with_a_hole():
    with SmallDisk() as disk:
        filler, stop = disk + "/filler", threading.Event()
        fill = os.open(filler, os.O_WRONLY | os.O_CREAT, 0o600)

        def come_and_go():
            # full for a moment, over and over
            while not stop.is_set():
                try:
                    while True:
                        os.write(fill, bytes(4096))
                except OSError:
                    os.ftruncate(fill, 0)
                    os.lseek(fill, 0, os.SEEK_SET)
        run = start("--flat-out", "--batch", "5", "--writers", "4", "--ns", "drill.disk", journal=disk + "/journal")
        run.wait_for('"acked"', 100)
        thread = threading.Thread(target=come_and_go)
        thread.start()
        try:
            ends_before_what_is_not_journaled(run, "drill.disk")
        finally:
            stop.set()
            thread.join()
            os.close(fill)


# --- a login that is taken away -----------------------------------------------------------------------------------------------------


def make_user(name):
    admin.admin.command("createUser", name, pwd="first-word", roles=["clusterMonitor", "readWriteAnyDatabase"])


def start_as(name, *args):
    make_user(name)
    run = start("--rate", "20", "--ns", "drill.login", *args, user=ticker_run.secret(work, name, name), password=ticker_run.secret(work, name + ".word", "first-word"))
    run.wait_for('"acked"', 5)
    return run


def lose_connections(times=1):
    admin.admin.command("configureFailPoint", "failCommand", mode={"times": times},
                        data={"failCommands": ["insert"], "appName": "psmdb-ticker", "closeConnection": True})


def whole_and_sealed(run):
    assert run.stop() == 0, run.err
    assert not run.errors(), run.err
    journal, found = check(run)
    assert not journal.of("issued")
    return journal, found


def a_user_who_is_dropped_and_made_again_is_logged_in_again():
    run = start_as("dropped")
    admin.admin.command("dropUser", "dropped")
    run.wait_until_said("waiting for the server")
    size = run.text().count("\n")
    time.sleep(1)
    assert run.text().count("\n") == size, "ticks are issued without a login"
    make_user("dropped")
    run.wait_for_more('"acked"', 20)
    journal, found = whole_and_sealed(run)
    failed = journal.of("failed")
    assert 1 <= len(failed) <= 2 and {t["outcome"]["code"] for t in failed.values()} == {13}, failed
    assert len(found) == len(journal.ticks) - len(failed)
    assert "waiting for the server" in run.err and "login refused" in run.err and "ticks go through again" in run.err, run.err


def roles_that_are_revoked_are_refusals_until_they_are_granted():
    run = start_as("revoked")
    admin.admin.command("revokeRolesFromUser", "revoked", roles=["readWriteAnyDatabase"])
    run.wait_for('"failed"', 4)
    admin.admin.command("grantRolesToUser", "revoked", roles=["readWriteAnyDatabase"])
    run.wait_for_more('"acked"', 10)
    journal, found = whole_and_sealed(run)
    failed = journal.of("failed")
    assert {t["outcome"]["code"] for t in failed.values()} == {13} and not journal.of("unknown")
    assert len(found) == len(journal.ticks) - len(failed)
    times = [t["outcome"]["ms"] for t in failed.values()]
    assert all(b - a >= 100 for a, b in zip(times, times[1:])), f"a server that refuses is asked too often: {times}"


def a_changed_password_ends_no_connection_and_the_new_one_is_read_from_the_file():
    run = start_as("changed", "--give-up", "1s")
    admin.admin.command("updateUser", "changed", pwd="other-word")
    run.wait_for_more('"acked"', 20)  # who is logged in stays so
    assert '"failed"' not in run.text() and '"unknown"' not in run.text()
    lose_connections()
    run.wait_until_said("waiting for the server")
    issued = run.text().count('"issued"')
    time.sleep(1)
    assert run.text().count('"issued"') == issued, "ticks are issued without a login"
    ticker_run.secret(work, "changed.word", "other-word")
    run.wait_for_more('"acked"', 10)
    journal, found = whole_and_sealed(run)
    assert not journal.of("failed") and len(journal.of("unknown")) == 1
    assert "login refused" in run.err, run.err


def a_password_that_is_right_again_in_time_resolves_the_doubt():
    run = start_as("restored")
    admin.admin.command("updateUser", "restored", pwd="other-word")
    lose_connections()
    run.wait_for('"unknown"')
    time.sleep(1)
    admin.admin.command("updateUser", "restored", pwd="first-word")
    run.wait_for_more('"acked"', 10)
    journal, found = whole_and_sealed(run)
    assert len(found) == len(journal.ticks) == len(journal.of("acked"))
    assert sum(t["was"] == "unknown" for t in journal.ticks.values()) == 1


def a_login_that_has_expired_is_renewed():
    run = start_as("expired")
    admin.admin.command("configureFailPoint", "failCommand", mode={"times": 3},
                        data={"failCommands": ["insert", "replSetGetConfig"], "appName": "psmdb-ticker", "errorCode": 391})
    run.wait_for('"failed"')
    run.wait_for_more('"acked"', 20)
    journal, found = whole_and_sealed(run)
    assert {t["outcome"]["code"] for t in journal.of("failed").values()} == {391} and not journal.of("unknown")


def a_stop_without_a_login_seals_the_journal():
    run = start_as("gone")
    admin.admin.command("dropUser", "gone")
    run.wait_until_said("waiting for the server")
    journal, _ = whole_and_sealed(run)
    assert journal.end["reason"] == "stopped"


# --- a wrong clock ------------------------------------------------------------------------------------------------------------------


def library():
    found = sorted(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1"))
    if not found:
        raise tap.Skip("no libfaketime: apt-get install libfaketime")
    return found[0]


def faked(**settings):
    # the address sanitizer wants to be loaded first, and does not need it
    return dict(os.environ, LD_PRELOAD=library(), DONT_FAKE_MONOTONIC="1", FAKETIME_NO_CACHE="1", **settings,
                ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")


def seconds_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def intervals_are_kept(journal, interval_ms):
    times = [r["ms"] for r in journal.issues() if r["s"] == 0]
    # a busy machine is late now and then, and leaves a slot out
    assert times == sorted(times) and -interval_ms < times[-1] - times[0] - (len(times) - 1) * interval_ms < 1000, times
    assert ticker_run.most_within(journal, 0, 10 * interval_ms) <= 12


def is_judged_as_ever(journal, path):
    observed, now = path + ".observed", admin.admin.command("ping")["operationTime"]
    judging.collect(server.uri, USER, SECRET, ["drill.clock"], observed)
    found, middle = judging.present(admin, ["drill.clock"]), sorted(t["hi"] for t in journal.of("acked").values())[len(journal.ticks) // 2]
    for point in ((now.time, now.inc), middle):
        verdict = judging.judge(work, [path], observed, point)
        counts = judging.counted(verdict)
        assert counts == judging.expected([journal], found, point), counts
        if point != middle:
            assert counts["ok"] == len(journal.ticks) and not any(r["severity"] == "fail" for r in verdict["reasons"]), verdict["reasons"]


def wrong_by(offset, seconds):
    began = time.time()
    run = start("--rate", "20", "--ns", "drill.clock", "--count", "30", env=faked(FAKETIME=offset))
    assert run.wait() == 0, run.err
    journal, found = check(run)
    assert len(found) == 30 == len(journal.of("acked"))
    assert abs(seconds_of(journal.open["at"]) - began - seconds) < 20, journal.open
    assert abs(journal.open["clock"]["offset_ms"] + seconds * 1000) <= 2000 + journal.open["clock"]["error_ms"], journal.open["clock"]
    for (_, seq), tick in journal.ticks.items():
        shown = seconds_of(tick["issue"]["createdAt"])
        assert abs(shown - seconds_of(journal.open["at"]) - tick["issue"]["ms"] / 1000) < 0.5, tick["issue"]
    intervals_are_kept(journal, 50)
    is_judged_as_ever(journal, run.path)


def a_clock_three_hours_behind_is_recorded_and_changes_no_claim():
    wrong_by("-3h", -3 * 3600)


def a_clock_six_weeks_ahead_is_recorded_and_changes_no_claim():
    wrong_by("+42d", 42 * 86400)


def a_clock_that_jumps_backwards_moves_createdAt_and_nothing_else():
    setting = os.path.join(work, "clock")

    def turn_to(offset):
        with open(setting + ".new", "w") as f:
            f.write(offset + "\n")
        os.rename(setting + ".new", setting)
    turn_to("+0")
    run = start("--rate", "20", "--ns", "drill.clock", "--count", "50", env=faked(FAKETIME_TIMESTAMP_FILE=setting))
    run.wait_for('"acked"', 15)
    turn_to("-1h")
    assert run.wait() == 0, run.err
    journal, found = check(run)
    assert len(found) == 50 == len(journal.of("acked"))
    shown = [seconds_of(t["issue"]["createdAt"]) for _, t in sorted(journal.ticks.items())]
    back = [b - a for a, b in zip(shown, shown[1:]) if b < a]
    assert len(back) == 1 and -3601 < back[0] < -3580, back
    intervals_are_kept(journal, 50)
    is_judged_as_ever(journal, run.path)


DISK = [a_disk_that_is_full_ends_the_run_at_500_ticks_a_second, a_disk_that_is_full_ends_the_run_flat_out_in_four_streams, a_disk_that_has_room_again_gets_no_journal_with_a_hole]
LOGIN = [a_user_who_is_dropped_and_made_again_is_logged_in_again, roles_that_are_revoked_are_refusals_until_they_are_granted,
         a_changed_password_ends_no_connection_and_the_new_one_is_read_from_the_file, a_password_that_is_right_again_in_time_resolves_the_doubt,
         a_login_that_has_expired_is_renewed, a_stop_without_a_login_seals_the_journal]
CLOCK = [a_clock_three_hours_behind_is_recorded_and_changes_no_claim, a_clock_six_weeks_ahead_is_recorded_and_changes_no_claim,
         a_clock_that_jumps_backwards_moves_createdAt_and_nothing_else]

if __name__ == "__main__":
    if sys.argv[1:] == ["--login"]:
        sys.exit(tap.run(LOGIN))
    sys.exit(tap.run(DISK + LOGIN + CLOCK, sys.argv[1] if len(sys.argv) > 1 else None))
