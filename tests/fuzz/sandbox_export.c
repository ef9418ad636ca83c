/*
 * What a cluster takes in from outside with an import. First byte 'r': a receive string; 'R': the text inside its seal. 'a': an
 * artefact's bytes as they lie in the bucket; 'A': the JSON inside its seal. What is accepted is within its bounds, and comes back the same.
 */
#include "sandbox/kasten/artefact.h"

#include "base/base64.h"
#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void receive_text(const char *text)
{
	BUF_CLEANUP struct buf again = BUF_INIT(RECEIVE_TEXT_MAX);
	struct receive r, second;
	struct err err = ERR_INIT;

	if (!receive_parse(text, &r, &err)) {
		check(err.code == ERR_BROKEN && !strcmp(err.msg, "cipher: message authentication failed"));
		return;
	}
	if (!receive_format(&r, &again, NULL)) /* a text that grows when it is written anew */
		return;
	check(receive_parse(buf_str(&again), &second, NULL));
	check(!memcmp(r.key, second.key, sizeof r.key) && !strcmp(r.collection, second.collection) &&
	      !strcmp(r.bucket, second.bucket));
}

static void receive_inside(const void *bytes, size_t len)
{
	static const char about[] = "psmdb-sandbox receive string 1";
	BUF_CLEANUP struct buf sealed = BUF_INIT(1 << 16);
	BUF_CLEANUP struct buf text = BUF_INIT(1 << 17);
	unsigned char key[SEAL_KEY_BYTES];

	sha256_of(about, strlen(about), key);
	check(seal_close(key, about, bytes, len, &sealed, NULL));
	check(base64_encode(sealed.data, sealed.len, &text, NULL));
	receive_text(buf_str(&text));
}

static void artefact(const struct receive *r, const void *bytes, size_t len)
{
	CLEANUP(json) struct json *doc = NULL;
	struct artefact a;
	struct err err = ERR_INIT;

	if (!artefact_parse(r, "point", bytes, len, &doc, &a, &err)) {
		check(!doc && strstr(err.msg, "\"point\""));
		return;
	}
	check(!strcmp(a.name, "point") && a.action_time && content_is_whole(a.content));
	for (const json_node *l = json_first(a.labels); l; l = json_next(l))
		check(json_string(l) != NULL);
}

static void artefact_inside(const struct receive *r, const void *bytes, size_t len)
{
	BUF_CLEANUP struct buf sealed = BUF_INIT(1 << 20);
	char place[ARTEFACT_KEY_MAX];

	artefact_key(r, "point", place);
	check(seal_close(r->key, place, bytes, len, &sealed, NULL));
	artefact(r, sealed.data, sealed.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct receive r = {"b", "kasten", "00000000-0000-4000-8000-000000000000", {7}};
	BUF_CLEANUP struct buf text = BUF_INIT(1 << 16);

	if (!size || size > 1 << 15 || !buf_add(&text, data + 1, size - 1, NULL))
		return 0;
	if (*data == 'r')
		receive_text(buf_str(&text));
	else if (*data == 'R')
		receive_inside(buf_str(&text), text.len);
	else if (*data == 'a')
		artefact(&r, buf_str(&text), text.len);
	else if (*data == 'A')
		artefact_inside(&r, buf_str(&text), text.len);
	return 0;
}
