#include "base/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const rooms[] = {"ticker", "verifier", "scenarios", "sandbox"};

static bool self_path(char path[static PATH_MAX], struct err *err)
{
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (len < 0)
		return err_errno(err, ERR_IO, errno, "reading the link \"/proc/self/exe\"");
	path[len] = '\0';
	return true;
}

/* Cuts the last part off; false: nothing is left, or everybody may write there. */
static bool parent_folder(char path[static PATH_MAX])
{
	char *slash = strrchr(path, '/');
	struct stat st;

	if (!slash)
		return false;
	*slash = '\0';
	return stat(*path ? path : "/", &st) == 0 && !(st.st_mode & S_IWOTH);
}

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static bool join(char ret[static PATH_MAX], const char *folder, const char *between, const char *name)
{
	return snprintf(ret, PATH_MAX, "%s%s/%s", folder, between, name) < PATH_MAX;
}

static bool in_rooms(const char *folder, const char *name, char ret[static PATH_MAX])
{
	char room[32];

	for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
		snprintf(room, sizeof room, "/%s", rooms[i]);
		if (join(ret, folder, room, name) && is_program(ret))
			return true;
	}
	return false;
}

static bool on_path(const char *name, char ret[static PATH_MAX])
{
	const char *list = getenv("PATH");
	char folder[PATH_MAX];

	while (list && *list) {
		size_t len = strcspn(list, ":");

		/* an empty or relative folder would be looked for wherever the program happens to run */
		if (*list == '/' && len < sizeof folder) {
			memcpy(folder, list, len);
			folder[len] = '\0';
			if (join(ret, folder, "", name) && is_program(ret))
				return true;
		}
		list += len + (list[len] == ':');
	}
	return false;
}

bool place_program_from(const char *self, const char *name, char ret[static PATH_MAX], struct err *err)
{
	char folder[PATH_MAX], found[PATH_MAX];

	if (strchr(name, '/') || !*name || snprintf(folder, sizeof folder, "%s", self) >= PATH_MAX)
		return err_set(err, ERR_PARSE, "\"%s\" is no program's name", name);
	for (int level = 0; level < PLACE_LEVELS && parent_folder(folder); level++) {
		if ((level == 0 && join(found, folder, "", name) && is_program(found)) ||
		    in_rooms(folder, name, found)) {
			snprintf(ret, PATH_MAX, "%s", found);
			return true;
		}
	}
	if (on_path(name, found)) {
		snprintf(ret, PATH_MAX, "%s", found);
		return true;
	}
	err_set(err, ERR_NOT_FOUND, "program \"%s\" is not beside \"%s\", in its build tree or on PATH", name, self);
	return err_hint(err, "install all programs into one folder, or build the target %s", name);
}

static bool leads_out(const char *rest)
{
	for (const char *part = rest; *part;) {
		size_t len = strcspn(part, "/");

		if (len == 2 && !memcmp(part, "..", 2))
			return true;
		part += len + (part[len] == '/');
	}
	return *rest == '/' || *rest == '\0';
}

bool place_share_from(const char *self, const char *rest, char ret[static PATH_MAX], struct err *err)
{
	const char *share = getenv("PSMDB_DRILL_SHARE");
	char folder[PATH_MAX], found[PATH_MAX];

	if (leads_out(rest) || snprintf(folder, sizeof folder, "%s", self) >= PATH_MAX)
		return err_set(err, ERR_PARSE, "\"%s\" is no path in the share folder", rest);
	if (share && *share) {
		if (join(found, share, "", rest) && access(found, F_OK) == 0) {
			snprintf(ret, PATH_MAX, "%s", found);
			return true;
		}
		err_set(err, ERR_NOT_FOUND, "\"%s\" is not in \"%s\"", rest, share);
		return err_hint(
		    err, "PSMDB_DRILL_SHARE names this folder: unset it, or let it name the one with %s", rest);
	}
	for (int level = 0; level < PLACE_LEVELS && parent_folder(folder); level++) {
		if (join(found, folder, "/share/psmdb-drill", rest) && access(found, F_OK) == 0) {
			snprintf(ret, PATH_MAX, "%s", found);
			return true;
		}
	}
	err_set(err, ERR_NOT_FOUND, "\"%s\" is in no share/psmdb-drill above \"%s\"", rest, self);
	return err_hint(err, "let PSMDB_DRILL_SHARE name the folder share/psmdb-drill");
}

bool place_program(const char *name, char ret[static PATH_MAX], struct err *err)
{
	char self[PATH_MAX];

	return self_path(self, err) && place_program_from(self, name, ret, err);
}

bool place_share(const char *rest, char ret[static PATH_MAX], struct err *err)
{
	char self[PATH_MAX];

	return self_path(self, err) && place_share_from(self, rest, ret, err);
}
