#include "psmdb/check.h"

#include "base/num.h"
#include "doc/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REST_MAX 1024
#define COLLECTIONS_TEXT_MAX (64 << 20)

void pbm_findings_clear(struct pbm_findings *f)
{
	free(f->items);
	*f = (struct pbm_findings){0};
}

const char *pbm_finding_name(enum pbm_finding_code code)
{
	static const char *const names[] = {
#define X(name, phrase) #name,
	    PBM_FINDINGS(X)
#undef X
	};
	return names[code];
}

const char *pbm_finding_phrase(enum pbm_finding_code code)
{
	static const char *const phrases[] = {
#define X(name, phrase) phrase,
	    PBM_FINDINGS(X)
#undef X
	};
	return phrases[code];
}

bool pbm_finding_text(const struct pbm_finding *f, struct buf *out, struct err *err)
{
	return buf_printf(out, err, "%s%s%s: %s", pbm_finding_name(f->code), *f->set ? " " : "", f->set,
		   pbm_finding_phrase(f->code)) &&
	       (!*f->detail || buf_printf(out, err, " (%s)", f->detail));
}

__attribute__((format(printf, 5, 6))) static bool found(
    struct pbm_findings *f, enum pbm_finding_code code, const char *set, struct err *err, const char *fmt, ...)
{
	struct pbm_finding *items;
	va_list args;

	if (f->count == PBM_FINDINGS_MAX) {
		f->dropped++;
		return true;
	}
	items = realloc(f->items, (f->count + 1) * sizeof *items);
	if (!items)
		return err_nomem(err);
	f->items = items;
	items += f->count++;
	*items = (struct pbm_finding){.code = code};
	snprintf(items->set, sizeof items->set, "%s", set);
	va_start(args, fmt);
	vsnprintf(items->detail, sizeof items->detail, fmt, args);
	va_end(args);
	return true;
}

/* --- the metadata by itself
 * ---------------------------------------------------------------------------------------------------- */

static bool is_some_last_write(const struct pbm_backup *b)
{
	struct optime least = OPTIME_MAX, most = OPTIME_ZERO;

	for (size_t i = 0; i < b->set_count; i++) {
		least = optime_min(least, b->sets[i].last_write);
		most = optime_max(most, b->sets[i].last_write);
	}
	return !optime_cmp(b->last_write, least) || !optime_cmp(b->last_write, most);
}

static bool check_set_metadata(const struct pbm_set *s, struct pbm_findings *ret, struct err *err)
{
	if (strcmp(s->status, "done") != 0 && !found(ret, PBM_FINDING_SET_NOT_DONE, s->name, err,
						  "status \"%s\"%s%.300s", s->status, *s->error ? ": " : "", s->error))
		return false;
	return !optime_is_zero(s->last_write) || found(ret, PBM_FINDING_LAST_WRITE_MISSING, s->name, err, "%s", "");
}

bool pbm_check_metadata(const struct pbm_backup *b, const char *name, struct pbm_findings *ret, struct err *err)
{
	char text[OPTIME_TEXT_MAX];

	if (strcmp(b->name, name) != 0 &&
	    !found(ret, PBM_FINDING_BACKUP_OTHER_NAME, "", err, "\"%s\" in the file of \"%.200s\"", b->name, name))
		return false;
	if (!pbm_backup_is_done(b) && !found(ret, PBM_FINDING_BACKUP_NOT_DONE, "", err, "status \"%s\"%s%.300s",
					  b->status, *b->error ? ": " : "", b->error))
		return false;
	if (!b->set_count && !found(ret, PBM_FINDING_BACKUP_EMPTY, "", err, "%s", ""))
		return false;
	for (size_t i = 0; i < b->set_count; i++)
		if (!check_set_metadata(&b->sets[i], ret, err))
			return false;
	if (optime_is_zero(b->last_write))
		return found(ret, PBM_FINDING_LAST_WRITE_MISSING, "", err, "%s", "");
	return !b->set_count || is_some_last_write(b) ||
	       found(ret, PBM_FINDING_LAST_WRITE_ODD, "", err, "%s", optime_format(b->last_write, text));
}

/* --- the files
 * ----------------------------------------------------------------------------------------------------------------- */

/* PBM writes keys below the prefix; those of this backup begin with its name. */
static const char *below_name(const struct pbm_backup *b, const char *key)
{
	size_t len = strlen(b->name);

	return !strncmp(key, b->name, len) && key[len] == '/' ? key + len + 1 : NULL;
}

