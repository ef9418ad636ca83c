#include "psmdb/files.h"

#include "base/clock.h"
#include "base/num.h"
#include "psmdb/backup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_TEXT_MAX 4096

const char *pbm_file_kind_text(enum pbm_file_kind kind)
{
	switch (kind) {
	case PBM_FILE_METADATA:
		return "metadata";
	case PBM_FILE_DATA:
		return "data";
	case PBM_FILE_OPLOG:
		return "oplog";
	default:
		return "other";
	}
}

void pbm_files_clear(struct pbm_files *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->items[i].key);
	free(f->items);
	*f = (struct pbm_files){0};
}

/* YYYYMMDDhhmmss-I */
static bool parse_moment(const char *text, size_t len, struct optime *ret)
{
	char rfc[32];
	int64_t ms;
	uint64_t increment;

	if (len < 16 || text[14] != '-')
		return false;
	for (int i = 0; i < 14; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	snprintf(rfc, sizeof rfc, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", text, text + 4, text + 6, text + 8, text + 10,
	    text + 12);
	if (!time_parse(rfc, &ms) || ms < 0 || ms / 1000 > UINT32_MAX)
		return false;
	if (!num_parse_u64(text + 15, len - 15, UINT32_MAX, &increment))
		return false;
	*ret = (struct optime){(uint32_t)(ms / 1000), (uint32_t)increment};
	return true;
}

bool pbm_slice_parse(const char *file_name, struct optime *ret_from, struct optime *ret_to)
{
	size_t from_len = strcspn(file_name, "."), to_len;
	const char *to = file_name + from_len + 1;
	struct optime a, b;

	if (!file_name[from_len])
		return false;
	to_len = strcspn(to, ".");
	if (!parse_moment(file_name, from_len, &a) || !parse_moment(to, to_len, &b) || optime_cmp(a, b) > 0)
		return false;
	*ret_from = a;
	*ret_to = b;
	return true;
}

bool pbm_key(struct buf *out, const char *prefix, const char *rest, struct err *err)
{
	size_t len;

	while (*prefix == '/')
		prefix++;
	len = strlen(prefix);
	while (len && prefix[len - 1] == '/')
		len--;
	return (!len || (buf_add(out, prefix, len, err) && buf_add_char(out, '/', err))) && buf_add_str(out, rest, err);
}

/* What stands behind the prefix in key, NULL if key is elsewhere. */
static const char *behind_prefix(const char *key, const char *prefix)
{
	BUF_CLEANUP struct buf start = BUF_INIT(KEY_TEXT_MAX);
	struct err ignored = ERR_INIT;

	if (!pbm_key(&start, prefix, "", &ignored) || strncmp(key, buf_str(&start), start.len) != 0)
		return NULL;
	return key + start.len;
}

bool pbm_name_of_key(const char *key, const char *prefix, char *name)
{
	const char *rest = behind_prefix(key, prefix);
	size_t len = rest ? strlen(rest) : 0, suffix = strlen(PBM_METADATA_SUFFIX);
	char text[PBM_NAME_MAX];
	int64_t ms;

	if (len <= suffix || len - suffix >= sizeof text || strchr(rest, '/') ||
	    strcmp(rest + len - suffix, PBM_METADATA_SUFFIX) != 0)
		return false;
	memcpy(text, rest, len - suffix);
	text[len - suffix] = '\0';
	if (text[strlen(text) - 1] != 'Z' || !time_parse(text, &ms))
		return false;
	memcpy(name, text, len - suffix + 1);
	return true;
}

static bool is_set_metadata(const char *rest)
{
	return !strcmp(rest, "metadata.json") || !strcmp(rest, "meta.pbm") || !strcmp(rest, "filelist.pbm");
}

/* rest is "RS/..." */
static void classify(struct pbm_file *file)
{
	const char *slash = strchr(file->rest, '/'), *inner;

	if (!slash || slash == file->rest || (size_t)(slash - file->rest) >= sizeof file->set) {
		file->kind = PBM_FILE_OTHER;
		return;
	}
	memcpy(file->set, file->rest, (size_t)(slash - file->rest));
	inner = slash + 1;
	if (is_set_metadata(inner)) {
		file->kind = PBM_FILE_METADATA;
	} else if (!strncmp(inner, "oplog/", 6)) {
		file->kind = PBM_FILE_OPLOG;
		file->has_span = pbm_slice_parse(inner + 6, &file->from, &file->to);
	} else if (!strncmp(inner, "local.oplog.rs.bson", 19)) { /* the only slice, PBM 2.0 to 2.3 */
		file->kind = PBM_FILE_OPLOG;
	} else {
		file->kind = PBM_FILE_DATA;
	}
}

/* Points rest into key; false if the key is no file of this backup. */
static bool belongs(struct pbm_file *file, const char *prefix, const char *name)
{
	const char *rest = behind_prefix(file->key, prefix);
	size_t len = strlen(name);

	if (!rest || strncmp(rest, name, len) != 0)
		return false;
	if (!strcmp(rest + len, PBM_METADATA_SUFFIX)) {
		file->rest = file->key + strlen(file->key);
		file->kind = PBM_FILE_METADATA;
		return true;
	}
	if (rest[len] != '/' || !rest[len + 1])
		return false;
	file->rest = rest + len + 1;
	classify(file);
	return true;
}

static bool make_room(struct pbm_files *f, struct err *err)
{
	size_t cap = f->cap ? f->cap * 2 : 64;
	struct pbm_file *items;

	if (f->count < f->cap)
		return true;
	if (f->count >= PBM_FILES_MAX)
		return err_set(err, ERR_LIMIT, "a backup of more than %d files", PBM_FILES_MAX);
	items = realloc(f->items, cap * sizeof *items);
	if (!items)
		return err_nomem(err);
	f->items = items;
	f->cap = cap;
	return true;
}

bool pbm_files_add(struct pbm_files *f, const char *prefix, const char *name, const char *key, uint64_t size_bytes,
    const char *etag, struct err *err)
{
	struct pbm_file file = {.key = strdup(key), .size_bytes = size_bytes};

	if (!file.key)
		return err_nomem(err);
	if (!belongs(&file, prefix, name)) {
		free(file.key);
		return true;
	}
	if (strlen(etag) >= sizeof file.etag) {
		free(file.key);
		return err_set(err, ERR_LIMIT, "ETag of more than %zu bytes", sizeof file.etag - 1);
	}
	if (!make_room(f, err)) {
		free(file.key);
		return false;
	}
	memcpy(file.etag, etag, strlen(etag) + 1);
	f->items[f->count++] = file;
	return true;
}

static int compare_key(const void *a, const void *b)
{
	return strcmp(((const struct pbm_file *)a)->key, ((const struct pbm_file *)b)->key);
}

static int compare_rest(const void *rest, const void *file)
{
	return strcmp(rest, ((const struct pbm_file *)file)->rest);
}

/* NAME.pbm.json sorts before NAME/..., as its empty rest does, and all others share the text in front of rest: one
 * order serves both. */
void pbm_files_sort(struct pbm_files *f)
{
	if (f->count)
		qsort(f->items, f->count, sizeof *f->items, compare_key);
}

const struct pbm_file *pbm_files_find(const struct pbm_files *f, const char *rest)
{
	return f->count ? bsearch(rest, f->items, f->count, sizeof *f->items, compare_rest) : NULL;
}
