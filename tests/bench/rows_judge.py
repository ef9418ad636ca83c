"""Row "judge"."""
from measure import at_least, below, median, progress, shown
from rows_collect import evidence

TICKS = 500000  # one by one: a million records


def judge(bench, _args):
    verify = bench.program("verifier/psmdb-verify")
    rounds = 3 if bench.quick else 5
    large = evidence(bench, 10000000, 1000)
    took = [bench.cost(verify, "judge", "--quiet", "--run", large) for _ in range(rounds)]
    yield below("judge", "10,000,000 ticks in ranges of 1,000, all of psmdb-verify judge", 1, "s", median([c.wall_s for c in took]), [c.wall_s for c in took],
                note=f"PASS, read three times (negative control); {median([c.cpu_s for c in took]):.2f} s of CPU")
    single = evidence(bench, TICKS, 1)
    progress(f"judge beside cJSON, {2 * TICKS:,} records, {rounds} rounds")
    once, thrice, reader = [], [], []
    for _ in range(rounds):
        alone, checked, _lines = bench.numbers(bench.program("tests/bench/bench_journal_read"), single / "journal.jsonl", 1)[0]
        # a loss beyond what is allowed is FAIL, so that there is no PASS to be controlled and the journal is read once
        once.append(alone / bench.cost(verify, "judge", "--quiet", "--run", single, "--max-rpo", "1ms", ok=(1,)).cpu_s)
        thrice.append(alone / bench.cost(verify, "judge", "--quiet", "--run", single).cpu_s)
        reader.append(alone / checked)
    yield at_least("judge", "1,000,000 records of single ticks: of cJSON alone on the same file", 0.8, median(once), once,
                   note="CPU; all of psmdb-verify judge, a verdict that is no PASS (read once)")
    yield shown("judge", "the same with PASS, whose negative control reads the journal twice more", median(thrice), rounds=thrice, note="CPU")
    yield shown("judge", "reading and checking the journal alone (chain, numbers, lifecycle): of cJSON alone", median(reader), rounds=reader, note="CPU")
