#include "s3/config.h"

#include "base/buf.h"
#include "base/file.h"
#include "doc/json.h"
#include "net/url.h"

#include <stdio.h>
#include <string.h>

void s3_config_clear(struct s3_config *c)
{
	explicit_bzero(c, sizeof *c);
}

static bool put(char *field, size_t size, const char *name, const char *value, struct err *err)
{
	if (strlen(value) >= size)
		return err_set(err, ERR_LIMIT, "%s is longer than %zu bytes", name, size - 1);
	memcpy(field, value, strlen(value) + 1);
	return true;
}

static bool put_secret_file(char *field, size_t size, const char *name, const char *path, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(8192);
	bool ok = file_read_secret(path, &text, err) && put(field, size, name, buf_str(&text), err);

	if (text.data)
		explicit_bzero(text.data, text.len);
	return ok;
}

struct credential_files {
	const char *access_key, *secret_key, *session_token;
};

static bool put_member(struct s3_config *c, struct credential_files *files, const json_node *m, struct err *err)
{
	const struct {
		const char *key;
		char *field;
		size_t size;
		const char **file;
	} texts[] = {
	    {"endpoint", c->endpoint, sizeof c->endpoint, NULL},
	    {"region", c->region, sizeof c->region, NULL},
	    {"bucket", c->bucket, sizeof c->bucket, NULL},
	    {"prefix", c->prefix, sizeof c->prefix, NULL},
	    {"caFile", c->ca_file, sizeof c->ca_file, NULL},
	    {"accessKeyFile", NULL, 0, &files->access_key},
	    {"secretKeyFile", NULL, 0, &files->secret_key},
	    {"sessionTokenFile", NULL, 0, &files->session_token},
	};
	const char *key = json_key(m);

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		if (strcmp(key, texts[i].key) != 0)
			continue;
		if (!json_is_string(m))
			return err_set(err, ERR_PARSE, "\"%s\" is not a text", key);
		if (texts[i].file) {
			*texts[i].file = json_string(m);
			return true;
		}
		return put(texts[i].field, texts[i].size, key, json_string(m), err);
	}
	if ((!strcmp(key, "forcePathStyle") || !strcmp(key, "insecure")) && !json_is_bool(m))
		return err_set(err, ERR_PARSE, "\"%s\" is neither true nor false", key);
	if (!strcmp(key, "forcePathStyle")) {
		c->virtual_host = !json_bool(m, true);
		return true;
	}
	if (!strcmp(key, "insecure")) {
		c->insecure = json_bool(m, false);
		return true;
	}
	err_set(err, ERR_PARSE, "key \"%.64s\" is not known", key);
	return err_hint(err, "credentials stand in files of their own, named by accessKeyFile and secretKeyFile");
}

static char *no_env(const char *name)
{
	(void)name;
	return NULL;
}

bool s3_config_load(const char *path, struct s3_config *c, struct err *err)
{
	const struct json_limits limits = {.max_bytes = 64 << 10, .max_depth = 2, .unique_keys = true};
	BUF_CLEANUP struct buf text = BUF_INIT(64 << 10);
	CLEANUP(json) struct json *doc = NULL;
	struct credential_files files = {0};

	if (!file_read(path, &text, err))
		return false;
	if (!json_parse(buf_str(&text), text.len, &limits, &doc, err))
		return err_wrap(err, "\"%s\"", path);
	if (!json_is_object(json_root(doc)))
		return err_set(err, ERR_PARSE, "\"%s\" is not a JSON object", path);
	for (const json_node *m = json_first(json_root(doc)); m; m = json_next(m))
		if (!put_member(c, &files, m, err))
			return err_wrap(err, "\"%s\"", path);
	if ((files.access_key || files.secret_key || files.session_token) &&
	    !s3_config_load_credentials(c, files.access_key, files.secret_key, files.session_token, no_env, err))
		return err_wrap(err, "\"%s\"", path);
	return true;
}

static bool from_env(struct s3_config *c, char *(*get_env)(const char *name), struct err *err)
{
	const char *access = get_env("AWS_ACCESS_KEY_ID"), *secret = get_env("AWS_SECRET_ACCESS_KEY");
	const char *token = get_env("AWS_SESSION_TOKEN");

	if (!access || !*access || !secret || !*secret)
		return true;
	return put(c->access_key, sizeof c->access_key, "AWS_ACCESS_KEY_ID", access, err) &&
	       put(c->secret_key, sizeof c->secret_key, "AWS_SECRET_ACCESS_KEY", secret, err) &&
	       put(c->session_token, sizeof c->session_token, "AWS_SESSION_TOKEN", token ? token : "", err);
}

bool s3_config_load_credentials(struct s3_config *c, const char *access_key_file, const char *secret_key_file,
    const char *session_token_file, char *(*get_env)(const char *name), struct err *err)
{
	if (!access_key_file != !secret_key_file)
		return err_set(err, ERR_USAGE, "access key file and secret key file are only useful together");
	if (access_key_file) {
		c->session_token[0] = '\0';
		if (!put_secret_file(c->access_key, sizeof c->access_key, "access key", access_key_file, err) ||
		    !put_secret_file(c->secret_key, sizeof c->secret_key, "secret key", secret_key_file, err))
			return false;
	} else if (!from_env(c, get_env, err)) {
		return false;
	}
	if (session_token_file &&
	    !put_secret_file(c->session_token, sizeof c->session_token, "session token", session_token_file, err))
		return false;
	if (*c->access_key && *c->secret_key)
		return true;
	err_set(err, ERR_AUTH, "no S3 credentials");
	return err_hint(err, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name files that hold the two");
}

bool s3_config_check(const struct s3_config *c, struct err *err)
{
	struct url url;

	if (!*c->bucket)
		return err_set(err, ERR_USAGE, "no bucket is named");
	for (const char *p = c->bucket; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_", *p))
			return err_set(err, ERR_USAGE,
			    "bucket name \"%.64s\" holds a character that is not allowed there", c->bucket);
	if (*c->endpoint) {
		if (!url_parse(c->endpoint, &url, err))
			return err_wrap(err, "S3 endpoint");
		if (url.path_len > 1 || url.path[url.path_len])
			return err_set(err, ERR_USAGE, "S3 endpoint \"%s%s\" has a path or a query", url.authority,
			    url.path_len ? "/..." : "");
	}
	if (!*c->access_key || !*c->secret_key)
		return err_set(err, ERR_AUTH, "no S3 credentials");
	return true;
}
