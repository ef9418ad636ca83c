/* Which images the sandbox runs, and as what. To teach it another one, add a row to the table in images.c. */
#ifndef KUBELET_IMAGES_H
#define KUBELET_IMAGES_H

#include "base/buf.h"

enum image_kind {
	IMAGE_UNKNOWN,
	IMAGE_MONGOD,	/* mongod or mongos, by the container's command and arguments */
	IMAGE_AGENT,	/* pbm-agent */
	IMAGE_OPERATOR, /* this program's stand-in */
	IMAGE_PROJECT,	/* psmdb-ticker, psmdb-verify or psmdb-drill, by the first word of the command line */
};

/* Registry, tag and digest do not matter, nor what stands before the last part of the repository. */
enum image_kind image_find(const char *reference);
/* "percona-server-mongodb, ... and psmdb-drill". */
bool image_list(struct buf *out, struct err *err);
/* A program of the project's image. */
bool image_has_program(const char *name);
bool image_programs(struct buf *out, struct err *err);

#endif
