/*
 * Shard keys, chunks and documents from outside: no crash, no read past an end, and the same answer each time.
 *
 * Input: documents, each [length][bytes...]: the key, then pairs of minimum and maximum, then the documents behind a
 * length of 0.
 */
#include "verifier/collect_owner.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *at;
	size_t left;
};

/* A copy that is allocated to the byte, with the length that it has; NULL: no more. */
static uint8_t *next(struct input *in, size_t *ret_len)
{
	size_t len = in->left ? in->at[0] : 0;
	uint8_t *copy;

	if (!in->left)
		return NULL;
	len = len < in->left - 1 ? len : in->left - 1;
	copy = malloc(len ? len : 1);
	if (!copy)
		abort();
	memcpy(copy, in->at + 1, len);
	in->at += len + 1;
	in->left -= len + 1;
	*ret_len = len;
	return copy;
}

static bool as_document(const uint8_t *bytes, size_t len, bson_t *ret)
{
	return len >= 5 && bson_init_static(ret, bytes, len);
}

static void look(struct owner *o, struct input *in)
{
	uint8_t *low, *high, *bytes;
	size_t low_len, high_len, len;
	bson_t min, max;

	while ((low = next(in, &low_len)) && low_len) {
		high = next(in, &high_len);
		if (high && as_document(low, low_len, &min) && as_document(high, high_len, &max))
			owner_add_home(o, &min, &max, (int)(low_len % 3) - 1);
		free(low);
		free(high);
	}
	free(low);
	while ((bytes = next(in, &len))) {
		bool owned = owner_owns(o, bytes, len);

		if (owned != owner_owns(o, bytes, len) || (owner_home(o, bytes, len) >= 0 && !owned))
			abort();
		free(bytes);
	}
	if (owner_untold(o) % 2)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct owner *o = NULL;
	char why[160] = "";
	size_t len;
	uint8_t *bytes = next(&in, &len);
	bson_t key;

	if (bytes && as_document(bytes, len, &key)) {
		if (owner_new(&key, &o, why, sizeof why))
			look(o, &in);
		else if (!why[0])
			abort();
	}
	owner_free(o);
	free(bytes);
	return 0;
}
