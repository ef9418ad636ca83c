#include "doc/json_writer.h"

#include "base/clock.h"
#include "base/num.h"
#include "base/text.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define FAILED(w) ((w)->err.code != ERR_NONE)

void json_writer_init(struct json_writer *w, struct buf *out)
{
	*w = (struct json_writer){.out = out};
}

bool json_writer_ok(const struct json_writer *w, struct err *err)
{
	if (FAILED(w)) {
		if (err)
			*err = w->err;
		return false;
	}
	assert(w->depth == 0);
	return true;
}

static void add(struct json_writer *w, const char *text, size_t len)
{
	if (!FAILED(w))
		buf_add(w->out, text, len, &w->err);
}

static void quoted(struct json_writer *w, const char *text, size_t len)
{
	add(w, "\"", 1);
	while (len && !FAILED(w)) {
		uint32_t code = 0;
		size_t n = text_utf8_len(text, len, &code);

		if (!n)
			add(w, "\xef\xbf\xbd", 3);
		else if (code == '"' || code == '\\')
			buf_printf(w->out, &w->err, "\\%c", (char)code);
		else if (code == 0)
			add(w, "\xef\xbf\xbd", 3); /* our own parser refuses \u0000 */
		else if (code < 0x20 || code == 0x7f || code == 0x2028 || code == 0x2029)
			buf_printf(w->out, &w->err, "\\u%04x", code);
		else
			add(w, text, n);
		n = n ? n : 1;
		text += n;
		len -= n;
	}
	add(w, "\"", 1);
}

static void lead(struct json_writer *w, const char *key)
{
	if (w->comma)
		add(w, ",", 1);
	w->comma = true;
	if (key) {
		quoted(w, key, strlen(key));
		add(w, ":", 1);
	}
}

static void begin(struct json_writer *w, const char *key, const char *bracket)
{
	lead(w, key);
	add(w, bracket, 1);
	w->comma = false;
	w->depth++;
}

static void end(struct json_writer *w, const char *bracket)
{
	assert(w->depth > 0);
	w->depth--;
	add(w, bracket, 1);
	w->comma = true;
}

void json_object(struct json_writer *w, const char *key)
{
	begin(w, key, "{");
}

void json_array(struct json_writer *w, const char *key)
{
	begin(w, key, "[");
}

void json_end_object(struct json_writer *w)
{
	end(w, "}");
}

void json_end_array(struct json_writer *w)
{
	end(w, "]");
}

static void put_raw(struct json_writer *w, const char *key, const char *text)
{
	lead(w, key);
	add(w, text, strlen(text));
}

void json_put_string_n(struct json_writer *w, const char *key, const char *value, size_t len)
{
	lead(w, key);
	quoted(w, value, len);
}

void json_put_string(struct json_writer *w, const char *key, const char *value)
{
	json_put_string_n(w, key, value, strlen(value));
}

void json_put_bool(struct json_writer *w, const char *key, bool value)
{
	put_raw(w, key, value ? "true" : "false");
}

void json_put_null(struct json_writer *w, const char *key)
{
	put_raw(w, key, "null");
}

void json_put_int(struct json_writer *w, const char *key, int64_t value)
{
	char text[24];

	assert(value >= -9007199254740992 && value <= 9007199254740992);
	snprintf(text, sizeof text, "%lld", (long long)value);
	put_raw(w, key, text);
}

void json_put_double(struct json_writer *w, const char *key, double value, int decimals)
{
	char text[400];

	if (!isfinite(value)) {
		json_put_null(w, key);
		return;
	}
	snprintf(text, sizeof text, "%.*f", decimals, value);
	put_raw(w, key, text);
}

void json_put_i64(struct json_writer *w, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof text, "\"%lld\"", (long long)value);
	put_raw(w, key, text);
}

void json_put_u64_hex(struct json_writer *w, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof text, "\"%016llx\"", (unsigned long long)value);
	put_raw(w, key, text);
}

void json_put_optime(struct json_writer *w, const char *key, struct optime value)
{
	char text[OPTIME_TEXT_MAX];

	json_put_string(w, key, optime_format(value, text));
}

void json_put_uuid(struct json_writer *w, const char *key, const struct uuid *value)
{
	char text[UUID_TEXT_MAX];

	json_put_string(w, key, uuid_format(value, text));
}

void json_put_time(struct json_writer *w, const char *key, int64_t wall_ms)
{
	char text[TIME_TEXT_MAX];

	json_put_string(w, key, time_format(wall_ms, text));
}
