"""One real drill, and every damage of the catalogue (damages.py) done to a copy of it: each is found, with its verdict, its reason, and where it is told its class.

    damage_test.py [NAME ...]     only these
    damage_test.py --table        prints the table of docs/damage.md
"""
import sys
import time

import pymongo

import clean
import damage
import damages
import harness
from harness import FAIL, INCONCLUSIVE, PASS, Tap, failing_junit, reasons

tap = Tap()
CLEAN = 100
STATUS = {"FAIL": FAIL, "INCONCLUSIVE": INCONCLUSIVE}


def done(d, copy, case):
    """The damage, and the verdict on it. Under an election it is done once more."""
    for last in (False, True):
        try:
            with d.do(case):
                if d.collects:
                    copy.collect(*copy.login_of("ADMIN"), *getattr(case, "logins", ()))
                return copy.check()
        except pymongo.errors.PyMongoError:
            if last:
                raise
            time.sleep(5)
            case.put()


def found(d, drill, client, older, scene):
    with tap.check(f"{d.name}: {d.what}: {d.result}"):
        copy = drill.copy(d.name)
        status, verdict = done(d, copy, damages.Case(copy, client, older, scene))
        counts = {name: int(verdict["counts"][name]) for name in d.counts}
        assert status == STATUS[d.result] and verdict["result"] == d.result, (status, reasons(verdict), copy.output[-2000:])
        assert d.codes & set(reasons(verdict)), (d.codes, verdict["reasons"])
        assert counts == d.counts, (counts, d.counts)
        failures, errors = failing_junit(copy.dir)
        assert failures if d.result == "FAIL" else errors, (failures, errors)


def told_again(drill):
    with tap.check(f"the same drill told again {CLEAN} times, with other clocks and another moment of the disaster: PASS each time"):
        for seed in range(CLEAN):
            copy = drill.copy("told")
            what = clean.told_again(copy, seed)
            status, verdict = copy.check()
            assert status == PASS, (seed, what, reasons(verdict), copy.output[-1500:])


def documented():
    with tap.check("docs/damage.md has this very table, and the README counts it"):
        assert damages.table() in (harness.SOURCE / "docs/damage.md").read_text(), "run damage_test.py --table"
        assert damages.counts() in (harness.SOURCE / "README.md").read_text(), damages.counts()


def main(names):
    documented()
    wanted = [d for d in damages.CATALOGUE if not names or d.name in names]
    with harness.workspace("damage") as path, harness.Sandbox(path / "sandbox") as sandbox:
        drill = harness.Drill(sandbox, path / "run")
        drill.start_ticker()
        time.sleep(3)
        with sandbox.client() as client:
            damages.furnish(client)
        drill.describe()
        older = path / "older.json"
        drill.pin(drill.backup(), out=older)
        time.sleep(3)
        name = drill.backup()
        drill.pin(name)
        time.sleep(5)
        drill.disaster()
        assert drill.restore(name).returncode == 0
        drill.collect(*drill.login_of("ADMIN"))
        with sandbox.client() as client:
            with tap.check("undamaged: PASS, with the negative control"):
                status, verdict = drill.check()
                assert status == PASS and [c["found"] for c in verdict["controls"]] == [True] * 3, drill.output
                assert verdict["before"] == {"schema": True, "roles": True}, verdict
            if not names:
                told_again(drill)
            scene = damage.Scene(client, "drill.ticker")
            for d in wanted:
                found(d, drill, client, older, scene)
            with tap.check("and PASS again when all is put back"):
                copy = drill.copy("again")
                copy.collect(*copy.login_of("ADMIN"))
                status, _ = copy.check()
                assert status == PASS, copy.output
    tap.done()


if sys.argv[1:] == ["--table"]:
    print(damages.table(), end="")
else:
    main(sys.argv[1:])