bool pbm_set_metadata_rest(const struct pbm_backup *b, const struct pbm_set *set, struct buf *out, struct err *err)
{
	const char *rest = below_name(b, set->metadata_name);

	return rest ? buf_add_str(out, rest, err) : buf_printf(out, err, "%s/metadata.json", set->name);
}

static bool need_file(const struct pbm_files *files, const char *rest, enum pbm_finding_code missing, const char *set,
    struct pbm_findings *ret, struct err *err)
{
	const struct pbm_file *file = pbm_files_find(files, rest);

	return file || found(ret, missing, set, err, "%.400s", rest);
}

static bool check_empty(const struct pbm_files *files, struct pbm_findings *ret, struct err *err)
{
	for (size_t i = 0; i < files->count; i++) {
		const struct pbm_file *f = &files->items[i];

		if (!f->size_bytes && !found(ret, PBM_FINDING_FILE_EMPTY, f->set, err, "%.500s", f->key))
			return false;
	}
	return true;
}

static int compare_from(const void *a, const void *b)
{
	const struct pbm_file *const *x = a, *const *y = b;
	int order = optime_cmp((*x)->from, (*y)->from);

	return order ? order : optime_cmp((*x)->to, (*y)->to);
}

/* The slices of one set in the order of time; *ret is malloc'd. */
static bool slices_of(const struct pbm_files *files, const struct pbm_set *set, const struct pbm_file ***ret,
    size_t *ret_count, struct pbm_findings *findings, struct err *err)
{
	const struct pbm_file **list = calloc(files->count ? files->count : 1, sizeof *list);
	size_t count = 0;

	if (!list)
		return err_nomem(err);
	for (size_t i = 0; i < files->count; i++) {
		const struct pbm_file *f = &files->items[i];

		if (f->kind != PBM_FILE_OPLOG || strcmp(f->set, set->name) != 0)
			continue;
		if (f->has_span) {
			list[count++] = f;
		} else if (!found(findings, PBM_FINDING_OPLOG_NAME, set->name, err, "%.400s", f->rest)) {
			free(list);
			return false;
		}
	}
	qsort(list, count, sizeof *list, compare_from);
	*ret = list;
	*ret_count = count;
	return true;
}

static bool gap(struct pbm_findings *ret, enum pbm_finding_code code, const struct pbm_set *set, struct optime wanted,
    struct optime got, struct err *err)
{
	char a[OPTIME_TEXT_MAX], b[OPTIME_TEXT_MAX];

	return found(ret, code, set->name, err, "%s to %s", optime_format(wanted, a), optime_format(got, b));
}

/* A slice holds the operations after `from` up to and with `to`, and the next one's `from` is this one's `to`. */
static bool check_slices(const struct pbm_set *set, const struct pbm_file *const *slices, size_t count,
    struct pbm_findings *ret, struct err *err)
{
	struct optime reached = set->first_write;

	if (!count)
		return found(ret, PBM_FINDING_OPLOG_MISSING, set->name, err, "%.400s/", set->oplog_name);
	for (size_t i = 0; i < count; i++) {
		if (optime_cmp(slices[i]->from, reached) > 0 &&
		    !gap(ret, i ? PBM_FINDING_OPLOG_GAP : PBM_FINDING_OPLOG_STARTS_LATE, set, reached, slices[i]->from,
			err))
			return false;
		reached = optime_max(reached, slices[i]->to);
	}
	if (optime_cmp(reached, set->last_write) < 0)
		return gap(ret, PBM_FINDING_OPLOG_ENDS_EARLY, set, reached, set->last_write, err);
	return true;
}

static bool check_oplog(const struct pbm_backup *b, const struct pbm_set *set, const struct pbm_files *files,
    struct pbm_findings *ret, struct err *err)
{
	const char *only = below_name(b, set->oplog_name);
	const struct pbm_file **slices = NULL;
	size_t count = 0;
	bool ok;

	if (pbm_version_before(b->pbm_version, 2, 4))
		return need_file(files, only ? only : "", PBM_FINDING_OPLOG_MISSING, set->name, ret, err);
	/* PBM writes no slice where nothing was written while the dump ran */
	if (!optime_is_zero(set->first_write) && !optime_cmp(set->first_write, set->last_write))
		return true;
	if (!slices_of(files, set, &slices, &count, ret, err))
		return false;
	ok = check_slices(set, slices, count, ret, err);
	free(slices);
	return ok;
}

