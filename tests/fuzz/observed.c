/* Any bytes as an observation. "+" in front: with numbers and chain made right. */
#include "evidence/observed.h"
#include "rechain.h"

static void read_all(const char *text, size_t len)
{
	CLEANUP(record_reader) struct record_reader *records = NULL;
	OBSERVED_CLEANUP struct observed o;
	struct err err = ERR_INIT;

	observed_init(&o);
	if (!record_reader_memory(text, len, false, &records, &err))
		abort();
	if (!observed_load(records, &o, &err) && err.code == ERR_NONE)
		abort();
	for (size_t i = 0; i < o.anomaly_count; i++)
		if (o.anomalies[i].stream >= (int32_t)o.stream_count)
			abort();
	if ((o.open.describes && (o.stream_count || o.anomaly_count || o.foreign_count || o.newest_count)) ||
	    (o.granted_count && !o.grants.known))
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
