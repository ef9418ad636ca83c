#include "psmdb/destination.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

static bool bad(const char *text, const char *fault, struct err *err)
{
	return err_set(err, ERR_PARSE, "backup destination \"%.200s\" %s", text, fault);
}

static bool put(char *field, size_t size, const char *from, size_t len, const char *text, struct err *err)
{
	if (len >= size)
		return bad(text, "is too long", err);
	memcpy(field, from, len);
	field[len] = '\0';
	return true;
}

bool pbm_destination_parse(const char *text, struct pbm_destination *ret, struct err *err)
{
	struct pbm_destination d = {0};
	const char *rest = text, *scheme = strstr(text, "://"), *slash;
	int64_t ms;

	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_set(err, ERR_PARSE, "backup destination holds a control character");
	if (!strncmp(text, "s3://", 5)) {
		rest = text + 5;
		slash = strchr(rest, '/');
		if (!slash || slash == rest)
			return bad(text, "names no bucket or no backup", err);
		if (!put(d.bucket, sizeof d.bucket, rest, (size_t)(slash - rest), text, err))
			return false;
		rest = slash + 1;
	} else if (scheme || *text == '/') {
		return err_set(err, ERR_UNSUPPORTED, "backup destination \"%.200s\" is not in S3", text);
	}
	while (*rest == '/')
		rest++;
	slash = strrchr(rest, '/');
	if (!put(d.name, sizeof d.name, slash ? slash + 1 : rest, strlen(slash ? slash + 1 : rest), text, err))
		return false;
	if (!*d.name || d.name[strlen(d.name) - 1] != 'Z' || !time_parse(d.name, &ms))
		return bad(text, "does not end with a backup's name", err);
	while (slash && slash > rest && slash[-1] == '/')
		slash--;
	if (slash && !put(d.prefix, sizeof d.prefix, rest, (size_t)(slash - rest), text, err))
		return false;
	*ret = d;
	return true;
}

bool pbm_destination_url(const struct pbm_destination *d, const char *bucket, struct buf *out, struct err *err)
{
	if (*d->bucket && bucket && *bucket && strcmp(d->bucket, bucket) != 0)
		return err_set(err, ERR_STATE, "backup destination is in bucket \"%s\", its storage in \"%.255s\"",
		    d->bucket, bucket);
	if (*d->bucket)
		bucket = d->bucket;
	if (!bucket || !*bucket)
		return err_set(err, ERR_STATE, "bucket of backup \"%s\" is not known", d->name);
	return buf_printf(out, err, "s3://%s/%s%s%s", bucket, d->prefix, *d->prefix ? "/" : "", d->name);
}
