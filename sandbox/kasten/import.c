/*
 * ImportAction: what was exported with a receive string, as RestorePointContents of this cluster. All that is known of it comes from the
 * profile's bucket. Restore points are not made: whoever wants one makes it in a namespace, naming the content.
 *
 * A content's name here follows from where it lies in the bucket: importing again makes none twice, and brings back those
 * that were deleted.
 */
#include "base/digest.h"
#include "sandbox/kasten/depot.h"
#include "sandbox/kasten/kasten.h"
#include "sandbox/kasten/publish.h"

#include <string.h>

#define FAILED "Failed to import restore points"
#define SUFFIX_DIGITS 8

static bool open_depot(struct kasten *k, const struct job *j, struct depot *ret, struct err *err)
{
	return depot_open(k, json_at(j->root, "spec/profile"), json_text_at(j->root, "spec/receiveString"), ret, err);
}

static bool find(struct kasten *k, struct job *j, struct err *err)
{
	DEPOT_CLEANUP struct depot depot = DEPOT_INIT;
	CLEANUP(json) struct json *names = NULL;

	return open_depot(k, j, &depot, err) && depot_names(&depot, &names, err) &&
	       json_set_copy(j->root, "try/names", json_root(names), err) && json_set_int(j->root, "try/next", 0, err);
}

static bool check(struct kasten *k, struct job *j, struct err *err)
{
	struct err why = ERR_INIT;

	if (!find(k, j, &why))
		return kasten_refuse(k, j, FAILED, &why, err);
	return job_set_step(j, "contents", err) && job_set_progress(j, 10, err);
}

static void content_name(const struct receive *r, const char *name, char ret[static 254])
{
	char key[ARTEFACT_KEY_MAX], digest[SHA256_TEXT_MAX];

	artefact_key(r, name, key);
	snprintf(ret, 254, "%.*s-imported-%.*s", ARTEFACT_NAME_MAX, name, SUFFIX_DIGITS,
	    sha256_text(key, strlen(key), digest));
}

/* It may be bound by now, or known from an earlier import: then it stays as it is. */
static bool is_there(struct kasten *k, const char *content, bool *ret, struct err *err)
{
	CLEANUP(json) struct json *object = NULL;
	CLEANUP(json) struct json *record = NULL;
	struct err why = ERR_INIT;

	*ret = kube_get(k->kube, &k->kinds[KIND_CONTENT], NULL, content, &object, &why);
	if (!*ret && why.code != ERR_NOT_FOUND) {
		if (err)
			*err = why;
		return false;
	}
	*ret = *ret && json_text_at(json_root(object), "status/actionTime") &&
	       store_get(&k->store, STORE_CONTENTS, content, &record, NULL);
	return true;
}

static bool import_one(struct kasten *k, struct job *j, const char *name, struct err *err)
{
	DEPOT_CLEANUP struct depot depot = DEPOT_INIT;
	CLEANUP(json) struct json *doc = NULL;
	struct reference reference = {
	    json_text_at(j->root, "spec/receiveString"), name, json_at(j->root, "spec/profile"), false};
	struct publication p = {0};
	struct artefact artefact;
	char content[254];
	bool there;

	if (!open_depot(k, j, &depot, err))
		return false;
	content_name(&depot.receive, name, content);
	if (!is_there(k, content, &there, err) || there)
		return there;
	if (!depot_get(&depot, name, &doc, &artefact, err) || !publish_reference(k, content, &reference, err))
		return false;
	p = (struct publication){.content = content, .labels = artefact.labels, .action_time = artefact.action_time};
	if (!publish(k, &p, err))
		return false;
	log_line(k->log, LOG_INFO, "imported", "content", content, "actionTime", artefact.action_time, NULL);
	return true;
}

static bool contents(struct kasten *k, struct job *j, struct err *err)
{
	int64_t next = json_int_at(j->root, "try/next", 0), all = (int64_t)json_count(json_at(j->root, "try/names"));
	struct err why = ERR_INIT;
	char path[64];

	if (next >= all)
		return job_complete(j, kasten_now(k), err);
	snprintf(path, sizeof path, "try/names/%lld", (long long)next);
	if (!import_one(k, j, json_text_at(j->root, path), &why))
		return kasten_refuse(k, j, FAILED, &why, err);
	return json_set_int(j->root, "try/next", next + 1, err) &&
	       job_set_progress(j, 10 + (int)(89 * (next + 1) / all), err);
}

bool import_step(struct kasten *k, struct job *j, struct err *err)
{
	return !strcmp(job_step(j), "check") ? check(k, j, err) : contents(k, j, err);
}
