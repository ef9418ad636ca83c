#include "psmdb/backup.h"

#include "base/buf.h"
#include "base/num.h"
#include "base/text.h"
#include "doc/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SAFE_INTEGER ((int64_t)1 << 53)

void pbm_backup_clear(struct pbm_backup *b)
{
	free(b->sets);
	*b = (struct pbm_backup){0};
}

/* Missing or null leaves the field empty. */
static bool get_text(const json_node *node, const char *key, char *ret, size_t size, struct err *err)
{
	const json_node *member = json_get(node, key);
	const char *text = json_string(member);

	if (!member || json_is_null(member))
		return true;
	if (!text)
		return err_set(err, ERR_PARSE, "\"%s\" is not a text", key);
	if (strlen(text) >= size)
		return err_set(err, ERR_LIMIT, "\"%s\" is longer than %zu bytes", key, size - 1);
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_set(err, ERR_PARSE, "\"%s\" holds a control character", key);
	memcpy(ret, text, strlen(text) + 1);
	return true;
}

/* Texts for people: cut to fit, and made harmless. */
static bool get_message(const json_node *node, const char *key, char *ret, size_t size, struct err *err)
{
	BUF_CLEANUP struct buf clean = BUF_INIT(PBM_METADATA_MAX * 3);
	const char *text = json_string(json_get(node, key));

	if (text && !text_neutral(&clean, text, strlen(text), false, err))
		return false;
	snprintf(ret, size, "%.*s", (int)(size - 1), buf_str(&clean));
	return true;
}

static bool need_text(const json_node *node, const char *key, char *ret, size_t size, struct err *err)
{
	if (!get_text(node, key, ret, size, err))
		return false;
	return *ret || err_set(err, ERR_PARSE, "\"%s\" is missing or empty", key);
}

/* One segment of a key: what holds a slash could name somebody else's files. */
static bool need_segment(const json_node *node, const char *key, char *ret, size_t size, struct err *err)
{
	if (!need_text(node, key, ret, size, err))
		return false;
	return !strchr(ret, '/') || err_set(err, ERR_PARSE, "\"%s\" holds a slash", key);
}

static bool get_int(const json_node *node, const char *key, int64_t max, int64_t *ret, struct err *err)
{
	const json_node *member = json_get(node, key);
	const char *text = json_string(json_get(member, "$numberLong"));
	int64_t value = 0;

	if (!member || json_is_null(member))
		return true;
	if (!text)
		text = json_string(json_get(member, "$numberInt"));
	if (text) {
		if (!num_parse_i64(text, strlen(text), &value))
			return err_set(err, ERR_PARSE, "\"%s\" is not a whole number", key);
	} else if (!json_need_int(node, key, 0, max, &value, err)) {
		return false;
	}
	if (value < 0 || value > max)
		return err_set(err, ERR_PARSE, "\"%s\" is not between 0 and %" PRId64, key, max);
	*ret = value;
	return true;
}

/* {"T": seconds, "I": increment}; missing leaves (0,0). */
static bool get_optime(const json_node *node, const char *key, struct optime *ret, struct err *err)
{
	const json_node *member = json_get(node, key);
	int64_t t = 0, i = 0;

	if (!member || json_is_null(member))
		return true;
	if (!json_is_object(member))
		return err_set(err, ERR_PARSE, "\"%s\" is not an object with T and I", key);
	if (!get_int(member, "T", UINT32_MAX, &t, err) || !get_int(member, "I", UINT32_MAX, &i, err))
		return err_wrap(err, "\"%s\"", key);
	*ret = (struct optime){(uint32_t)t, (uint32_t)i};
	return true;
}

static bool parse_set(const json_node *node, struct pbm_set *s, struct err *err)
{
	return need_segment(node, "name", s->name, sizeof s->name, err) &&
	       get_text(node, "status", s->status, sizeof s->status, err) &&
	       get_text(node, "node", s->node, sizeof s->node, err) &&
	       get_text(node, "backup_name", s->metadata_name, sizeof s->metadata_name, err) &&
	       get_text(node, "oplog_name", s->oplog_name, sizeof s->oplog_name, err) &&
	       get_message(node, "error", s->error, sizeof s->error, err) &&
	       get_optime(node, "first_write_ts", &s->first_write, err) &&
	       get_optime(node, "last_write_ts", &s->last_write, err) &&
	       get_int(node, "start_ts", MAX_SAFE_INTEGER, &s->start_ts, err) &&
	       get_int(node, "last_transition_ts", MAX_SAFE_INTEGER, &s->last_transition_ts, err);
}

