#include "sandbox/kubelet/mounts.h"

#include "base/base64.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX ((size_t)3 << 20)

struct making {
	const struct world *world;
	const json_node *pod;
	const struct mount_place *place;
};

bool is_file_name(const char *name)
{
	return *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strlen(name) <= 255;
}

/* A relative path below a folder: subPath, items[].path. */
static bool is_path_below(const char *path)
{
	if (!*path || *path == '/' || strlen(path) > 1024)
		return false;
	for (const char *p = path; *p; p += *p == '/') {
		size_t len = strcspn(p, "/");

		if ((len == 2 && !memcmp(p, "..", 2)) || !len)
			return false;
		p += len;
	}
	return true;
}

/* The claim's directory; the claim must be there, bound and not on its way out. */
static bool claim_path(const struct making *m, const char *claim, char ret[static PATH_MAX], struct err *err)
{
	const json_node *pvc = world_find(m->world, WORLD_CLAIMS, object_namespace(m->pod), claim);
	const char *volume = json_text_at(pvc, "spec/volumeName");

	if (!pvc)
		return err_set(err, ERR_NOT_FOUND, "persistentvolumeclaim \"%s\" not found", claim);
	if (object_deleting(pvc))
		return err_set(err, ERR_STATE, "persistentvolumeclaim \"%s\" is being deleted", claim);
	if (!volume || !json_is_at(pvc, "status/phase", "Bound"))
		return err_set(err, ERR_STATE, "persistentvolumeclaim \"%s\" is not bound yet", claim);
	if (!is_file_name(volume) || snprintf(ret, PATH_MAX, "%s/%s", m->place->volumes_dir, volume) >= PATH_MAX)
		return err_set(err, ERR_PARSE, "persistentvolumeclaim \"%s\" has no usable volumeName", claim);
	return true;
}

static bool volume_path(const struct making *m, const json_node *volume, char ret[static PATH_MAX], struct err *err)
{
	const char *name = json_text_at(volume, "name"),
		   *claim = json_text_at(volume, "persistentVolumeClaim/claimName");

	if (!name || !is_file_name(name))
		return err_set(err, ERR_PARSE, "a volume without a usable name");
	if (claim)
		return claim_path(m, claim, ret, err);
	if (snprintf(ret, PATH_MAX, "%s/volumes/%s", m->place->pod_dir, name) >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "the path of volume \"%s\" is too long", name);
	return true;
}

static bool write_file(const char *dir, const char *path, const void *bytes, size_t len, struct err *err)
{
	char full[PATH_MAX], *slash;

	if (!is_path_below(path) || snprintf(full, sizeof full, "%s/%s", dir, path) >= PATH_MAX)
		return err_set(err, ERR_PARSE, "\"%s\" is no path in a volume", path);
	if (file_exists(full)) /* written whole, or not there: a pod keeps what it began with */
		return true;
	slash = strrchr(full, '/');
	*slash = '\0';
	if (!file_make_dirs(full, 0700, err))
		return false;
	*slash = '/';
	return file_write_atomic(full, bytes, len, 0400, err);
}

/* value: of a Secret's data (base64) or a ConfigMap's (plain). */
static bool write_value(const char *dir, const char *path, const char *value, bool is_base64, struct err *err)
{
	BUF_CLEANUP struct buf bytes = BUF_INIT(FILE_BYTES_MAX);
	bool ok;

	if (!is_base64)
		return write_file(dir, path, value, strlen(value), err);
	ok = base64_decode(value, strlen(value), &bytes, err) && write_file(dir, path, buf_str(&bytes), bytes.len, err);
	if (bytes.data)
		explicit_bzero(bytes.data, bytes.len);
	return ok;
}

static bool write_data(const json_node *items, const json_node *data, bool is_base64, const char *dir, struct err *err)
{
	if (!json_first(items)) {
		for (const json_node *d = json_first(data); d; d = json_next(d))
			if (!write_value(dir, json_key(d), json_string(d) ? json_string(d) : "", is_base64, err))
				return false;
		return true;
	}
	for (const json_node *i = json_first(items); i; i = json_next(i)) {
		const char *key = json_text_at(i, "key"), *path = json_text_at(i, "path");
		const char *value = key ? json_string(json_get(data, key)) : NULL;

		if (!value || !path)
			return err_set(err, ERR_NOT_FOUND, "key \"%s\" not found", key ? key : "");
		if (!write_value(dir, path, value, is_base64, err))
			return false;
	}
	return true;
}

