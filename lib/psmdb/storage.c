#include "psmdb/storage.h"

#include "base/base64.h"
#include "psmdb/object_read.h"

#include <stdio.h>
#include <string.h>

#define SECRET_MAX 16384

static bool need(const json_node *node, const char *key, char *ret, size_t size, struct err *err)
{
	const char *text = json_text_at(node, key);

	if (text && strlen(text) >= size)
		return err_set(err, ERR_LIMIT, "backup storage: \"%s\" is longer than %zu bytes", key, size - 1);
	for (const char *p = text; p && *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_set(err, ERR_PARSE, "backup storage: \"%s\" holds a control character", key);
	snprintf(ret, size, "%s", text ? text : "");
	return true;
}

bool psmdb_storage_read(const json_node *s3, struct psmdb_storage *ret, struct err *err)
{
	struct psmdb_storage s = {0};

	if (!json_is_object(s3))
		return err_set(err, ERR_PARSE, "backup storage: there are no S3 settings");
	if (!need(s3, "bucket", s.bucket, sizeof s.bucket, err) ||
	    !need(s3, "prefix", s.prefix, sizeof s.prefix, err) ||
	    !need(s3, "region", s.region, sizeof s.region, err) ||
	    !need(s3, "endpointUrl", s.endpoint, sizeof s.endpoint, err) ||
	    !object_name(s3, "credentialsSecret", s.credentials_secret, sizeof s.credentials_secret, err))
		return false;
	s.insecure = json_bool_at(s3, "insecureSkipTLSVerify", false);
	if (!*s.bucket)
		return err_set(err, ERR_PARSE, "backup storage: no bucket is named");
	*ret = s;
	return true;
}

static const json_node *only_storage(const json_node *storages)
{
	for (const json_node *s = json_first(storages); s; s = json_next(s))
		if (json_count(storages) == 1 || json_bool_at(s, "main", false))
			return s;
	return NULL;
}

/* " (there are \"a\", \"b\")" */
static void list_storages(const json_node *storages, char *ret, size_t size)
{
	size_t at = (size_t)snprintf(ret, size, "%s", json_count(storages) ? "" : "there are none");

	for (const json_node *s = json_first(storages); s && at + 80 < size; s = json_next(s))
		at += (size_t)snprintf(ret + at, size - at, "%s\"%.60s\"", at ? ", " : "there are ", json_key(s));
}

bool psmdb_storage_of_cluster(const json_node *cluster, const char *name, struct psmdb_storage *ret, struct err *err)
{
	const json_node *storages = json_at(cluster, "spec/backup/storages");
	const json_node *found = name ? json_get(storages, name) : only_storage(storages);
	const char *type = json_text_at(found, "type"), *of = json_text_at(cluster, "metadata/name");
	struct psmdb_storage s;
	char there[512];

	if (!found) {
		list_storages(storages, there, sizeof there);
		err_set(err, ERR_NOT_FOUND,
		    name ? "psmdb \"%.200s\" has no backup storage \"%.60s\": %s"
			 : "psmdb \"%.200s\" has not exactly one backup storage%.0s: %s",
		    of ? of : "", name ? name : "", there);
		return err_hint(err, "name one of spec.backup.storages");
	}
	if (type && strcmp(type, "s3") != 0 && strcmp(type, "minio") != 0)
		return err_set(err, ERR_UNSUPPORTED, "backup storage \"%.60s\" is of type \"%.30s\", not in S3",
		    json_key(found), type);
	if (!psmdb_storage_read(json_get(found, type && !strcmp(type, "minio") ? "minio" : "s3"), &s, err))
		return err_wrap(err, "psmdb \"%.200s\", storage \"%.60s\"", of ? of : "", json_key(found));
	snprintf(s.name, sizeof s.name, "%s", json_key(found));
	*ret = s;
	return true;
}

void psmdb_storage_config(const struct psmdb_storage *s, struct s3_config *ret)
{
	snprintf(ret->endpoint, sizeof ret->endpoint, "%s", s->endpoint);
	snprintf(ret->region, sizeof ret->region, "%s", s->region);
	snprintf(ret->bucket, sizeof ret->bucket, "%s", s->bucket);
	snprintf(ret->prefix, sizeof ret->prefix, "%s", s->prefix);
	ret->insecure = s->insecure;
}

static void wipe(struct buf *value)
{
	if (value->data)
		explicit_bzero(value->data, value->cap);
	buf_clear(value);
}

bool psmdb_secret_text(const json_node *secret, const char *key, char *ret, size_t size, struct err *err)
{
	const char *text = json_string(json_get(json_get(secret, "data"), key));
	const char *name = json_text_at(secret, "metadata/name");
	struct buf value __attribute__((cleanup(wipe))) = BUF_INIT(SECRET_MAX);

	name = name ? name : "";
	if (!text)
		return err_set(err, ERR_NOT_FOUND, "secret \"%.200s\" has no key \"%s\"", name, key);
	/* room for all of it at first: a buffer that grows leaves copies behind */
	if (!buf_reserve(&value, strlen(text), err) || !base64_decode(text, strlen(text), &value, err))
		return err_wrap(err, "secret \"%.200s\", key \"%s\"", name, key);
	if (value.len >= size || memchr(buf_str(&value), 0, value.len))
		return err_set(
		    err, ERR_LIMIT, "secret \"%.200s\", key \"%s\" is no text of less than %zu bytes", name, key, size);
	memcpy(ret, buf_str(&value), value.len + 1);
	return true;
}

bool psmdb_storage_credentials(const json_node *secret, struct s3_config *ret, struct err *err)
{
	struct s3_config c S3_CONFIG_CLEANUP = {0};

	if (!psmdb_secret_text(secret, "AWS_ACCESS_KEY_ID", c.access_key, sizeof c.access_key, err) ||
	    !psmdb_secret_text(secret, "AWS_SECRET_ACCESS_KEY", c.secret_key, sizeof c.secret_key, err))
		return false;
	memcpy(ret->access_key, c.access_key, sizeof ret->access_key);
	memcpy(ret->secret_key, c.secret_key, sizeof ret->secret_key);
	return true;
}
