#include "s3/s3_xml.h"

#include "base/clock.h"
#include "base/num.h"
#include "base/text.h"
#include "net/url.h"

#include <libxml/xmlreader.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 8
#define TEXT_MAX 16384

CLEANUP_PTR(reader, xmlTextReader, xmlFreeTextReader)

/* The path of open elements and the text of the innermost one. */
struct walk {
	xmlTextReaderPtr reader;
	char path[DEPTH_MAX][64];
	int depth; /* open elements */
	struct buf text;
};

enum step { STEP_OPEN, STEP_CLOSE, STEP_END, STEP_BAD };

/* Checked on the bytes, before libxml2 sees them: what has no DTD has no entities to expand. */
static bool acceptable(const char *text, size_t len, struct err *err)
{
	if (len > INT_MAX)
		return err_set(err, ERR_LIMIT, "XML of more than %d bytes", INT_MAX);
	if (memchr(text, '\0', len) || !text_is_utf8(text, len))
		return err_set(err, ERR_PARSE, "XML that is not UTF-8");
	if (memmem(text, len, "<!DOCTYPE", 9) || memmem(text, len, "<!ENTITY", 8))
		return err_set(err, ERR_PARSE, "XML with a document type");
	return true;
}

static bool open_walk(struct walk *w, const char *text, size_t len, struct err *err)
{
	if (!acceptable(text, len, err))
		return false;
	w->reader = xmlReaderForMemory(text, (int)len, NULL, "UTF-8",
	    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
	return w->reader ? true : err_nomem(err);
}

static enum step opened(struct walk *w, struct err *err)
{
	const char *name = (const char *)xmlTextReaderConstLocalName(w->reader);

	if (w->depth == DEPTH_MAX) {
		err_set(err, ERR_LIMIT, "XML nested deeper than %d levels", DEPTH_MAX);
		return STEP_BAD;
	}
	if (snprintf(w->path[w->depth], sizeof w->path[0], "%s", name ? name : "") >= (int)sizeof w->path[0]) {
		err_set(err, ERR_LIMIT, "XML element name of more than %zu bytes", sizeof w->path[0] - 1);
		return STEP_BAD;
	}
	w->depth++;
	buf_reset(&w->text);
	return STEP_OPEN;
}

/* Texts are gathered on the way; after STEP_CLOSE the element is still in path[depth] and its text in text. */
static enum step advance(struct walk *w, bool *empty, struct err *err)
{
	const char *value;
	int got;

	if (*empty) { /* <a/> has no closing step of its own */
		*empty = false;
		w->depth--;
		return STEP_CLOSE;
	}
	while ((got = xmlTextReaderRead(w->reader)) == 1) {
		switch (xmlTextReaderNodeType(w->reader)) {
		case XML_READER_TYPE_ELEMENT:
			*empty = xmlTextReaderIsEmptyElement(w->reader) == 1;
			return opened(w, err);
		case XML_READER_TYPE_END_ELEMENT:
			w->depth--;
			return STEP_CLOSE;
		case XML_READER_TYPE_TEXT:
		case XML_READER_TYPE_CDATA:
		case XML_READER_TYPE_WHITESPACE:
		case XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
			value = (const char *)xmlTextReaderConstValue(w->reader);
			if (value && !buf_add_str(&w->text, value, err))
				return STEP_BAD;
			break;
		default:
			break;
		}
	}
	if (got == 0)
		return STEP_END;
	err_set(err, ERR_PARSE, "malformed XML");
	return STEP_BAD;
}

/* Is the element that was just closed root/a (b == NULL) or root/a/b? */
static bool is_at(const struct walk *w, const char *root, const char *a, const char *b)
{
	int depth = b ? 2 : 1;

	return w->depth == depth && !strcmp(w->path[0], root) && !strcmp(w->path[1], a) &&
	       (!b || !strcmp(w->path[2], b));
}

/* --- ListObjectsV2
 * ------------------------------------------------------------------------------------------------------------- */

struct listing {
	s3_on_object on_object;
	void *ctx;
	struct s3_page page;
	bool url_encoded;
	bool is_list;
	struct s3_object object;
	struct buf raw_key, key;
	bool has_size;
};

static bool object_field(struct listing *l, const struct walk *w, struct err *err)
{
	const char *name = w->path[2], *text = buf_str(&w->text);
	size_t len = w->text.len;

	if (!strcmp(name, "Key")) {
		buf_reset(&l->raw_key);
		return buf_add(&l->raw_key, text, len, err);
	}
	if (!strcmp(name, "Size")) {
		l->has_size = num_parse_u64(text, len, INT64_MAX, &l->object.size_bytes);
		return l->has_size || err_set(err, ERR_PARSE, "size \"%.32s\" of an object", text);
	}
	if (!strcmp(name, "ETag")) {
		if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
			text++;
			len -= 2;
		}
		if (len >= sizeof l->object.etag)
			return err_set(err, ERR_LIMIT, "ETag of more than %zu bytes", sizeof l->object.etag - 1);
		memcpy(l->object.etag, text, len);
		l->object.etag[len] = '\0';
	}
	if (!strcmp(name, "LastModified") && !time_parse(text, &l->object.modified_ms))
		l->object.modified_ms = 0;
	return true;
}

