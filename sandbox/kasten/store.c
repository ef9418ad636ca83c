#include "sandbox/kasten/store.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#define SUFFIX ".json"

static const char *folder(enum store_kind kind)
{
	return kind == STORE_CONTENTS ? "contents" : "jobs";
}

static bool usable(const char *name)
{
	size_t len = strlen(name);

	return len && len < 254 && *name != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") == len;
}

static bool path_of(
    const struct store *s, enum store_kind kind, const char *name, char ret[static PATH_MAX], struct err *err)
{
	if (!usable(name))
		return err_set(err, ERR_PARSE, "a name in Kasten's store: \"%.100s\"", name);
	if (snprintf(ret, PATH_MAX, "%s/%s/%s" SUFFIX, s->dir, folder(kind), name) >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "path of Kasten's store");
	return true;
}

bool store_open(const char *dir, struct store *ret, struct err *err)
{
	struct store s;

	if (snprintf(s.dir, sizeof s.dir, "%s", dir) >= (int)sizeof s.dir - 300)
		return err_set(err, ERR_LIMIT, "path of Kasten's store");
	for (int kind = STORE_CONTENTS; kind <= STORE_JOBS; kind++) {
		char path[PATH_MAX];

		snprintf(path, sizeof path, "%s/%s", s.dir, folder((enum store_kind)kind));
		if (!file_make_dirs(path, 0700, err))
			return false;
	}
	*ret = s;
	return true;
}

static size_t max_bytes(enum store_kind kind)
{
	return kind == STORE_CONTENTS ? STORE_CONTENT_MAX : STORE_JOB_MAX;
}

bool store_put(const struct store *s, enum store_kind kind, const char *name, const json_node *doc, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(max_bytes(kind));
	char path[PATH_MAX];

	return path_of(s, kind, name, path, err) && json_print(doc, false, &text, err) &&
	       buf_add_char(&text, '\n', err) && file_write_atomic(path, text.data, text.len, 0600, err);
}

bool store_get(const struct store *s, enum store_kind kind, const char *name, struct json **ret, struct err *err)
{
	const struct json_limits limits = {.max_bytes = max_bytes(kind), .max_depth = 64, .unique_keys = false};
	BUF_CLEANUP struct buf text = BUF_INIT(max_bytes(kind));
	char path[PATH_MAX];

	if (!path_of(s, kind, name, path, err))
		return false;
	if (!file_exists(path))
		return err_set(err, ERR_NOT_FOUND, "no \"%s\" in Kasten's store", path);
	if (!file_read(path, &text, err))
		return false;
	return json_parse(buf_str(&text), text.len, &limits, ret, err) || err_wrap(err, "\"%s\"", path);
}

bool store_remove(const struct store *s, enum store_kind kind, const char *name, struct err *err)
{
	char path[PATH_MAX];

	if (!path_of(s, kind, name, path, err))
		return false;
	if (unlink(path) && errno != ENOENT)
		return err_errno(err, ERR_IO, errno, "removing \"%s\"", path);
	return true;
}

bool store_each(const struct store *s, enum store_kind kind, bool (*each)(void *ctx, const char *name, struct err *err),
    void *ctx, struct err *err)
{
	CLEANUP(dir) DIR *dir = NULL;
	const struct dirent *entry;
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%.*s/%s", PATH_MAX - 20, s->dir, folder(kind));
	dir = opendir(path);
	if (!dir)
		return err_errno(err, ERR_IO, errno, "opening \"%s\"", path);
	while ((entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);
		char name[256];

		if (len <= strlen(SUFFIX) || strcmp(entry->d_name + len - strlen(SUFFIX), SUFFIX) != 0)
			continue;
		snprintf(name, sizeof name, "%.*s", (int)(len - strlen(SUFFIX)), entry->d_name);
		if (usable(name) && !each(ctx, name, err))
			return false;
	}
	return true;
}
