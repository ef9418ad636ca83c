/*
 * This side of the comparison with tests/support/second_reader.py.
 *
 *   cross_check make FILE SEED    a journal of a random but lawful life
 *   cross_check read FILE         one line of totals, and the exit status, as second_reader.py has them
 */
#include "evidence/journal.h"

#include <stdio.h>
#include <string.h>

static uint32_t below(uint64_t *state, uint32_t limit)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33) % limit;
}

static bool write_life(struct journal_writer *w, uint64_t seed, struct err *err)
{
	static const enum journal_type outcomes[] = {JOURNAL_ACKED, JOURNAL_ACKED, JOURNAL_FAILED, JOURNAL_UNKNOWN};
	struct journal_record rec;
	int64_t last[3] = {0};

	for (int i = 0; i < 400; i++) {
		uint32_t s = below(&seed, 3);
		int64_t room = TICK_BLOCK - last[s] % TICK_BLOCK, count = 1 + below(&seed, 3) * below(&seed, 300);

		rec = (struct journal_record){.type = JOURNAL_ISSUED,
		    .ms = i,
		    .stream = s,
		    .first = last[s] + 1,
		    .last = last[s] + (count < room ? count : room),
		    .sum = seed};
		if (!journal_write(w, &rec, err))
			return false;
		last[s] = rec.last;
		/* outcomes of any part, earlier ones included; what is not lawful is refused and tried otherwise */
		for (int k = 0; k < 4; k++) {
			struct err ignored = ERR_INIT;

			rec = (struct journal_record){.type = outcomes[below(&seed, 4)], .ms = i, .stream = s};
			rec.first = 1 + (int64_t)below(&seed, (uint32_t)last[s]);
			rec.last = rec.first + below(&seed, 50);
			if (tick_block(rec.last) != tick_block(rec.first) || rec.last > last[s])
				rec.last = rec.first;
			if (!journal_write(w, &rec, &ignored) && ignored.code != ERR_STATE)
				return *err = ignored, false;
		}
	}
	return seed % 2 || journal_write(w, &(struct journal_record){.type = JOURNAL_END, .reason = "end"}, err);
}

static bool make(const char *path, uint64_t seed, struct err *err)
{
	CLEANUP(journal_writer) struct journal_writer *w = NULL;
	struct journal_open open = {.ticker = "cross_check",
	    .cluster_kind = "replicaSet",
	    .streams = {{"admin.ticker", 0}, {"drill.ticker", 0}, {"drill.ticker", 1}},
	    .stream_count = 3};
	struct record_file *file = NULL;
	struct record_sink sink;
	bool ok;

	if (!record_file_create(path, &file, err))
		return false;
	sink = record_file_sink(file);
	ok = journal_writer_new(&sink, &open, &w, err) && write_life(w, seed, err);
	return record_file_close(file, ok ? err : NULL) && ok;
}

static int read_back(const char *path, struct err *err)
{
	CLEANUP(journal_reader) struct journal_reader *r = NULL;
	struct record_reader *records = NULL;
	enum journal_state state;
	struct journal_record rec;
	int64_t issued = 0, acked = 0, failed = 0, unknown = -1;

	if (!record_reader_open(path, false, &records, err) || !journal_reader_new(records, &r, err))
		return EXIT_FAIL;
	while ((state = journal_next(r, &rec, err)) == JOURNAL_RECORD) {
		int64_t ticks = rec.last - rec.first + 1;

		issued += rec.type == JOURNAL_ISSUED ? ticks : 0;
		acked += rec.type == JOURNAL_ACKED ? ticks : 0;
		failed += rec.type == JOURNAL_FAILED ? ticks : 0;
		unknown = rec.type == JOURNAL_END ? rec.total_unknown : -1;
	}
	if (state == JOURNAL_BROKEN || state == JOURNAL_FAILED_TO_READ)
		return EXIT_FAIL;
	printf("journal %s records=%llu issued=%lld acked=%lld failed=%lld ",
	    state == JOURNAL_SEALED ? "whole" : "open", (unsigned long long)journal_reader_head(r).n, (long long)issued,
	    (long long)acked, (long long)failed);
	/* the reader keeps no count of the unknown but through the end */
	if (state == JOURNAL_SEALED)
		printf("unknown=%lld ", (long long)unknown);
	printf("chain=%s\n", journal_reader_head(r).chain);
	return state == JOURNAL_SEALED ? EXIT_PASS : EXIT_INCONCLUSIVE;
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	int status;

	if (argc == 4 && !strcmp(argv[1], "make"))
		return make(argv[2], (uint64_t)atoll(argv[3]), &err) ? EXIT_PASS : err_print("cross_check", &err);
	if (argc != 3)
		return EXIT_USAGE;
	status = read_back(argv[2], &err);
	if (status == EXIT_FAIL)
		fprintf(stderr, "%s\n", err.msg);
	return status;
}
