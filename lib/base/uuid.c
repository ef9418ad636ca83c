#include "base/uuid.h"

#include "base/num.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

bool random_bytes(void *ret, size_t len, struct err *err)
{
	unsigned char *p = ret;

	while (len) {
		ssize_t got = getrandom(p, len, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return err_errno(err, ERR_IO, errno, "read random bytes");
		p += got;
		len -= (size_t)got;
	}
	return true;
}

bool uuid_random(struct uuid *ret, struct err *err)
{
	struct uuid uuid;

	if (!random_bytes(uuid.bytes, sizeof uuid.bytes, err))
		return false;
	uuid.bytes[6] = (unsigned char)((uuid.bytes[6] & 0x0f) | 0x40);
	uuid.bytes[8] = (unsigned char)((uuid.bytes[8] & 0x3f) | 0x80);
	*ret = uuid;
	return true;
}

const char *uuid_format(const struct uuid *uuid, char text[static UUID_TEXT_MAX])
{
	char hex[33];

	hex_encode(uuid->bytes, sizeof uuid->bytes, hex);
	snprintf(text, UUID_TEXT_MAX, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
	return text;
}

bool uuid_parse(const char *text, struct uuid *ret)
{
	char hex[33];
	size_t used = 0;

	if (strlen(text) != 36)
		return false;
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash != (text[i] == '-'))
			return false;
		if (!dash)
			hex[used++] = text[i];
	}
	hex[used] = '\0';
	return hex_decode(hex, sizeof ret->bytes, ret->bytes);
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
	return !memcmp(a->bytes, b->bytes, sizeof a->bytes);
}
