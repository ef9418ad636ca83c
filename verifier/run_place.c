#include "verifier/run_place.h"

#include "base/file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool run_path(const char *dir, const char *name, char path[static PATH_MAX], struct err *err)
{
	size_t len = strlen(dir);

	while (len > 1 && dir[len - 1] == '/')
		len--;
	if (snprintf(path, PATH_MAX, "%.*s%s%s", (int)(len < PATH_MAX ? len : PATH_MAX), dir,
		len && dir[len - 1] == '/' ? "" : "/", name) >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "path \"%.64s...\" is longer than %d bytes", dir, PATH_MAX);
	return true;
}

bool run_read(const char *run, char path[static PATH_MAX], struct verdict *ret, struct err *err)
{
	struct stat st;

	if (stat(run, &st))
		return err_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "\"%s\"", run);
	if (S_ISDIR(st.st_mode)) {
		if (!run_path(run, "verdict.json", path, err))
			return false;
		if (stat(path, &st)) {
			err_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "\"%s\"", path);
			return err_hint(
			    err, "name a run's folder, or a verdict.json; \"psmdb-verify judge --run DIR\" writes one");
		}
	} else if (snprintf(path, PATH_MAX, "%s", run) >= PATH_MAX) {
		return err_set(err, ERR_LIMIT, "path \"%.64s...\" is longer than %d bytes", run, PATH_MAX);
	}
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_IO, "\"%s\" is no regular file", path);
	return verdict_read(path, ret, err);
}

bool run_put(const char *path, const struct buf *text, struct err *err)
{
	if (!strcmp(path, "-"))
		return fd_write_all(STDOUT_FILENO, buf_str(text), text->len, err) || err_wrap(err, "standard output");
	return file_write_atomic(path, buf_str(text), text->len, 0644, err);
}
