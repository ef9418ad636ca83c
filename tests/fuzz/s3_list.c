/* Any bytes as S3's answers: a listing or an error body, parsed within the bounds or refused. */
#include "net/url.h"
#include "s3/s3_xml.h"

#include <stdlib.h>
#include <string.h>

static bool note(void *ctx, const struct s3_object *o, struct err *err)
{
	size_t *objects = ctx;

	(void)err;
	/* a key is never empty, and is a whole text */
	if (!*o->key || strlen(o->etag) >= S3_ETAG_MAX)
		abort();
	++*objects;
	return *objects < 1000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BUF_CLEANUP struct buf plain = BUF_INIT(1 << 20), coded = BUF_INIT(1 << 22);
	struct s3_page page;
	struct s3_fault fault;
	struct err err = ERR_INIT;
	size_t objects = 0;

	if (s3_parse_list((const char *)data, size, note, &objects, &page, &err) && page.count != objects)
		abort();
	s3_parse_error((const char *)data, size, &fault);
	if (url_decode(&plain, (const char *)data, size, true, &err) &&
	    !url_encode(&coded, buf_str(&plain), plain.len, true, &err))
		abort();
	return 0;
}
