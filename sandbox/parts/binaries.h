/*
 * Where the real parts' programs are: an environment variable that names it, PATH, the cache of scripts/setup. Those of
 * the real API server are looked for in the folder KUBEBUILDER_ASSETS before PATH, where controllers' tests have them.
 */
#ifndef PARTS_BINARIES_H
#define PARTS_BINARIES_H

#include "base/err.h"

#include <limits.h>

enum binary {
	BINARY_MONGOD,
	BINARY_WEED,
	BINARY_PBM,
	BINARY_PBM_AGENT,
	BINARIES, /* what every sandbox needs; those behind it only one with the real API server */
	BINARY_ETCD = BINARIES,
	BINARY_KUBE_APISERVER,
	BINARY_KUBE_CONTROLLER_MANAGER,
	BINARIES_ALL
};

const char *binary_name(enum binary binary);	 /* "pbm-agent" */
const char *binary_variable(enum binary binary); /* "PSMDB_DRILL_PBM_AGENT" */
/* ERR_NOT_FOUND names the part and scripts/setup. An environment variable that names something that cannot be executed
 * is an error, not a reason to look further. */
bool binary_find(enum binary binary, char ret_path[static PATH_MAX], struct err *err);

#endif
