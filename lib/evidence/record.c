#include "evidence/record.h"

#include "base/num.h"
#include "base/text.h"
#include "evidence/record_line.h"

#include <assert.h>
#include <string.h>

#define CHAIN_KEY ",\"chain\":"
#define CHAIN_TAIL (sizeof CHAIN_KEY - 1 + 1 + (RECORD_CHAIN_TEXT_MAX - 1) + 2) /* ,"chain":"<32>"} */

void record_head_init(struct record_head *head)
{
	*head = (struct record_head){.n = 0, .chain = RECORD_CHAIN_ZERO};
}

void record_chain_next(
    struct sha256 *hash, const char *previous, const char *line, size_t hashed, char ret[static RECORD_CHAIN_TEXT_MAX])
{
	unsigned char digest[SHA256_BYTES];
	char text[RECORD_CHAIN_TEXT_MAX - 1 + RECORD_LINE_MAX];

	assert(hashed <= RECORD_LINE_MAX);
	memcpy(text, previous, RECORD_CHAIN_TEXT_MAX - 1);
	memcpy(text + RECORD_CHAIN_TEXT_MAX - 1, line, hashed);
	if (hash) {
		sha256_restart(hash);
		sha256_update(hash, text, RECORD_CHAIN_TEXT_MAX - 1 + hashed);
		sha256_finish(hash, digest);
	} else {
		sha256_of(text, RECORD_CHAIN_TEXT_MAX - 1 + hashed, digest);
	}
	hex_encode(digest, (RECORD_CHAIN_TEXT_MAX - 1) / 2, ret);
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A table: this is asked 32 times a line. */
static const bool hex_digits[256] = {['0' ... '9'] = true, ['a' ... 'f'] = true};

bool record_envelope_parse(const char *line, size_t len, struct record_envelope *ret, struct err *err)
{
	static const char begin[] = "{\"n\":", middle[] = ",\"type\":\"";
	const char *p = line, *tail, *end = line + len;
	size_t digits = 0, letters = 0;
	bool hex = true;

	if (len < sizeof begin - 1 + CHAIN_TAIL || memcmp(p, begin, sizeof begin - 1))
		return err_set(err, ERR_PARSE, "not a record: it does not begin with {\"n\":");
	p += sizeof begin - 1;
	tail = end - CHAIN_TAIL;
	while (p + digits < tail && p[digits] >= '0' && p[digits] <= '9')
		digits++;
	if (!num_parse_u64(p, digits, RECORD_NUMBER_MAX, &ret->n) || !ret->n)
		return err_set(err, ERR_PARSE, "not a record: n is no number from 1");
	p += digits;
	if ((size_t)(tail - p) < sizeof middle || memcmp(p, middle, sizeof middle - 1))
		return err_set(err, ERR_PARSE, "not a record: type does not follow n");
	p += sizeof middle - 1;
	while (p + letters < tail && is_letter(p[letters]))
		letters++;
	if (!letters || letters >= RECORD_TYPE_MAX || p + letters == tail || p[letters] != '"')
		return err_set(err, ERR_PARSE, "not a record: type is not 1 to %d letters", RECORD_TYPE_MAX - 1);
	memcpy(ret->type, p, letters);
	ret->type[letters] = '\0';
	p = tail + sizeof CHAIN_KEY - 1;
	if (memcmp(tail, CHAIN_KEY, sizeof CHAIN_KEY - 1) || *p != '"' || memcmp(end - 2, "\"}", 2))
		return err_set(err, ERR_PARSE, "not a record: it does not end with its chain value");
	p++;
	for (size_t i = 0; i < RECORD_CHAIN_TEXT_MAX - 1; i++)
		hex &= hex_digits[(unsigned char)p[i]];
	if (!hex)
		return err_set(err, ERR_PARSE, "not a record: its chain value is not 32 hexadecimal digits");
	memcpy(ret->chain, p, RECORD_CHAIN_TEXT_MAX - 1);
	ret->chain[RECORD_CHAIN_TEXT_MAX - 1] = '\0';
	ret->hashed = (size_t)(tail - line);
	return true;
}

void record_line_init(struct record_line *r)
{
	buf_init(&r->line, RECORD_LINE_MAX);
	json_writer_init(&r->json, &r->line);
}

void record_line_clear(struct record_line *r)
{
	buf_clear(&r->line);
}

struct json_writer *record_begin(struct record_line *r, const struct record_head *head, const char *type)
{
	buf_reset(&r->line);
	json_writer_init(&r->json, &r->line);
	json_object(&r->json, NULL);
	json_put_int(&r->json, "n", (int64_t)head->n + 1);
	json_put_string(&r->json, "type", type);
	return &r->json;
}

bool record_end(struct record_line *r, struct record_head *head, struct err *err)
{
	size_t hashed = r->line.len;
	char chain[RECORD_CHAIN_TEXT_MAX];

	/* the object is still open: what json_writer_ok asserts about nesting holds one level up */
	assert(r->json.err.code || r->json.depth == 1);
	if (r->json.err.code) {
		if (err)
			*err = r->json.err;
		return err_wrap(err, "record %llu", (unsigned long long)head->n + 1);
	}
	record_chain_next(NULL, head->chain, r->line.data, hashed, chain);
	json_put_string(&r->json, "chain", chain);
	json_end_object(&r->json);
	if (!json_writer_ok(&r->json, err) || !buf_add_char(&r->line, '\n', err))
		return err_wrap(err, "record %llu", (unsigned long long)head->n + 1);
	head->n++;
	memcpy(head->chain, chain, sizeof chain);
	return true;
}

void record_put_text(struct json_writer *w, const char *key, const char *text, size_t size)
{
	char fit[RECORD_LINE_MAX];
	size_t used = 0, left = strlen(text);

	assert(size <= sizeof fit);
	while (left) {
		uint32_t code;
		size_t n = text_utf8_len(text, left, &code), put = n ? n : 3;

		if (used + put >= size)
			break;
		memcpy(fit + used, n ? text : "\xef\xbf\xbd", put);
		used += put;
		text += n ? n : 1;
		left -= n ? n : 1;
	}
	json_put_string_n(w, key, fit, used);
}

bool record_check_open(const struct record *r, const char *format, int version, struct err *err)
{
	const char *text;
	int64_t number;

	if (strcmp(r->type, "open"))
		return err_set(err, ERR_PARSE, "the first record is \"%s\", not \"open\"", r->type);
	if (!json_need_string(r->body, "format", &text, err) ||
	    !json_need_int(r->body, "version", 0, INT32_MAX, &number, err))
		return err_wrap(err, "open record");
	if (strcmp(text, format)) {
		err_set(err, ERR_UNSUPPORTED, "the file's format is \"%.64s\", wanted was \"%s\"", text, format);
		return err_hint(err, "give the file that belongs here: its first line names its format");
	}
	if (number != version) {
		err_set(err, ERR_UNSUPPORTED, "version %lld of format \"%s\" is not known, only %d", (long long)number,
		    format, version);
		return err_hint(err, "use the release of psmdb-drill that wrote the file, or a later one");
	}
	return true;
}
