#include "sandbox/parts/binaries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char *name, *variable;
} binaries[BINARIES_ALL] = {
    [BINARY_MONGOD] = {"mongod", "PSMDB_DRILL_MONGOD"},
    [BINARY_WEED] = {"weed", "PSMDB_DRILL_WEED"},
    [BINARY_PBM] = {"pbm", "PSMDB_DRILL_PBM"},
    [BINARY_PBM_AGENT] = {"pbm-agent", "PSMDB_DRILL_PBM_AGENT"},
    [BINARY_ETCD] = {"etcd", "PSMDB_DRILL_ETCD"},
    [BINARY_KUBE_APISERVER] = {"kube-apiserver", "PSMDB_DRILL_KUBE_APISERVER"},
    [BINARY_KUBE_CONTROLLER_MANAGER] = {"kube-controller-manager", "PSMDB_DRILL_KUBE_CONTROLLER_MANAGER"},
};

const char *binary_name(enum binary binary)
{
	return binaries[binary].name;
}

const char *binary_variable(enum binary binary)
{
	return binaries[binary].variable;
}

static bool executable(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

/* Links stay: some programs look at the name they were called by. */
static bool absolute(const char *path, char ret[static PATH_MAX])
{
	if (*path != '/')
		return realpath(path, ret) != NULL;
	return snprintf(ret, PATH_MAX, "%s", path) < PATH_MAX;
}

static bool in_path(const char *name, char ret[static PATH_MAX])
{
	const char *path = getenv("PATH");

	for (const char *p = path ? path : ""; *p; p += strcspn(p, ":"), p += *p == ':') {
		int len = (int)strcspn(p, ":");
		char candidate[PATH_MAX];

		/*
		 * A relative folder in PATH would mean another program after the supervisor has changed its folder.
		 */
		if (*p == '/' && snprintf(candidate, sizeof candidate, "%.*s/%s", len, p, name) < PATH_MAX &&
		    executable(candidate))
			return absolute(candidate, ret);
	}
	return false;
}

static bool in_assets(const char *name, char ret[static PATH_MAX])
{
	const char *folder = getenv("KUBEBUILDER_ASSETS");
	char candidate[PATH_MAX];

	return folder && *folder && snprintf(candidate, sizeof candidate, "%s/%s", folder, name) < PATH_MAX &&
	       executable(candidate) && absolute(candidate, ret);
}

static bool in_cache(const char *name, char ret[static PATH_MAX])
{
	const char *cache = getenv("PSMDB_DRILL_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char candidate[PATH_MAX];
	int len;

	if (cache && *cache)
		len = snprintf(candidate, sizeof candidate, "%s/parts/bin/%s", cache, name);
	else if (xdg && *xdg)
		len = snprintf(candidate, sizeof candidate, "%s/psmdb-drill/parts/bin/%s", xdg, name);
	else
		len =
		    snprintf(candidate, sizeof candidate, "%s/.cache/psmdb-drill/parts/bin/%s", home ? home : "", name);
	return len < PATH_MAX && executable(candidate) && absolute(candidate, ret);
}

bool binary_find(enum binary binary, char ret_path[static PATH_MAX], struct err *err)
{
	const char *name = binaries[binary].name, *variable = binaries[binary].variable, *named = getenv(variable);

	if (named && *named) {
		if (executable(named) && absolute(named, ret_path))
			return true;
		err_set(err, ERR_NOT_FOUND, "%s=\"%s\" is no program that can be executed", variable, named);
		return err_hint(err, "correct %s, or unset it to use PATH and the cache of scripts/setup", variable);
	}
	if ((binary >= BINARIES && in_assets(name, ret_path)) || in_path(name, ret_path) || in_cache(name, ret_path))
		return true;
	if (binary >= BINARIES) {
		err_set(err, ERR_NOT_FOUND,
		    "the real API server needs \"%s\", which is neither in the folder KUBEBUILDER_ASSETS nor in PATH "
		    "nor in "
		    "the cache of scripts/setup",
		    name);
		return err_hint(err, "run scripts/setup --real-apiserver, or name the program in %s", variable);
	}
	err_set(err, ERR_NOT_FOUND, "\"%s\" is neither in PATH nor in the cache of scripts/setup", name);
	return err_hint(err, "run scripts/setup, or name the program in %s", variable);
}
