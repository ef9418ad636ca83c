#include "doc/json_writer.h"

#include "base/clock.h"
#include "base/num.h"
#include "base/text.h"
#include "doc/json_tree.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define FAILED(w) ((w)->err.code != ERR_NONE)

/* true: the character may stand in a string as it is. */
static bool is_plain(size_t utf8_len, uint32_t code)
{
	return utf8_len && code >= 0x20 && code != '"' && code != '\\' && code != 0x7f && code != 0x2028 &&
	       code != 0x2029;
}

static bool quote_special(struct buf *out, size_t utf8_len, uint32_t code, struct err *err)
{
	if (!utf8_len || code == 0) /* our own parser refuses \u0000 */
		return buf_add_str(out, "\xef\xbf\xbd", err);
	if (code == '"' || code == '\\')
		return buf_printf(out, err, "\\%c", (char)code);
	return buf_printf(out, err, "\\u%04x", code);
}

bool json_quote(struct buf *out, const char *text, size_t len, struct err *err)
{
	size_t plain = 0; /* bytes in front of text that are not yet in out */

	if (!buf_add_char(out, '"', err))
		return false;
	while (len) {
		uint32_t code = 0;
		size_t n = text_utf8_len(text, len, &code);

		if (is_plain(n, code)) {
			plain += n;
		} else if (!buf_add(out, text - plain, plain, err) || !quote_special(out, n, code, err)) {
			return false;
		} else {
			plain = 0;
			n = n ? n : 1;
		}
		text += n;
		len -= n;
	}
	return buf_add(out, text - plain, plain, err) && buf_add_char(out, '"', err);
}

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
	if (!FAILED(w))
		json_quote(w->out, text, len, &w->err);
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
