/* Any bytes as a timeline. "+" in front: with numbers and chain made right. */
#include "evidence/timeline.h"
#include "rechain.h"

static void read_all(const char *text, size_t len)
{
	CLEANUP(timeline_reader) struct timeline_reader *r = NULL;
	struct record_reader *records = NULL;
	struct timeline_record rec;
	struct err err = ERR_INIT;

	if (!record_reader_memory(text, len, false, &records, &err))
		abort();
	if (!timeline_reader_new(records, &r, &err))
		return;
	while (timeline_next(r, &rec, &err) == RECORD_OK)
		if (!rec.is_head && timeline_data(&rec, "what") && !rec.data_count)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BUF_CLEANUP struct buf text = BUF_INIT(4 << 20);

	if (size && data[0] == '+') {
		rechain((const char *)data + 1, size - 1, &text);
		read_all(buf_str(&text), text.len);
	} else {
		read_all((const char *)data, size);
	}
	return 0;
}
