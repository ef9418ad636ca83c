#include "sandbox/kubelet/programs.h"

#include "base/place.h"
#include "sandbox/parts/binaries.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MONGOS_VARIABLE "PSMDB_DRILL_MONGOS"

/* No registry has it, so that it is where somebody has put it: named, beside mongod, or on PATH. */
static bool find_mongos(char ret[static PATH_MAX], struct err *err)
{
	const char *named = getenv(MONGOS_VARIABLE);
	char mongod[PATH_MAX], *slash;

	if (named && *named == '/' && !access(named, X_OK) && snprintf(ret, PATH_MAX, "%s", named) < PATH_MAX)
		return true;
	if (binary_find(BINARY_MONGOD, mongod, NULL) && (slash = strrchr(mongod, '/'))) {
		*slash = '\0';
		if (snprintf(ret, PATH_MAX, "%s/mongos", mongod) < PATH_MAX && !access(ret, X_OK))
			return true;
	}
	if (place_program("mongos", ret, NULL))
		return true;
	err_set(err, ERR_NOT_FOUND, "there is no mongos on this machine");
	return err_hint(err, "name one in %s", MONGOS_VARIABLE);
}

static bool find_self(char ret[static PATH_MAX], struct err *err)
{
	ssize_t len = readlink("/proc/self/exe", ret, PATH_MAX - 1);

	if (len < 0)
		return err_errno(err, ERR_IO, errno, "find this program");
	ret[len] = '\0';
	return true;
}

bool program_find(void *ctx, const char *name, char ret[static PATH_MAX], struct err *err)
{
	(void)ctx;
	if (!strcmp(name, "mongos"))
		return find_mongos(ret, err);
	if (!strcmp(name, "psmdb-sandbox"))
		return find_self(ret, err);
	for (int i = 0; i < BINARIES; i++)
		if (!strcmp(name, binary_name((enum binary)i)))
			return binary_find((enum binary)i, ret, err);
	return place_program(name, ret, err);
}
