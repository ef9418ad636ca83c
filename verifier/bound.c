#include "verifier/bound.h"

#include "base/digest.h"
#include "base/file.h"

#include <stdio.h>
#include <string.h>

#define KEY_TEXT_MAX 2048
#define BUCKET_BACKUPS_MAX 100000
#define COLLECTIONS_MAX (64 << 20)

/* --- finding it
 * ---------------------------------------------------------------------------------------------------------------- */

struct latest {
	const char *prefix;
	char name[PBM_NAME_MAX];
};

static bool keep_latest(void *ctx, const struct s3_object *object, struct err *err)
{
	struct latest *latest = ctx;
	char name[PBM_NAME_MAX];

	(void)err;
	/* names are times in UTC of one form: their order is the order of time */
	if (pbm_name_of_key(object->key, latest->prefix, name) && strcmp(name, latest->name) > 0)
		memcpy(latest->name, name, sizeof latest->name);
	return true;
}

bool bound_latest_name(const struct bound_place *place, char name[static PBM_NAME_MAX], struct err *err)
{
	BUF_CLEANUP struct buf start = BUF_INIT(KEY_TEXT_MAX);
	struct latest latest = {.prefix = place->prefix};

	if (!pbm_key(&start, place->prefix, "", err) ||
	    !s3_list_folder(place->s3, buf_str(&start), BUCKET_BACKUPS_MAX, keep_latest, &latest, err))
		return err_wrap(err, "look for the latest backup");
	if (!*latest.name) {
		err_set(err, ERR_NOT_FOUND, "no backup below \"%s\" in bucket \"%s\"", buf_str(&start), place->bucket);
		return err_hint(err, "check the prefix: it is the one of the storage in PBM's configuration");
	}
	memcpy(name, latest.name, sizeof latest.name);
	return true;
}

struct listing {
	const char *prefix, *name;
	struct pbm_files *files;
};

static bool keep_file(void *ctx, const struct s3_object *o, struct err *err)
{
	struct listing *l = ctx;

	return pbm_files_add(l->files, l->prefix, l->name, o->key, o->size_bytes, o->etag, err);
}

bool bound_list_now(const struct bound_place *place, const char *name, struct pbm_files *files, struct err *err)
{
	BUF_CLEANUP struct buf start = BUF_INIT(KEY_TEXT_MAX);
	struct listing listing = {.prefix = place->prefix, .name = name, .files = files};

	if (!pbm_key(&start, place->prefix, name, err) ||
	    !s3_list(place->s3, buf_str(&start), PBM_FILES_MAX, keep_file, &listing, err))
		return err_wrap(err, "files of backup \"%s\"", name);
	pbm_files_sort(files);
	return true;
}

/* --- checking it
 * --------------------------------------------------------------------------------------------------------------- */

static bool read_metadata(const struct bound_place *place, const char *name, struct buf *text, struct err *err)
{
	BUF_CLEANUP struct buf key = BUF_INIT(KEY_TEXT_MAX);

	return pbm_key(&key, place->prefix, name, err) && buf_add_str(&key, PBM_METADATA_SUFFIX, err) &&
	       s3_get(place->s3, buf_str(&key), text, NULL, err);
}

static bool check_collections(const struct bound_place *place, const struct pbm_backup *b, const struct pbm_set *set,
    const struct pbm_files *files, struct pbm_findings *ret, struct err *err)
{
	BUF_CLEANUP struct buf rest = BUF_INIT(KEY_TEXT_MAX), text = BUF_INIT(COLLECTIONS_MAX);
	const struct pbm_file *file;

	if (!pbm_set_metadata_rest(b, set, &rest, err))
		return false;
	file = pbm_files_find(files, buf_str(&rest));
	if (!file || !file->size_bytes) /* found already */
		return true;
	return s3_get(place->s3, file->key, &text, NULL, err) &&
	       pbm_check_collections(b, set, buf_str(&text), text.len, files, ret, err);
}

static bool check_all(const struct bound_place *place, const struct pbm_backup *b, const struct pbm_files *files,
    struct pbm_findings *ret, struct err *err)
{
	if (!pbm_check_files(b, files, ret, err))
		return false;
	if (strcmp(b->type, "logical") != 0)
		return true;
	for (size_t i = 0; i < b->set_count; i++)
		if (!check_collections(place, b, &b->sets[i], files, ret, err))
			return false;
	return true;
}

/* A backup that PBM itself gave up is not an incomplete one: there is no restore point to speak of. */
static bool must_be_done(const struct pbm_backup *b, struct err *err)
{
	if (pbm_backup_is_done(b))
		return true;
	err_set(err, ERR_STATE, "backup \"%s\" has status \"%s\"%s%.400s", b->name, b->status, *b->error ? ": " : "",
	    b->error);
	return err_hint(err, "wait until it is done, make a new one, or name an older one with --backup");
}