static bool fill(const struct making *m, const json_node *source, enum world_kind kind, const char *object,
    const char *dir, struct err *err)
{
	const json_node *from = object ? world_find(m->world, kind, object_namespace(m->pod), object) : NULL;
	const char *what = kind == WORLD_SECRETS ? "secret" : "configmap";

	if (!object)
		return err_set(err, ERR_PARSE, "a %s volume without a name", what);
	if (!from)
		return json_bool_at(source, "optional", false) ||
		       err_set(err, ERR_NOT_FOUND, "%s \"%s\" not found", what, object);
	if (!write_data(json_get(source, "items"), json_get(from, "data"), kind == WORLD_SECRETS, dir, err))
		return err_wrap(err, "%s \"%s\"", what, object);
	return true;
}

static bool make_volume(const struct making *m, const json_node *volume, struct err *err)
{
	static const char *const empty[] = {"emptyDir", "projected", "downwardAPI"};
	const json_node *source;
	char path[PATH_MAX];

	if (!volume_path(m, volume, path, err))
		return false;
	if (!file_make_dirs(path, 0700, err))
		return false;
	if (json_get(volume, "persistentVolumeClaim"))
		return true;
	if ((source = json_get(volume, "secret")))
		return fill(m, source, WORLD_SECRETS, json_text_at(source, "secretName"), path, err);
	if ((source = json_get(volume, "configMap")))
		return fill(m, source, WORLD_CONFIGMAPS, json_text_at(source, "name"), path, err);
	for (size_t i = 0; i < sizeof empty / sizeof *empty; i++)
		if (json_get(volume, empty[i]))
			return true;
	err_set(err, ERR_UNSUPPORTED, "the sandbox has no volumes of this kind");
	return err_hint(err, "it has persistentVolumeClaim, emptyDir, secret and configMap");
}

bool mounts_make(const struct world *w, const json_node *pod, const struct mount_place *place, struct err *err)
{
	const struct making m = {w, pod, place};
	const json_node *volumes = json_at(pod, "spec/volumes");

	if (json_count(volumes) > MOUNTS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d volumes", MOUNTS_MAX);
	if (!file_make_dirs(place->pod_dir, 0700, err))
		return false;
	for (const json_node *v = json_first(volumes); v; v = json_next(v)) {
		if (!make_volume(&m, v, err)) {
			const char *name = json_text_at(v, "name");

			return err_wrap(err, "volume \"%s\"", name ? name : "");
		}
	}
	return true;
}

void mounts_clear(struct mounts *m)
{
	words_clear(&m->strings);
	*m = (struct mounts){0};
}

static const json_node *volume_named(const json_node *pod, const char *name)
{
	for (const json_node *v = json_first(json_at(pod, "spec/volumes")); v; v = json_next(v))
		if (json_is_at(v, "name", name))
			return v;
	return NULL;
}

static bool add_pair(struct mounts *m, const char *inside, const char *outside, struct err *err)
{
	size_t len = strlen(inside);

	while (len > 1 && inside[len - 1] == '/')
		len--;
	if (m->count == MOUNTS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d mounts", MOUNTS_MAX);
	if (!words_printf(&m->strings, err, "%.*s", (int)len, inside) || !words_add(&m->strings, outside, err))
		return false;
	m->pairs[m->count++] =
	    (struct path_pair){m->strings.items[m->strings.count - 2], m->strings.items[m->strings.count - 1]};
	return true;
}

static bool add_mount(const struct making *m, const json_node *mount, struct mounts *ret, struct err *err)
{
	const char *name = json_text_at(mount, "name"), *inside = json_text_at(mount, "mountPath");
	const char *sub = json_text_at(mount, "subPath");
	const json_node *volume = name ? volume_named(m->pod, name) : NULL;
	char path[PATH_MAX];
	size_t len;

	if (!volume)
		return err_set(err, ERR_PARSE, "a mount of volume \"%s\", which the pod has not", name ? name : "");
	if (!inside || inside[0] != '/' || !inside[1])
		return err_set(err, ERR_PARSE, "the mountPath of volume \"%s\" is no absolute path", name);
	if (!volume_path(m, volume, path, err))
		return false;
	len = strlen(path);
	if (sub && *sub &&
	    (!is_path_below(sub) || snprintf(path + len, sizeof path - len, "/%s", sub) >= (int)(sizeof path - len)))
		return err_set(err, ERR_PARSE, "subPath \"%s\" of volume \"%s\" leads out of it", sub, name);
	if (sub && *sub && !file_exists(path) && !file_make_dirs(path, 0700, err))
		return false;
	return add_pair(ret, inside, path, err);
}

bool mounts_of_container(const struct world *w, const json_node *pod, const json_node *container,
    const struct mount_place *place, struct mounts *ret, struct err *err)
{
	const struct making m = {w, pod, place};
	MOUNTS_CLEANUP struct mounts mounts = {0};

	for (const json_node *mount = json_first(json_get(container, "volumeMounts")); mount; mount = json_next(mount))
		if (!add_mount(&m, mount, &mounts, err))
			return false;
	*ret = mounts;
	mounts = (struct mounts){0};
	return true;
}