static bool object_end(struct listing *l, struct err *err)
{
	bool ok;

	buf_reset(&l->key);
	if (l->url_encoded)
		ok = url_decode(&l->key, buf_str(&l->raw_key), l->raw_key.len, true, err);
	else
		ok = buf_add(&l->key, buf_str(&l->raw_key), l->raw_key.len, err);
	if (!ok)
		return err_wrap(err, "key of an object");
	if (!l->key.len || !l->has_size)
		return err_set(err, ERR_PARSE, "an object without key or size");
	l->object.key = buf_str(&l->key);
	l->page.count++;
	ok = l->on_object(l->ctx, &l->object, err);
	l->object = (struct s3_object){0};
	l->has_size = false;
	buf_reset(&l->raw_key);
	return ok;
}

static bool list_closed(struct listing *l, const struct walk *w, struct err *err)
{
	static const char root[] = "ListBucketResult";

	if (w->depth == 2 && !strcmp(w->path[0], root) && !strcmp(w->path[1], "Contents"))
		return object_field(l, w, err);
	if (is_at(w, root, "Contents", NULL))
		return object_end(l, err);
	if (is_at(w, root, "IsTruncated", NULL))
		l->page.truncated = !strcmp(buf_str(&w->text), "true");
	if (is_at(w, root, "NextContinuationToken", NULL)) {
		if (w->text.len >= sizeof l->page.next_token)
			return err_set(
			    err, ERR_LIMIT, "continuation token of more than %zu bytes", sizeof l->page.next_token - 1);
		memcpy(l->page.next_token, buf_str(&w->text), w->text.len + 1);
	}
	if (w->depth == 0)
		l->is_list = !strcmp(w->path[0], root);
	return true;
}

/* EncodingType may stand behind the objects that it is about (SeaweedFS does that). */
static bool find_encoding(const char *text, size_t len, bool *ret, struct err *err)
{
	struct walk w = {.text = BUF_INIT(TEXT_MAX)};
	bool empty = false;
	enum step step = STEP_BAD;

	*ret = false;
	if (open_walk(&w, text, len, err))
		while ((step = advance(&w, &empty, err)) == STEP_OPEN || step == STEP_CLOSE)
			if (step == STEP_CLOSE && is_at(&w, "ListBucketResult", "EncodingType", NULL))
				*ret = !strcmp(buf_str(&w.text), "url");
	cleanup_reader(&w.reader);
	buf_clear(&w.text);
	return step == STEP_END;
}

bool s3_parse_list(
    const char *text, size_t len, s3_on_object on_object, void *ctx, struct s3_page *ret, struct err *err)
{
	struct walk w = {.text = BUF_INIT(TEXT_MAX)};
	struct listing l = {
	    .on_object = on_object, .ctx = ctx, .raw_key = BUF_INIT(TEXT_MAX), .key = BUF_INIT(TEXT_MAX)};
	bool empty = false;
	enum step step = STEP_BAD;

	if (find_encoding(text, len, &l.url_encoded, err) && open_walk(&w, text, len, err))
		while ((step = advance(&w, &empty, err)) == STEP_OPEN || step == STEP_CLOSE) {
			if (step == STEP_CLOSE && !list_closed(&l, &w, err))
				step = STEP_BAD;
			if (step == STEP_CLOSE)
				buf_reset(&w.text);
			if (step == STEP_BAD)
				break;
		}
	cleanup_reader(&w.reader);
	buf_clear(&w.text);
	buf_clear(&l.raw_key);
	buf_clear(&l.key);
	if (step != STEP_END)
		return false;
	if (!l.is_list)
		return err_set(err, ERR_PARSE, "the answer is not a ListBucketResult");
	if (l.page.truncated && !*l.page.next_token)
		return err_set(err, ERR_PARSE, "a truncated listing without a continuation token");
	*ret = l.page;
	return true;
}

/* --- errors
 * --------------------------------------------------------------------------------------------------------------------
 */

static void put_text(char *field, size_t size, const struct walk *w)
{
	BUF_CLEANUP struct buf clean = BUF_INIT(4 * TEXT_MAX);
	struct err ignored = ERR_INIT;

	if (text_neutral(&clean, buf_str(&w->text), w->text.len, false, &ignored))
		snprintf(field, size, "%.*s", (int)(size - 1), buf_str(&clean));
}

bool s3_parse_error(const char *text, size_t len, struct s3_fault *ret)
{
	struct walk w = {.text = BUF_INIT(TEXT_MAX)};
	struct s3_fault fault = {0};
	struct err ignored = ERR_INIT;
	bool empty = false;
	enum step step = STEP_BAD;

	if (open_walk(&w, text, len, &ignored))
		while ((step = advance(&w, &empty, &ignored)) == STEP_OPEN || step == STEP_CLOSE) {
			if (step == STEP_OPEN)
				continue;
			if (is_at(&w, "Error", "Code", NULL))
				put_text(fault.code, sizeof fault.code, &w);
			else if (is_at(&w, "Error", "Message", NULL))
				put_text(fault.message, sizeof fault.message, &w);
			else if (is_at(&w, "Error", "Region", NULL))
				put_text(fault.region, sizeof fault.region, &w);
		}
	cleanup_reader(&w.reader);
	buf_clear(&w.text);
	if (step != STEP_END || !*fault.code)
		return false;
	*ret = fault;
	return true;
}
