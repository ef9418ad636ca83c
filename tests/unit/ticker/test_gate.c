#include "ticker/gate.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64];

static void name_journal(void)
{
	snprintf(path, sizeof path, "/tmp/drill-gate-%d.jsonl", (int)getpid());
	unlink(path);
}

static void remove_journal(void)
{
	unlink(path);
}

TestSuite(gate, .init = name_journal, .fini = remove_journal);

static struct journal_open some_open(void)
{
	struct journal_open open = {.at_ms = 1700000000000,
	    .ticker = "0",
	    .cluster_kind = "replicaSet",
	    .cluster_id = "0123456789abcdef01234567",
	    .set_name = "rs0",
	    .interval_us = 1000000,
	    .batch = 1,
	    .stream_count = 1};

	cr_assert(uuid_random(&open.run, NULL));
	strcpy(open.streams[0].ns, "drill.ticker");
	return open;
}

static struct journal_record issued(int64_t first, int64_t last)
{
	return (struct journal_record){
	    .type = JOURNAL_ISSUED, .first = first, .last = last, .lo = {5, 1}, .created_at_ms = 1700000000000};
}

static struct journal_record outcome(enum journal_type type, int64_t first, int64_t last)
{
	return (struct journal_record){.type = type, .first = first, .last = last, .hi = {6, 1}, .reason = "because"};
}

Test(gate, totals_follow_each_tick_and_the_journal_is_sealed)
{
	struct journal_open open = some_open();
	struct journal_record rec = issued(1, 1);
	CLEANUP(record_reader) struct record_reader *records = NULL;
	CLEANUP(journal_reader) struct journal_reader *reader = NULL;
	struct gate_totals t;
	enum journal_state state;
	struct gate *gate;
	struct err err = ERR_INIT;
	struct stat st;

	cr_assert(gate_open(path, clock_system(), &open, &gate, &err), "%s", err.msg);
	cr_assert(!stat(path, &st) && (st.st_mode & 0777) == 0600);
	cr_assert(gate_issue(gate, &rec, &err), "%s", err.msg);
	rec = outcome(JOURNAL_UNKNOWN, 1, 1);
	cr_assert(gate_note(gate, &rec, false, &err), "%s", err.msg);
	t = gate_totals(gate);
	cr_assert(t.issued == 1 && t.unknown == 1 && t.acked == 0);
	rec = outcome(JOURNAL_ACKED, 1, 1);
	cr_assert(gate_note(gate, &rec, true, &err), "%s", err.msg);
	t = gate_totals(gate);
	cr_assert(t.issued == 1 && t.unknown == 0 && t.acked == 1);
	cr_assert(gate_seal(gate, "complete", 1000, &err), "%s", err.msg);
	rec = issued(2, 2);
	cr_assert_not(gate_issue(gate, &rec, &err));
	cr_assert_eq(err.code, ERR_INTERRUPTED);
	gate_free(gate);

	cr_assert(record_reader_open(path, false, &records, &err));
	cr_assert(journal_reader_new(records, &reader, &err), "%s", err.msg);
	records = NULL;
	while ((state = journal_next(reader, &rec, &err)) == JOURNAL_RECORD)
		cr_assert(rec.ms >= 0 && rec.ms < 10000);
	cr_assert_eq(state, JOURNAL_SEALED, "%d: %s", state, err.msg);
}

Test(gate, an_existing_file_is_refused)
{
	struct journal_open open = some_open();
	struct gate *gate;
	struct err err = ERR_INIT;

	close(creat(path, 0600));
	cr_assert_not(gate_open(path, clock_system(), &open, &gate, &err));
	cr_assert_eq(err.code, ERR_EXISTS);
}

Test(gate, after_a_failed_write_nothing_passes)
{
	struct journal_open open = some_open();
	struct journal_record rec = issued(1, 1);
	struct gate *gate;
	struct err err = ERR_INIT;
	int full;

	/* stdout goes to a pipe without a reader from the second record on */
	full = dup(STDOUT_FILENO);
	cr_assert(freopen("/dev/null", "w", stdout));
	cr_assert(gate_open("-", clock_system(), &open, &gate, &err));
	cr_assert(gate_issue(gate, &rec, &err), "%s", err.msg);
	cr_assert(freopen("/dev/full", "w", stdout));
	rec = issued(2, 2);
	cr_assert_not(gate_issue(gate, &rec, &err));
	cr_assert_eq(err.code, ERR_IO, "%s", err.msg);
	cr_assert(strstr(err.hint, "no tick is sent"));
	cr_assert(freopen("/dev/null", "w", stdout));
	err = (struct err)ERR_INIT;
	rec = outcome(JOURNAL_ACKED, 1, 1);
	cr_assert_not(gate_note(gate, &rec, false, &err), "the first failure sticks although there is room again");
	cr_assert_not(gate_seal(gate, "complete", 1000, &err));
	gate_free(gate);
	dup2(full, STDOUT_FILENO);
}

Test(gate, a_pipe_that_nobody_reads_does_not_hold_up_the_seal)
{
	struct journal_open open = some_open();
	struct gate *gate;
	struct err err = ERR_INIT;
	int ends[2];
	char block[4096] = {0};

	cr_assert(freopen("/dev/null", "w", stdout));
	cr_assert(gate_open("-", clock_system(), &open, &gate, &err));
	cr_assert(!pipe2(ends, O_NONBLOCK));
	while (write(ends[1], block, sizeof block) > 0)
		;
	dup2(ends[1], STDOUT_FILENO);
	cr_assert_not(gate_seal(gate, "complete", 200, &err));
	cr_assert_eq(err.code, ERR_TIMEOUT);
	gate_free(gate);
}
