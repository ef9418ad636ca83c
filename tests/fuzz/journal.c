/*
 * Any bytes as a journal. The first byte chooses: as they are; as a pod log; or (so that mutations get past the hash)
 * with each line's number and chain made right. What the reader without trees accepts, the one with trees must read
 * alike.
 */
#include "evidence/journal.h"
#include "rechain.h"

#include <string.h>

static void read_all(const char *text, size_t len, bool prefixed)
{
	CLEANUP(record_reader) struct record_reader *trees = NULL;
	CLEANUP(journal_reader) struct journal_reader *r = NULL;
	struct record_reader *records = NULL;
	struct journal_record a, b;
	struct record rec;
	struct err err = ERR_INIT;

	if (!record_reader_memory(text, len, prefixed, &records, &err) ||
	    !record_reader_memory(text, len, prefixed, &trees, &err))
		abort();
	if (!journal_reader_new(records, &r, &err))
		return;
	if (record_next(trees, &rec, &err) != RECORD_OK)
		abort();
	while (journal_next(r, &a, &err) == JOURNAL_RECORD)
		if (record_next(trees, &rec, &err) != RECORD_OK ||
		    !journal_parse(&rec, journal_reader_open_record(r), &b, &err) || memcmp(&a, &b, sizeof a))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BUF_CLEANUP struct buf text = BUF_INIT(4 << 20);

	if (!size)
		return 0;
	if (data[0] == '+') {
		rechain((const char *)data + 1, size - 1, &text);
		read_all(buf_str(&text), text.len, false);
	} else {
		read_all((const char *)data + 1, size - 1, data[0] == '@');
	}
	return 0;
}