/* --- the bound
 * ----------------------------------------------------------------------------------------------------------------- */

static void put(char *field, size_t size, const char *text)
{
	snprintf(field, size, "%s", text);
}

static void fill_backup(const struct pbm_backup *b, struct bound *ret)
{
	put(ret->backup_name, sizeof ret->backup_name, b->name);
	put(ret->opid, sizeof ret->opid, b->opid);
	put(ret->type, sizeof ret->type, b->type);
	put(ret->pbm_version, sizeof ret->pbm_version, b->pbm_version);
	put(ret->mongodb_version, sizeof ret->mongodb_version, b->mongodb_version);
	put(ret->fcv, sizeof ret->fcv, b->fcv);
	ret->start_ts = b->start_ts;
	ret->last_transition_ts = b->last_transition_ts;
	ret->cluster_last_write = ret->b0 = b->last_write;
	put(ret->cluster_figure, sizeof ret->cluster_figure, pbm_figure_text(pbm_backup_figure(b)));
}

static void fill_sets(const struct pbm_backup *b, struct bound *ret)
{
	for (size_t i = 0; i < b->set_count && i < BOUND_SETS_MAX; i++) {
		struct bound_set *set = &ret->sets[ret->set_count++];

		put(set->name, sizeof set->name, b->sets[i].name);
		set->last_write = b->sets[i].last_write;
		set->b0 = ret->b0;
		set->b1 = optime_max(ret->b0, set->last_write);
	}
}

static void fill(
    const struct pbm_backup *b, const char *source, const struct buf *text, int64_t now_wall_ms, struct bound *ret)
{
	bound_init(ret);
	ret->pinned_at_ms = now_wall_ms;
	put(ret->source, sizeof ret->source, source);
	ret->metadata_bytes = (int64_t)text->len;
	sha256_text(buf_str(text), text->len, ret->metadata_sha256);
	fill_backup(b, ret);
	fill_sets(b, ret);
}

static bool fill_files(const struct pbm_files *files, struct bound *ret, struct err *err)
{
	for (size_t i = 0; i < files->count; i++) {
		const struct pbm_file *f = &files->items[i];

		if (!bound_add_file(
			ret, f->key, (int64_t)f->size_bytes, f->etag, pbm_file_kind_text(f->kind), f->set, err))
			return false;
	}
	return true;
}

static bool fill_destination(const struct bound_place *place, const char *name, struct bound *ret, struct err *err)
{
	BUF_CLEANUP struct buf url = BUF_INIT(sizeof ret->destination - 1);

	if (!buf_printf(&url, err, "s3://%s/", place->bucket) || !pbm_key(&url, place->prefix, name, err))
		return err_wrap(err, "destination of backup \"%s\"", name);
	put(ret->destination, sizeof ret->destination, buf_str(&url));
	return true;
}

bool bound_pin(const struct bound_place *place, const char *name, int64_t now_wall_ms, struct bound *ret,
    struct pbm_findings *ret_findings, struct err *err)
{
	PBM_BACKUP_CLEANUP struct pbm_backup b = {0};
	PBM_FILES_CLEANUP struct pbm_files files = {0};
	BUF_CLEANUP struct buf text = BUF_INIT(PBM_METADATA_MAX);
	bool ok;

	if (!read_metadata(place, name, &text, err) || !pbm_backup_parse(buf_str(&text), text.len, &b, err) ||
	    !must_be_done(&b, err) || !pbm_check_metadata(&b, name, ret_findings, err) ||
	    !bound_list_now(place, name, &files, err) || !check_all(place, &b, &files, ret_findings, err))
		return err_wrap(err, "pin backup \"%s\"", name);
	if (ret_findings->count)
		return true;
	fill(&b, "bucket", &text, now_wall_ms, ret);
	ok = fill_files(&files, ret, err) && fill_destination(place, name, ret, err);
	if (!ok)
		bound_clear(ret);
	return ok;
}

bool bound_pin_file(
    const char *path, int64_t now_wall_ms, struct bound *ret, struct pbm_findings *ret_findings, struct err *err)
{
	PBM_BACKUP_CLEANUP struct pbm_backup b = {0};
	BUF_CLEANUP struct buf text = BUF_INIT(PBM_METADATA_MAX);

	if (!file_read(path, &text, err))
		return false;
	if (!pbm_backup_parse(buf_str(&text), text.len, &b, err) || !must_be_done(&b, err) ||
	    !pbm_check_metadata(&b, b.name, ret_findings, err))
		return err_wrap(err, "\"%s\"", path);
	if (!ret_findings->count)
		fill(&b, "file", &text, now_wall_ms, ret);
	return true;
}
