#include "base/clock.h"
#include "doc/json_writer.h"
#include "verifier/bound.h"

#include <stdlib.h>
#include <string.h>

void bound_changes_clear(struct bound_changes *c)
{
	free(c->items);
	*c = (struct bound_changes){0};
}

static int compare_pinned(const void *a, const void *b)
{
	return strcmp((*(const struct bound_file *const *)a)->key, (*(const struct bound_file *const *)b)->key);
}

/* One pass over two sorted lists; there is room for every file of both. */
static void merge(
    const struct bound_file *const *pinned, size_t pinned_count, const struct pbm_files *files, struct bound_changes *c)
{
	size_t p = 0, n = 0;

	while (p < pinned_count || n < files->count) {
		const struct bound_file *old = p < pinned_count ? pinned[p] : NULL;
		const struct pbm_file *now = n < files->count ? &files->items[n] : NULL;
		int order = !old ? 1 : !now ? -1 : strcmp(old->key, now->key);

		if (order < 0) {
			c->items[c->count++] = (struct bound_change){BOUND_MISSING, old, NULL};
			c->missing++;
		} else if (order > 0) {
			c->items[c->count++] = (struct bound_change){BOUND_ADDED, NULL, now};
			c->added++;
		} else if ((uint64_t)old->bytes != now->size_bytes || strcmp(old->etag, now->etag) != 0) {
			c->items[c->count++] = (struct bound_change){BOUND_CHANGED, old, now};
			c->changed++;
		}
		p += order <= 0;
		n += order >= 0;
	}
}

bool bound_compare(
    const struct bound *pinned, const struct pbm_files *files, struct bound_changes *ret, struct err *err)
{
	size_t most = pinned->file_count + files->count + 1;
	const struct bound_file **sorted = calloc(pinned->file_count + 1, sizeof *sorted);
	struct bound_changes c = {.items = calloc(most, sizeof *c.items)};

	if (!sorted || !c.items) {
		free(sorted);
		free(c.items);
		return err_nomem(err);
	}
	for (size_t i = 0; i < pinned->file_count; i++)
		sorted[i] = &pinned->files[i];
	qsort(sorted, pinned->file_count, sizeof *sorted, compare_pinned);
	merge(sorted, pinned->file_count, files, &c);
	free(sorted);
	*ret = c;
	return true;
}

static void put_state(struct json_writer *w, const char *key, int64_t bytes, const char *etag)
{
	json_object(w, key);
	json_put_i64(w, "bytes", bytes);
	json_put_string(w, "etag", etag);
	json_end_object(w);
}

static void put_change(struct json_writer *w, const struct bound_change *c)
{
	json_object(w, NULL);
	json_put_string(w, "key", c->pinned ? c->pinned->key : c->now->key);
	json_put_string(w, "kind", c->pinned ? c->pinned->kind : pbm_file_kind_text(c->now->kind));
	json_put_string(w, "replicaSet", c->pinned ? c->pinned->replica_set : c->now->set);
	if (c->pinned)
		put_state(w, "pinned", c->pinned->bytes, c->pinned->etag);
	if (c->now)
		put_state(w, "now", (int64_t)c->now->size_bytes, c->now->etag);
	json_end_object(w);
}

static void put_list(struct json_writer *w, const char *key, const struct bound_changes *c, enum bound_change_kind kind)
{
	json_array(w, key);
	for (size_t i = 0; i < c->count; i++)
		if (c->items[i].kind == kind)
			put_change(w, &c->items[i]);
	json_end_array(w);
}

bool bound_changes_json(
    const struct bound *pinned, const struct bound_changes *c, int64_t now_wall_ms, struct buf *out, struct err *err)
{
	struct json_writer w;

	json_writer_init(&w, out);
	json_object(&w, NULL);
	json_put_string(&w, "format", "psmdb-drill/recheck");
	json_put_int(&w, "version", 1);
	json_put_string(&w, "backup", pinned->backup_name);
	json_put_time(&w, "checkedAt", now_wall_ms);
	put_list(&w, "missing", c, BOUND_MISSING);
	put_list(&w, "changed", c, BOUND_CHANGED);
	put_list(&w, "added", c, BOUND_ADDED);
	json_end_object(&w);
	return json_writer_ok(&w, err) && buf_add_char(out, '\n', err);
}