static bool has_files(const struct pbm_files *files, const char *set)
{
	for (size_t i = 0; i < files->count; i++)
		if (!strcmp(files->items[i].set, set) && files->items[i].kind == PBM_FILE_DATA)
			return true;
	return false;
}

static bool check_set_files(const struct pbm_backup *b, const struct pbm_set *set, const struct pbm_files *files,
    struct pbm_findings *ret, struct err *err)
{
	BUF_CLEANUP struct buf rest = BUF_INIT(REST_MAX);

	if (strcmp(b->type, "logical") != 0)
		return has_files(files, set->name) ||
		       found(ret, PBM_FINDING_DATA_MISSING, set->name, err, "%s/", set->name);
	return pbm_set_metadata_rest(b, set, &rest, err) &&
	       need_file(files, buf_str(&rest), PBM_FINDING_METADATA_MISSING, set->name, ret, err) &&
	       check_oplog(b, set, files, ret, err);
}

bool pbm_check_files(
    const struct pbm_backup *b, const struct pbm_files *files, struct pbm_findings *ret, struct err *err)
{
	if (!strcmp(b->type, "logical") && pbm_version_before(b->pbm_version, 2, 0))
		return err_set(err, ERR_UNSUPPORTED,
		    "backup \"%s\" was made by PBM %s: layouts before 2.0 are not known here", b->name, b->pbm_version);
	if (!need_file(files, "", PBM_FINDING_METADATA_MISSING, "", ret, err) || !check_empty(files, ret, err))
		return false;
	for (size_t i = 0; i < b->set_count; i++)
		if (!check_set_files(b, &b->sets[i], files, ret, err))
			return false;
	return true;
}

/* --- the collections
 * ----------------------------------------------------------------------------------------------------------- */

static bool is_empty_collection(const json_node *ns)
{
	const json_node *size = json_get(ns, "size");
	const char *text = json_string(json_get(size, "$numberLong"));

	if (!text)
		text = json_string(json_get(size, "$numberInt"));
	return text ? !strcmp(text, "0") : json_number(size, 1) == 0;
}

static bool check_collection(const struct pbm_backup *b, const struct pbm_set *set, const json_node *ns,
    const struct pbm_files *files, struct pbm_findings *ret, struct err *err)
{
	static const char buckets[] = "system.buckets.";
	const char *db = json_string(json_get(ns, "db")), *name = json_string(json_get(ns, "collection"));
	const char *suffix = pbm_compression_suffix(b->compression);
	BUF_CLEANUP struct buf rest = BUF_INIT(REST_MAX);

	if (!db || !name)
		return found(ret, PBM_FINDING_METADATA_BROKEN, set->name, err, "a collection without name");
	if (is_empty_collection(ns))
		return true;
	if (!buf_printf(&rest, err, "%s/%s.%s%s", set->name, db, name, suffix))
		return false;
	if (pbm_files_find(files, buf_str(&rest)))
		return true;
	if (!strncmp(name, buckets, sizeof buckets - 1)) { /* a time series is stored under its own name */
		buf_reset(&rest);
		if (!buf_printf(&rest, err, "%s/%s.%s%s", set->name, db, name + sizeof buckets - 1, suffix))
			return false;
	}
	return need_file(files, buf_str(&rest), PBM_FINDING_DATA_MISSING, set->name, ret, err);
}

bool pbm_check_collections(const struct pbm_backup *b, const struct pbm_set *set, const char *text, size_t len,
    const struct pbm_files *files, struct pbm_findings *ret, struct err *err)
{
	const struct json_limits limits = {.max_bytes = COLLECTIONS_TEXT_MAX, .max_depth = 32, .unique_keys = true};
	CLEANUP(json) struct json *doc = NULL;
	struct err why = ERR_INIT;
	const json_node *list;

	if (!json_parse(text, len, &limits, &doc, &why))
		return found(ret, PBM_FINDING_METADATA_BROKEN, set->name, err, "%.400s", why.msg);
	list = json_get(json_root(doc), "namespaces");
	if (list && !json_is_array(list) && !json_is_null(list))
		return found(ret, PBM_FINDING_METADATA_BROKEN, set->name, err, "\"namespaces\" is not a list");
	for (const json_node *ns = json_first(list); ns; ns = json_next(ns))
		if (!check_collection(b, set, ns, files, ret, err))
			return false;
	return true;
}
