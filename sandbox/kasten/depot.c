#include "sandbox/kasten/depot.h"

#include "base/base64.h"
#include "sandbox/kasten/check.h"
#include "sandbox/kasten/names.h"

#include <string.h>

#define LIMIT_MS 15000
#define ATTEMPTS 2
#define OBJECTS "spec/locationSpec/objectStore/"

void depot_close(struct depot *d)
{
	s3_free(d->s3);
	receive_clear(&d->receive);
	*d = (struct depot)DEPOT_INIT;
}

/* --- the profile ------------------------------------------------------------------------------------------------- */

static bool take_text(const json_node *profile, const char *path, char *ret, size_t size, struct err *err)
{
	const char *text = json_text_at(profile, path);

	if (text && strlen(text) >= size)
		return err_set(err, ERR_LIMIT, "%s is longer than %zu bytes", path, size - 1);
	snprintf(ret, size, "%s", text ? text : "");
	return true;
}

static bool take_key(const json_node *secret, const char *name, char *ret, size_t size, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(size - 1);
	const char *value = json_string(json_get(json_get(secret, "data"), name));
	bool ok =
	    value && base64_decode(value, strlen(value), &text, NULL) && text.len && !memchr(text.data, '\0', text.len);

	if (ok)
		snprintf(ret, size, "%s", buf_str(&text));
	if (text.data)
		explicit_bzero(text.data, text.len);
	return ok || err_set(err, ERR_PARSE, "key %s of the profile's secret is missing or no text", name);
}

bool depot_config(const json_node *profile, const json_node *secret, struct s3_config *ret, struct err *err)
{
	S3_CONFIG_CLEANUP struct s3_config c = {.insecure = json_bool_at(profile, OBJECTS "skipSSLVerify", false)};

	if (!take_text(profile, OBJECTS "endpoint", c.endpoint, sizeof c.endpoint, err) ||
	    !take_text(profile, OBJECTS "region", c.region, sizeof c.region, err) ||
	    !take_text(profile, OBJECTS "name", c.bucket, sizeof c.bucket, err) ||
	    !take_key(secret, "aws_access_key_id", c.access_key, sizeof c.access_key, err) ||
	    !take_key(secret, "aws_secret_access_key", c.secret_key, sizeof c.secret_key, err) ||
	    !s3_config_check(&c, err))
		return false;
	*ret = c;
	return true;
}

bool depot_receive(const json_node *profile, struct buf *out, struct err *err)
{
	const char *bucket = json_text_at(profile, OBJECTS "name");
	RECEIVE_CLEANUP struct receive r = {0};

	return receive_new(bucket ? bucket : "", json_text_at(profile, OBJECTS "path"), &r, err) &&
	       receive_format(&r, out, err);
}

static bool get_valid_profile(struct kasten *k, const json_node *ref, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *profile = NULL;

	if (!kasten_profile(k, ref, &profile, err))
		return false;
	if (!json_is_at(json_root(profile), "status/validation", VALIDATION_SUCCESS))
		return err_set(err, ERR_STATE, "profile \"%s\" is not valid", kube_name(json_root(profile)));
	*ret = TAKE(profile);
	return true;
}

/* --- the bucket -------------------------------------------------------------------------------------------------- */

/* The surroundings that are waited for are the API server's: what the bucket says is an answer. */
static bool answer(struct err *why, struct err *err)
{
	if (why->code != ERR_BROKEN && why->code != ERR_LIMIT && why->code != ERR_NOMEM && why->code != ERR_INTERRUPTED)
		why->code = ERR_REMOTE;
	if (err)
		*err = *why;
	return false;
}

static bool check_place(const json_node *profile, const struct receive *r, struct err *err)
{
	const char *bucket = json_text_at(profile, OBJECTS "name");
	char path[RECEIVE_PATH_MAX];

	if (!receive_path(json_text_at(profile, OBJECTS "path"), path, err))
		return false;
	if (bucket && !strcmp(bucket, r->bucket) && !strcmp(path, r->path))
		return true;
	return err_set(err, ERR_STATE,
	    "profile \"%s\" is of bucket \"%s\", path \"%s\", the receive string of bucket \"%s\", path \"%s\"",
	    kube_name(profile), bucket ? bucket : "", path, r->bucket, r->path);
}

