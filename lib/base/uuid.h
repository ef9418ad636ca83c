/* Random (version 4) UUIDs and their text form, lower case with dashes. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include "base/err.h"

#include <stdint.h>

struct uuid {
	unsigned char bytes[16];
};

#define UUID_TEXT_MAX 37

/* Fills len bytes from the kernel's random source. */
bool random_bytes(void *ret, size_t len, struct err *err);
bool uuid_random(struct uuid *ret, struct err *err);
const char *uuid_format(const struct uuid *uuid, char text[static UUID_TEXT_MAX]);
bool uuid_parse(const char *text, struct uuid *ret);
bool uuid_equal(const struct uuid *a, const struct uuid *b);

#endif
