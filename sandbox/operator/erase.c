#include "sandbox/operator/erase.h"

#include "s3/s3.h"
#include "sandbox/operator/rules.h"

#include <stdio.h>
#include <string.h>

#define LIMIT_MS 3000
#define KEY_MAX 1400
#define FILES_MAX 100000

static bool make_config(const struct pbm_order *place, struct s3_config *c, struct err *err)
{
	*c = (struct s3_config){.insecure = place->insecure};
	snprintf(c->endpoint, sizeof c->endpoint, "%s", place->endpoint);
	snprintf(c->region, sizeof c->region, "%s", place->region);
	snprintf(c->bucket, sizeof c->bucket, "%s", place->bucket);
	snprintf(c->access_key, sizeof c->access_key, "%s", place->access_key);
	snprintf(c->secret_key, sizeof c->secret_key, "%s", place->secret_key);
	return s3_config_check(c, err);
}

static bool erase_sets(struct s3 *s3, const json_node *backup, const char *base, struct err *err)
{
	static const char *const endings[] = {"dump", "oplog"};
	char key[KEY_MAX + 80];

	for (const json_node *set = json_first(json_at(backup, "status/replsetNames")); set; set = json_next(set)) {
		const char *name = json_string(set);

		for (size_t i = 0; name && op_name_valid(name) && i < 2; i++) {
			snprintf(key, sizeof key, "%s_%.60s.%s.gz", base, name, endings[i]);
			if (!s3_delete(s3, key, err))
				return false;
		}
	}
	return true;
}

/* The bucket, and the keys' common beginning. */
static bool open_place(const json_node *backup, const struct pbm_order *place, const struct clock *clock,
    const volatile int *stop, char base[static KEY_MAX], struct s3 **ret, struct err *err)
{
	struct s3_options options = {.clock = clock, .stop = stop, .max_attempts = 1, .timeout_ms = LIMIT_MS};
	const char *name = json_text_at(backup, "status/pbmName");
	struct storage storage = {.prefix = place->prefix};
	S3_CONFIG_CLEANUP struct s3_config config = {0};
	char checked[ANSWER_NAME_MAX];

	if (!name || !destination_name(name, checked))
		return err_set(err, ERR_PARSE, "the backup's status has no name of PBM's");
	storage_destination(&storage, checked, base, KEY_MAX);
	return make_config(place, &config, err) && s3_new(&config, &options, ret, err);
}

bool erase_record(const json_node *backup, const struct pbm_order *place, const struct clock *clock,
    const volatile int *stop, struct err *err)
{
	char base[KEY_MAX], key[KEY_MAX + 20];
	CLEANUP(s3) struct s3 *s3 = NULL;

	if (!open_place(backup, place, clock, stop, base, &s3, err))
		return false;
	snprintf(key, sizeof key, "%s.pbm.json", base);
	return s3_delete(s3, key, err) && erase_sets(s3, backup, base, err);
}

static bool note_key(void *ctx, const struct s3_object *object, struct err *err)
{
	return json_set_text(json_edit(ctx), "-", object->key, err);
}

/* The record goes last: what was not finished can still be found. */
bool erase_backup(const json_node *backup, const struct pbm_order *place, const struct clock *clock,
    const volatile int *stop, struct err *err)
{
	char base[KEY_MAX], key[KEY_MAX + 20];
	CLEANUP(json) struct json *keys = NULL;
	CLEANUP(s3) struct s3 *s3 = NULL;

	if (!open_place(backup, place, clock, stop, base, &s3, err) || !json_format(&keys, err, "[]"))
		return false;
	snprintf(key, sizeof key, "%s/", base);
	if (!s3_list(s3, key, FILES_MAX, note_key, keys, err))
		return false;
	for (const json_node *k = json_first(json_root(keys)); k; k = json_next(k))
		if (!s3_delete(s3, json_string(k), err))
			return false;
	snprintf(key, sizeof key, "%s.pbm.json", base);
	return s3_delete(s3, key, err);
}
