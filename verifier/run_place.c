#include "verifier/run_place.h"

#include "base/file.h"

#include <errno.h>
#include <stdlib.h>
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

/* Nothing of a path means anything to a browser but its slashes. */
static void encode(const char *path, char *to, size_t size)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t used = strlen(to);

	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;
		bool plain =
		    (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("/-._~", c);

		if (used + 4 > size) {
			to[0] = '\0'; /* half an address leads nowhere */
			return;
		}
		if (plain) {
			to[used++] = (char)c;
		} else {
			to[used++] = '%';
			to[used++] = hex[c >> 4];
			to[used++] = hex[c & 15];
		}
	}
	to[used] = '\0';
}

void run_link(const char *from_dir, const char *verdict_path, char link[static PATH_MAX])
{
	const char *slash = strrchr(verdict_path, '/');
	char report[PATH_MAX], from[PATH_MAX], to[PATH_MAX];
	size_t same = 0, used = 0;

	link[0] = '\0';
	if (snprintf(report, sizeof report, "%.*sreport.html", slash ? (int)(slash + 1 - verdict_path) : 0,
		verdict_path) >= (int)sizeof report ||
	    !realpath(from_dir, from) || !realpath(report, to))
		return;
	if (strcmp(from, "/") != 0 && strlen(from) + 1 < sizeof from)
		strcat(from, "/");
	for (size_t i = 0; from[i] && from[i] == to[i]; i++)
		if (from[i] == '/')
			same = i + 1;
	for (const char *p = from + same; *p; p++)
		if (*p == '/' && used + 4 < PATH_MAX)
			used += (size_t)snprintf(link + used, PATH_MAX - used, "../");
	if (!used)
		snprintf(link, PATH_MAX, "./");
	encode(to + same, link, PATH_MAX);
}

bool run_put(const char *path, const struct buf *text, struct err *err)
{
	if (!strcmp(path, "-"))
		return fd_write_all(STDOUT_FILENO, buf_str(text), text->len, err) || err_wrap(err, "standard output");
	return file_write_atomic(path, buf_str(text), text->len, 0644, err);
}
