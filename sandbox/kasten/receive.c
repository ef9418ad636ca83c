#include "sandbox/kasten/receive.h"

#include "base/base64.h"
#include "base/digest.h"
#include "doc/json_edit.h"

#include <string.h>

#define ABOUT "psmdb-sandbox receive string 1"

static void string_key(unsigned char ret[static SEAL_KEY_BYTES])
{
	sha256_of(ABOUT, strlen(ABOUT), ret);
}

void receive_clear(struct receive *r)
{
	explicit_bzero(r, sizeof *r);
}

bool receive_path(const char *path, char ret[static RECEIVE_PATH_MAX], struct err *err)
{
	size_t len;

	path = path ? path : "";
	path += strspn(path, "/");
	len = strlen(path);
	while (len && path[len - 1] == '/')
		len--;
	if (len >= RECEIVE_PATH_MAX)
		return err_set(err, ERR_LIMIT, "the profile's path is longer than %d bytes", RECEIVE_PATH_MAX - 1);
	memcpy(ret, path, len);
	ret[len] = '\0';
	return true;
}

bool receive_new(const char *bucket, const char *path, struct receive *ret, struct err *err)
{
	RECEIVE_CLEANUP struct receive r = {0};
	struct uuid id;

	if (strlen(bucket) >= sizeof r.bucket)
		return err_set(
		    err, ERR_LIMIT, "the profile's bucket has a name of more than %zu bytes", sizeof r.bucket - 1);
	strcpy(r.bucket, bucket);
	if (!receive_path(path, r.path, err) || !uuid_random(&id, err) || !random_bytes(r.key, sizeof r.key, err))
		return false;
	uuid_format(&id, r.collection);
	*ret = r;
	return true;
}

static void wipe(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->len);
	buf_clear(b);
}
#define SECRET_BUF __attribute__((cleanup(wipe))) struct buf

bool receive_format(const struct receive *r, struct buf *out, struct err *err)
{
	SECRET_BUF key = BUF_INIT(128);
	SECRET_BUF plain = BUF_INIT(RECEIVE_TEXT_MAX);
	SECRET_BUF sealed = BUF_INIT(RECEIVE_TEXT_MAX);
	CLEANUP(json) struct json *doc = NULL;
	unsigned char of_string[SEAL_KEY_BYTES];

	string_key(of_string);
	return base64_encode(r->key, sizeof r->key, &key, err) &&
	       json_format(&doc, err, "{'version':1,'bucket':%s,'path':%s,'collection':%s,'key':%s}", r->bucket,
		   r->path, r->collection, buf_str(&key)) &&
	       json_print(json_root(doc), false, &plain, err) &&
	       seal_close(of_string, ABOUT, plain.data, plain.len, &sealed, err) &&
	       base64_encode(sealed.data, sealed.len, out, err);
}

static bool copy(const json_node *root, const char *name, char *ret, size_t size)
{
	const char *text = json_text_at(root, name);

	if (!text || strlen(text) >= size)
		return false;
	strcpy(ret, text);
	return true;
}

static bool read_fields(const json_node *root, struct receive *r)
{
	SECRET_BUF key = BUF_INIT(SEAL_KEY_BYTES);
	const char *text = json_text_at(root, "key");
	struct uuid id;

	if (json_int_at(root, "version", 0) != 1 || !copy(root, "bucket", r->bucket, sizeof r->bucket) ||
	    !copy(root, "path", r->path, sizeof r->path) ||
	    !copy(root, "collection", r->collection, sizeof r->collection) || !uuid_parse(r->collection, &id) ||
	    !text || !base64_decode(text, strlen(text), &key, NULL) || key.len != SEAL_KEY_BYTES)
		return false;
	memcpy(r->key, key.data, SEAL_KEY_BYTES);
	return true;
}

bool receive_parse(const char *text, struct receive *ret, struct err *err)
{
	static const struct json_limits limits = {.max_bytes = RECEIVE_TEXT_MAX, .max_depth = 4, .unique_keys = true};
	RECEIVE_CLEANUP struct receive r = {0};
	SECRET_BUF sealed = BUF_INIT(RECEIVE_TEXT_MAX);
	SECRET_BUF plain = BUF_INIT(RECEIVE_TEXT_MAX);
	CLEANUP(json) struct json *doc = NULL;
	unsigned char of_string[SEAL_KEY_BYTES];

	string_key(of_string);
	if (strlen(text) > RECEIVE_TEXT_MAX || !base64_decode(text, strlen(text), &sealed, NULL) ||
	    !seal_open(of_string, ABOUT, buf_str(&sealed), sealed.len, &plain, NULL) ||
	    !json_parse(buf_str(&plain), plain.len, &limits, &doc, NULL) || !read_fields(json_root(doc), &r))
		return err_set(err, ERR_BROKEN, "cipher: message authentication failed");
	*ret = r;
	return true;
}
