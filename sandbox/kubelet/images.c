#include "sandbox/kubelet/images.h"

#include <string.h>

static const struct {
	const char *repository; /* its last part */
	enum image_kind kind;
} images[] = {
    {"percona-server-mongodb", IMAGE_MONGOD},
    {"percona-backup-mongodb", IMAGE_AGENT},
    {"percona-server-mongodb-operator", IMAGE_OPERATOR},
    {"psmdb-drill", IMAGE_PROJECT},
};
#define IMAGES (sizeof images / sizeof *images)

static const char *const programs[] = {"psmdb-ticker", "psmdb-verify", "psmdb-drill"};
#define PROGRAMS (sizeof programs / sizeof *programs)

enum image_kind image_find(const char *reference)
{
	size_t len = strcspn(reference, "@");
	const char *name = memrchr(reference, '/', len);

	name = name ? name + 1 : reference;
	len = strcspn(name, ":@");
	for (size_t i = 0; i < IMAGES; i++)
		if (strlen(images[i].repository) == len && !memcmp(images[i].repository, name, len))
			return images[i].kind;
	return IMAGE_UNKNOWN;
}

static const char *before(size_t i, size_t count)
{
	return !i ? "" : i + 1 < count ? ", " : " and ";
}

bool image_list(struct buf *out, struct err *err)
{
	for (size_t i = 0; i < IMAGES; i++)
		if (!buf_printf(out, err, "%s%s", before(i, IMAGES), images[i].repository))
			return false;
	return true;
}

bool image_has_program(const char *name)
{
	for (size_t i = 0; i < PROGRAMS; i++)
		if (!strcmp(programs[i], name))
			return true;
	return false;
}

bool image_programs(struct buf *out, struct err *err)
{
	for (size_t i = 0; i < PROGRAMS; i++)
		if (!buf_printf(out, err, "%s%s", before(i, PROGRAMS), programs[i]))
			return false;
	return true;
}
