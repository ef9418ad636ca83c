#include "sandbox/api/protobuf.h"

#include "base/base64.h"
#include "doc/json_writer.h"

#include <string.h>

#define DEPTH_MAX 8

struct slice {
	const unsigned char *at;
	size_t len;
};

enum field_kind { FIELD_TEXT, FIELD_BOOL, FIELD_MESSAGE, FIELD_TEXTS, FIELD_BYTES_BY_TEXT, FIELD_REPEATED };

struct field {
	uint32_t number;
	const char *name; /* NULL ends the list */
	enum field_kind kind;
	const struct field *inside;
};

/* --- the kinds ----------------------------------------------------------------------------------------------------- */

static const struct field text_value[] = {{.name = NULL}};
static const struct field owner_reference[] = {{1, "kind", FIELD_TEXT, NULL}, {3, "name", FIELD_TEXT, NULL},
    {4, "uid", FIELD_TEXT, NULL}, {5, "apiVersion", FIELD_TEXT, NULL}, {6, "controller", FIELD_BOOL, NULL},
    {7, "blockOwnerDeletion", FIELD_BOOL, NULL}, {.name = NULL}};
static const struct field metadata[] = {{1, "name", FIELD_TEXT, NULL}, {2, "generateName", FIELD_TEXT, NULL},
    {3, "namespace", FIELD_TEXT, NULL}, {5, "uid", FIELD_TEXT, NULL}, {6, "resourceVersion", FIELD_TEXT, NULL},
    {11, "labels", FIELD_TEXTS, NULL}, {12, "annotations", FIELD_TEXTS, NULL},
    {13, "ownerReferences", FIELD_REPEATED, owner_reference}, {14, "finalizers", FIELD_REPEATED, text_value},
    {.name = NULL}};
static const struct field namespace_spec[] = {{1, "finalizers", FIELD_REPEATED, text_value}, {.name = NULL}};
static const struct field namespace_[] = {
    {1, "metadata", FIELD_MESSAGE, metadata}, {2, "spec", FIELD_MESSAGE, namespace_spec}, {.name = NULL}};
static const struct field secret[] = {{1, "metadata", FIELD_MESSAGE, metadata}, {2, "data", FIELD_BYTES_BY_TEXT, NULL},
    {3, "type", FIELD_TEXT, NULL}, {4, "stringData", FIELD_TEXTS, NULL}, {5, "immutable", FIELD_BOOL, NULL},
    {.name = NULL}};
static const struct field config_map[] = {{1, "metadata", FIELD_MESSAGE, metadata}, {2, "data", FIELD_TEXTS, NULL},
    {3, "binaryData", FIELD_BYTES_BY_TEXT, NULL}, {4, "immutable", FIELD_BOOL, NULL}, {.name = NULL}};
static const struct field service_account[] = {{1, "metadata", FIELD_MESSAGE, metadata}, {.name = NULL}};
static const struct {
	const char *kind;
	const struct field *fields;
} kinds[] = {
    {"Namespace", namespace_}, {"Secret", secret}, {"ConfigMap", config_map}, {"ServiceAccount", service_account}};

/* --- the wire ------------------------------------------------------------------------------------------------------ */

struct wire {
	uint32_t number;
	bool is_slice;
	uint64_t value;
	struct slice slice;
};

static bool read_varint(struct slice *in, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64 && in->len; shift += 7) {
		unsigned char byte = *in->at;

		in->at++;
		in->len--;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret = value;
			return true;
		}
	}
	return false;
}

static bool skip(struct slice *in, size_t len)
{
	if (in->len < len)
		return false;
	in->at += len;
	in->len -= len;
	return true;
}

/* in is not empty */
static bool read_field(struct slice *in, struct wire *ret)
{
	uint64_t tag, len;

	*ret = (struct wire){0};
	if (!read_varint(in, &tag) || tag >> 3 > UINT32_MAX || !(tag >> 3))
		return false;
	ret->number = (uint32_t)(tag >> 3);
	switch (tag & 7) {
	case 0:
		return read_varint(in, &ret->value);
	case 1:
		return skip(in, 8);
	case 2:
		if (!read_varint(in, &len) || len > in->len)
			return false;
		ret->is_slice = true;
		ret->slice = (struct slice){in->at, (size_t)len};
		return skip(in, (size_t)len);
	case 5:
		return skip(in, 4);
	default:
		return false;
	}
}

/* The last one with that number: as protobuf has it for single fields. Absent: empty. */
static bool find_field(struct slice in, uint32_t number, struct wire *ret)
{
	struct wire one;

	*ret = (struct wire){0};
	while (in.len) {
		if (!read_field(&in, &one))
			return false;
		if (one.number == number)
			*ret = one;
	}
	return true;
}

/* --- to JSON ------------------------------------------------------------------------------------------------------- */

static bool put_text(struct json_writer *w, const char *key, struct slice text)
{
	if (memchr(text.at, '\0', text.len))
		return false;
	json_put_string_n(w, key, (const char *)text.at, text.len);
	return true;
}