static bool parse_sets(const json_node *root, struct pbm_backup *b, struct err *err)
{
	const json_node *list = json_get(root, "replsets");
	size_t count = json_count(list);

	if (list && !json_is_null(list) && !json_is_array(list))
		return err_set(err, ERR_PARSE, "\"replsets\" is not a list");
	if (count > PBM_SETS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d replica sets", PBM_SETS_MAX);
	if (!count)
		return true;
	b->sets = calloc(count, sizeof *b->sets);
	if (!b->sets)
		return err_nomem(err);
	for (const json_node *n = json_first(list); n; n = json_next(n)) {
		struct pbm_set *s = &b->sets[b->set_count];

		if (!parse_set(n, s, err))
			return err_wrap(err, "replica set %zu", b->set_count + 1);
		if (pbm_backup_set(b, s->name))
			return err_set(err, ERR_PARSE, "replica set \"%s\" stands there twice", s->name);
		b->set_count++;
	}
	return true;
}

static bool parse_store(const json_node *root, struct pbm_backup *b, struct err *err)
{
	const json_node *store = json_get(root, "store"), *s3 = json_get(store, "s3");

	return get_text(store, "type", b->store_type, sizeof b->store_type, err) &&
	       get_text(s3, "bucket", b->bucket, sizeof b->bucket, err) &&
	       get_text(s3, "prefix", b->prefix, sizeof b->prefix, err) &&
	       get_text(s3, "endpointUrl", b->endpoint, sizeof b->endpoint, err);
}

static bool parse_root(const json_node *root, struct pbm_backup *b, struct err *err)
{
	bool ok = json_is_object(root) || err_set(err, ERR_PARSE, "not an object");

	ok = ok && need_segment(root, "name", b->name, sizeof b->name, err) &&
	     need_text(root, "status", b->status, sizeof b->status, err) &&
	     get_text(root, "opid", b->opid, sizeof b->opid, err) &&
	     get_text(root, "type", b->type, sizeof b->type, err) &&
	     get_text(root, "compression", b->compression, sizeof b->compression, err) &&
	     get_text(root, "pbm_version", b->pbm_version, sizeof b->pbm_version, err) &&
	     get_text(root, "mongodb_version", b->mongodb_version, sizeof b->mongodb_version, err) &&
	     get_text(root, "fcv", b->fcv, sizeof b->fcv, err) &&
	     get_message(root, "error", b->error, sizeof b->error, err);
	ok = ok && get_int(root, "size", INT64_MAX, &b->size_bytes, err) &&
	     get_int(root, "start_ts", MAX_SAFE_INTEGER, &b->start_ts, err) &&
	     get_int(root, "last_transition_ts", MAX_SAFE_INTEGER, &b->last_transition_ts, err) &&
	     get_optime(root, "first_write_ts", &b->first_write, err) &&
	     get_optime(root, "last_write_ts", &b->last_write, err);
	return ok && parse_store(root, b, err) && parse_sets(root, b, err);
}

bool pbm_backup_parse(const char *text, size_t len, struct pbm_backup *ret, struct err *err)
{
	const struct json_limits limits = {.max_bytes = PBM_METADATA_MAX, .max_depth = 32, .unique_keys = true};
	CLEANUP(json) struct json *doc = NULL;
	PBM_BACKUP_CLEANUP struct pbm_backup b = {0};

	if (!json_parse(text, len, &limits, &doc, err) || !parse_root(json_root(doc), &b, err))
		return err_wrap(err, "backup metadata");
	if (!*b.type) /* PBM 1.x knew only one */
		snprintf(b.type, sizeof b.type, "logical");
	*ret = b;
	b = (struct pbm_backup){0};
	return true;
}

const struct pbm_set *pbm_backup_set(const struct pbm_backup *b, const char *name)
{
	for (size_t i = 0; i < b->set_count; i++)
		if (!strcmp(b->sets[i].name, name))
			return &b->sets[i];
	return NULL;
}

bool pbm_backup_is_done(const struct pbm_backup *b)
{
	return !strcmp(b->status, "done");
}

bool pbm_version_before(const char *version, unsigned major, unsigned minor)
{
	unsigned have_major, have_minor;

	if (sscanf(*version == 'v' ? version + 1 : version, "%3u.%3u", &have_major, &have_minor) != 2)
		return false;
	return have_major < major || (have_major == major && have_minor < minor);
}

enum pbm_figure pbm_backup_figure(const struct pbm_backup *b)
{
	if (b->set_count < 2)
		return PBM_FIGURE_ONLY;
	if (strcmp(b->type, "logical") != 0 || pbm_version_before(b->pbm_version, 2, 4))
		return PBM_FIGURE_MAX;
	return PBM_FIGURE_MIN;
}

const char *pbm_figure_text(enum pbm_figure figure)
{
	switch (figure) {
	case PBM_FIGURE_MIN:
		return "min";
	case PBM_FIGURE_MAX:
		return "max";
	default:
		return "only";
	}
}

const char *pbm_compression_suffix(const char *compression)
{
	static const struct {
		const char *name, *suffix;
	} table[] = {
	    {"gzip", ".gz"}, {"pgzip", ".gz"}, {"lz4", ".lz4"}, {"snappy", ".snappy"}, {"s2", ".s2"}, {"zstd", ".zst"}};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (!strcmp(table[i].name, compression))
			return table[i].suffix;
	return "";
}