static bool open_depot(
    struct kasten *k, const json_node *profile_ref, const char *receive, struct depot *ret, struct err *err)
{
	const struct s3_options options = {.clock = k->clock,
	    .stop = k->stop,
	    .stop_fd = k->stop_fd,
	    .max_attempts = ATTEMPTS,
	    .timeout_ms = LIMIT_MS};
	S3_CONFIG_CLEANUP struct s3_config config = {0};
	DEPOT_CLEANUP struct depot d = DEPOT_INIT;
	CLEANUP(json) struct json *profile = NULL;
	CLEANUP(json) struct json *secret = NULL;
	const char *namespace_, *name;

	if (!receive_parse(receive ? receive : "", &d.receive, err) ||
	    !get_valid_profile(k, profile_ref, &profile, err) || !check_place(json_root(profile), &d.receive, err))
		return false;
	if (!profile_secret(json_root(profile), &namespace_, &name))
		return err_set(err, ERR_STATE, "profile \"%s\" names no secret", kube_name(json_root(profile)));
	if (!kube_get(k->kube, &k->kinds[KIND_SECRET], namespace_, name, &secret, err) ||
	    !depot_config(json_root(profile), json_root(secret), &config, err) ||
	    !s3_new(&config, &options, &d.s3, err))
		return err_wrap(err, "profile \"%s\"", kube_name(json_root(profile)));
	*ret = d;
	d = (struct depot)DEPOT_INIT;
	return true;
}

bool depot_open(struct kasten *k, const json_node *profile_ref, const char *receive, struct depot *ret, struct err *err)
{
	struct err why = ERR_INIT;

	if (open_depot(k, profile_ref, receive, ret, &why))
		return true;
	/* NOT_FOUND is for what was asked for, not for the way to it. */
	if (why.code == ERR_NOT_FOUND)
		why.code = ERR_STATE;
	if (err)
		*err = why;
	return false;
}

bool depot_put(struct depot *d, const struct artefact *a, struct err *err)
{
	BUF_CLEANUP struct buf bytes = BUF_INIT(ARTEFACT_MAX + SEAL_OVERHEAD);
	char key[ARTEFACT_KEY_MAX];
	struct err why = ERR_INIT;

	artefact_key(&d->receive, a->name, key);
	return artefact_format(&d->receive, a, &bytes, err) &&
	       (s3_put(d->s3, key, bytes.data, bytes.len, &why) || answer(&why, err));
}

bool depot_get(struct depot *d, const char *name, struct json **ret_doc, struct artefact *ret, struct err *err)
{
	BUF_CLEANUP struct buf bytes = BUF_INIT(ARTEFACT_MAX + SEAL_OVERHEAD);
	char key[ARTEFACT_KEY_MAX];
	struct err why = ERR_INIT;

	artefact_key(&d->receive, name, key);
	return (s3_get(d->s3, key, &bytes, NULL, &why) || answer(&why, err)) &&
	       artefact_parse(&d->receive, name, buf_str(&bytes), bytes.len, ret_doc, ret, err);
}

struct names {
	json_node *list;
	const char *prefix;
};

static bool add_name(void *ctx, const struct s3_object *object, struct err *err)
{
	const struct names *n = ctx;
	size_t len = strlen(n->prefix);

	if (strncmp(object->key, n->prefix, len) != 0 || !artefact_name_valid(object->key + len))
		return true;
	return json_set_text(n->list, "-", object->key + len, err);
}

bool depot_names(struct depot *d, struct json **ret, struct err *err)
{
	CLEANUP(json) struct json *list = NULL;
	char prefix[ARTEFACT_KEY_MAX];
	struct err why = ERR_INIT;
	struct names n;

	if (!json_format(&list, err, "[]"))
		return false;
	artefact_key(&d->receive, NULL, prefix);
	n = (struct names){json_edit(list), prefix};
	if (!s3_list_folder(d->s3, prefix, DEPOT_NAMES_MAX, add_name, &n, &why))
		return answer(&why, err);
	*ret = TAKE(list);
	return true;
}

bool depot_remove(struct depot *d, const char *name, struct err *err)
{
	char key[ARTEFACT_KEY_MAX];
	struct err why = ERR_INIT;

	artefact_key(&d->receive, name, key);
	return s3_delete(d->s3, key, &why) || answer(&why, err);
}