static bool put_base64(struct json_writer *w, const char *key, struct slice bytes)
{
	BUF_CLEANUP struct buf text = BUF_INIT(w->out->max);

	if (!base64_encode(bytes.at, bytes.len, &text, NULL))
		return false;
	json_put_string(w, key, buf_str(&text));
	return true;
}

/* A map is repeated messages of key (1) and value (2). */
static bool put_entry(struct json_writer *w, struct slice entry, bool bytes)
{
	struct wire key, value;
	char name[512];

	if (!find_field(entry, 1, &key) || !find_field(entry, 2, &value) || key.slice.len >= sizeof name ||
	    (key.slice.len && memchr(key.slice.at, '\0', key.slice.len)))
		return false;
	memcpy(name, key.slice.len ? (const char *)key.slice.at : "", key.slice.len);
	name[key.slice.len] = '\0';
	if (!value.slice.len)
		json_put_string(w, name, "");
	else if (!(bytes ? put_base64(w, name, value.slice) : put_text(w, name, value.slice)))
		return false;
	return true;
}

static bool put_message(struct json_writer *w, const struct field *fields, struct slice in, int depth);

static bool put_several(struct json_writer *w, const struct field *f, struct slice in, int depth)
{
	bool is_list = f->kind == FIELD_REPEATED, ok = true;
	struct wire one;

	is_list ? json_array(w, f->name) : json_object(w, f->name);
	while (ok && in.len) {
		ok = read_field(&in, &one);
		if (!ok || one.number != f->number)
			continue;
		if (!one.is_slice) {
			ok = false;
		} else if (!is_list) {
			ok = put_entry(w, one.slice, f->kind == FIELD_BYTES_BY_TEXT);
		} else if (f->inside == text_value) {
			ok = put_text(w, NULL, one.slice);
		} else {
			json_object(w, NULL);
			ok = put_message(w, f->inside, one.slice, depth + 1);
			json_end_object(w);
		}
	}
	is_list ? json_end_array(w) : json_end_object(w);
	return ok;
}

static bool put_field(
    struct json_writer *w, const struct field *f, const struct wire *found, struct slice in, int depth)
{
	bool ok;

	switch (f->kind) {
	case FIELD_TEXT:
		return !found->slice.len || put_text(w, f->name, found->slice);
	case FIELD_BOOL:
		json_put_bool(w, f->name, found->value != 0);
		return true;
	case FIELD_MESSAGE:
		json_object(w, f->name);
		ok = put_message(w, f->inside, found->slice, depth + 1);
		json_end_object(w);
		return ok;
	case FIELD_TEXTS:
	case FIELD_BYTES_BY_TEXT:
	case FIELD_REPEATED:
		return put_several(w, f, in, depth);
	}
	return false;
}

/* Inside an object that has been begun. */
static bool put_message(struct json_writer *w, const struct field *fields, struct slice in, int depth)
{
	struct wire found;

	if (depth > DEPTH_MAX)
		return false;
	for (const struct field *f = fields; f->name; f++) {
		if (!find_field(in, f->number, &found))
			return false;
		if (found.number && !put_field(w, f, &found, in, depth))
			return false;
	}
	return true;
}

static const struct field *fields_of(struct slice kind)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strlen(kinds[i].kind) == kind.len && kind.len && !memcmp(kinds[i].kind, kind.at, kind.len))
			return kinds[i].fields;
	return NULL;
}

/* Behind the magic: runtime.Unknown with typeMeta (1: apiVersion, 2: kind) and raw (2). */
bool protobuf_to_json(const char *bytes, size_t len, struct buf *out, struct err *err)
{
	static const char magic[4] = {'k', '8', 's', '\0'};
	struct slice in = {(const unsigned char *)bytes + sizeof magic, len - sizeof magic};
	struct wire type, raw, version, kind;
	const struct field *fields;
	struct json_writer w;
	bool ok;

	if (len < sizeof magic || memcmp(bytes, magic, sizeof magic) || !find_field(in, 1, &type) ||
	    !find_field(in, 2, &raw) || !find_field(type.slice, 1, &version) || !find_field(type.slice, 2, &kind))
		return err_set(err, ERR_PARSE, "the body is no protobuf of Kubernetes");
	fields = fields_of(kind.slice);
	if (!fields || version.slice.len != 2 || memcmp(version.slice.at, "v1", 2)) {
		err_set(err, ERR_UNSUPPORTED, "kind \"%.*s\" is not read from protobuf",
		    (int)(kind.slice.len < 64 ? kind.slice.len : 64),
		    kind.slice.len ? (const char *)kind.slice.at : "");
		return err_hint(err, "send JSON");
	}
	json_writer_init(&w, out);
	json_object(&w, NULL);
	json_put_string(&w, "apiVersion", "v1");
	json_put_string_n(&w, "kind", (const char *)kind.slice.at, kind.slice.len);
	ok = put_message(&w, fields, raw.slice, 0);
	json_end_object(&w);
	if (!ok)
		return err_set(err, ERR_PARSE, "the protobuf body is damaged");
	return json_writer_ok(&w, err);
}
