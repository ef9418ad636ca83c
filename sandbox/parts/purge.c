#include "sandbox/parts/purge.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Also with a suffix: files being replaced are "NAME.XXXXXX" for a moment, and stay so if their writer is killed. */
static const char *const files[] = {"state.json", "control.sock", "keyfile", "s3.json", "lock", "kubeconfig",
    "system.kubeconfig", "hosts", "bundle.yaml"};
static const char *const folders[] = {"secrets", "logs", "s3", ".seaweedfs", ".aws", ".config", ".cache", "api", "etcd",
    "kubelet", "kasten", "pods", "volumes", "guests"};

static bool ours(const char *name)
{
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		if (!strcmp(name, folders[i]))
			return true;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		size_t len = strlen(files[i]);

		if (!strncmp(name, files[i], len) && (!name[len] || (name[len] == '.' && strlen(name + len) == 7)))
			return true;
	}
	return !strncmp(name, "mongod-", 7) && name[7] >= '0' && name[7] <= '9' && !name[8];
}

bool purge_check(const char *dir, struct err *err)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	bool ok = true;

	if (!d)
		return err_errno(err, ERR_IO, errno, "open folder \"%s\"", dir);
	while (ok && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && !ours(e->d_name)) {
			ok = err_set(
			    err, ERR_EXISTS, "folder \"%s\" holds \"%s\", which is no sandbox's", dir, e->d_name);
			err_hint(err, "give a new or empty folder");
		}
	closedir(d);
	return ok;
}

static bool remove_entry(const char *dir, const char *name, struct err *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return file_remove_tree(path, err);
}

bool purge(const char *dir, struct err *err)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	bool ok = true;

	if (!d)
		return err_errno(err, ERR_IO, errno, "open folder \"%s\"", dir);
	while (ok && (e = readdir(d)))
		if (ours(e->d_name) && strcmp(e->d_name, "lock") != 0)
			ok = remove_entry(dir, e->d_name, err);
	closedir(d);
	if (!ok || !remove_entry(dir, "lock", err))
		return false;
	return !rmdir(dir) || errno == ENOTEMPTY || errno == EEXIST ||
	       err_errno(err, ERR_IO, errno, "remove folder \"%s\"", dir);
}
