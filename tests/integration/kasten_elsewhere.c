#include "kasten_story.h"

static const char wrong_cipher[] = "cipher: message authentication failed";

/* Runs the import policy with this receive string: did its run end in this state? */
static bool import_ends(struct story *s, const char *receive, const char *state, char run[static 254])
{
	CLEANUP(json) struct json *policy = manifest("import-policy.yaml");
	CLEANUP(json) struct json *action = manifest("run-once.yaml");
	char name[254];

	NEED(json_set_text(json_edit(policy), "spec/actions/0/importParameters/receiveString", receive, &err));
	NEED(json_set_format(json_edit(action), "spec/subject/name", &err, "'mongo-drill-import'"));
	if (!*seen(s, POLICY, "mongo-drill-import", "metadata/name"))
		create(s, POLICY, json_root(policy), name);
	else
		NEED(kube_apply(s->kube, NULL, json_root(policy), true, false, NULL, &err));
	await_value(s, POLICY, "mongo-drill-import", "status/validation", "Success");
	create(s, RUN, json_root(action), run);
	return !strcmp(await_end(s, RUN, run), state);
}

static void wrong_strings_fail(struct story *s, const char *receive)
{
	char run[254], bent[RECEIVE_MAX];

	snprintf(bent, sizeof bent, "%s", receive);
	bent[strlen(bent) / 2] ^= 1;
	for (int i = 0; i < 2; i++) {
		bool failed = import_ends(s, i ? bent : "RECEIVE-STRING", "Failed", run);

		tap_ok(&s->tap, failed,
		    i ? "an import with a receive string that was changed fails"
		      : "an import with a receive string that is none fails",
		    "%s", seen(s, RUN, run, "status/state"));
		tap_ok(&s->tap, strstr(seen(s, RUN, run, "status/error/cause"), wrong_cipher) != NULL,
		    "with Kasten's words", "%s", seen(s, RUN, run, "status/error/cause"));
	}
	tap_ok(&s->tap, count(s, CONTENT) == 0, "and makes no content", "%zu", count(s, CONTENT));
}

/* A restore point in the namespace, from a content, and the psmdb and its bucket's keys from it. */
static void restore_from_content(struct story *s, const char *content, char action[static 254])
{
	CLEANUP(json) struct json *point = manifest("restore-point.yaml");
	CLEANUP(json) struct json *restoring = manifest("restore-action-import.yaml");
	char name[254];

	NEED(json_set_text(json_edit(point), "spec/restorePointContentRef/name", content, &err));
	create(s, POINT, json_root(point), name);
	tap_ok(&s->tap, await_value(s, CONTENT, content, "status/state", "Bound"),
	    "a restore point made by hand binds it", "%s", seen(s, CONTENT, content, "status/state"));
	create(s, RESTORE_ACTION, json_root(restoring), action);
}

static void only_these_were_restored(struct story *s, const char *action, size_t restores_before)
{
	tap_ok(&s->tap, !strcmp(await_end(s, RESTORE_ACTION, action), "Complete"), "a restore from it is complete",
	    "%s: %s", seen(s, RESTORE_ACTION, action, "status/error/message"),
	    seen(s, RESTORE_ACTION, action, "status/error/cause"));
	tap_ok(&s->tap,
	    count(s, PSMDB) == 1 &&
		!strcmp(seen(s, PSMDB, CLUSTER, "metadata/annotations/kanister.kasten.io~1blueprint"), "psmdb-bp"),
	    "the psmdb is there with its annotation", "%zu", count(s, PSMDB));
	tap_ok(&s->tap, !strcmp(seen(s, SECRET, "s3-secret", "data/AWS_ACCESS_KEY_ID"), "QUs="),
	    "and the keys of its bucket", "%s", seen(s, SECRET, "s3-secret", "data/AWS_ACCESS_KEY_ID"));
	tap_ok(&s->tap, !*seen(s, SECRET, "users", "metadata/name") && !*seen(s, CONFIGMAP, "kept", "metadata/name"),
	    "and nothing else", "there is more");
	tap_ok(&s->tap, count(s, BACKUP) == 0 && count(s, RESTORE) == restores_before,
	    "and the blueprint without restore made no restore object", "%zu and %zu", count(s, BACKUP),
	    count(s, RESTORE));
}

/* The newest by the time of its action, as a client chooses it. */
static void newest_export(struct story *s, char ret[static 254])
{
	const struct kube_select wanted = {
	    .labels = "k10.kasten.io/appNamespace=" NS ",k10.kasten.io/exportType=portableAppData"};
	CLEANUP(json) struct json *all = NULL;
	const char *best = "";

	NEED(kube_list(s->kube, &s->kinds[CONTENT], NULL, &wanted, &all, &err));
	*ret = '\0';
	for (const json_node *c = json_first(json_get(json_root(all), "items")); c; c = json_next(c)) {
		const char *time = json_text_at(c, "status/actionTime");

		if (!time || strcmp(time, best) <= 0)
			continue;
		best = time;
		snprintf(ret, 254, "%s", kube_name(c));
	}
}

void import_elsewhere(struct story *s, struct story *other)
{
	char receive[RECEIVE_MAX], run[254], content[254], action[254], name[254];
	CLEANUP(json) struct json *made = NULL;
	struct err refused = ERR_INIT;
	bool ended;

	snprintf(receive, sizeof receive, "%s",
	    seen(s, POLICY, "mongo-drill", "spec/actions/1/exportParameters/receiveString"));
	make_namespaces(other);
	apply(other, "psmdb-bp-no-restore.yaml");
	apply_profile(other);
	start_kasten(other);
	other->tap = s->tap;
	NEED(json_format(&made, &err,
	    "{'apiVersion':'actions.kio.kasten.io/v1alpha1','kind':'ImportAction','metadata':{'name':'mine'}}"));
	tap_ok(&other->tap,
	    !kube_create(other->kube, &other->kinds[IMPORT], "kasten-io", json_root(made), NULL, &refused),
	    "a user cannot make an ImportAction", "one was made");
	wrong_strings_fail(other, receive);
	ended = import_ends(other, receive, "Complete", run);
	tap_ok(&other->tap, ended, "an import in another cluster is complete", "%s: %s",
	    seen(other, RUN, run, "status/error/message"), seen(other, RUN, run, "status/error/cause"));
	tap_ok(&other->tap, count(other, CONTENT) == exported_objects(other) && count(other, CONTENT) > 1,
	    "and makes a content of each object in the bucket", "%zu of %zu", count(other, CONTENT),
	    exported_objects(other));
	tap_ok(&other->tap, count(other, POINT) == 0, "and no restore point", "%zu", count(other, POINT));
	newest_export(s, name);
	newest_export(other, content);
	tap_ok(&other->tap, !strncmp(content, name, strlen(name)) && strstr(content, "-imported-"),
	    "the newest of them is the newest of the first cluster", "%s is of %s", content, name);
	tap_ok(&other->tap, !strcmp(seen(other, CONTENT, content, "status/state"), "Unbound"), "and Unbound", "%s",
	    seen(other, CONTENT, content, "status/state"));
	restore_from_content(other, content, action);
	only_these_were_restored(other, action, 0);
	ended = import_ends(other, receive, "Complete", run);
	tap_ok(&other->tap, ended, "importing again is complete", "%s", seen(other, RUN, run, "status/error/cause"));
	tap_ok(&other->tap, count(other, CONTENT) == exported_objects(other), "and makes none twice", "%zu",
	    count(other, CONTENT));
	tap_ok(&other->tap, !strcmp(seen(other, CONTENT, content, "status/state"), "Bound"), "what was bound stays so",
	    "%s", seen(other, CONTENT, content, "status/state"));
	s->tap = other->tap;
}

/* An ExportAction of a person's own: Kasten fills in its receive string, which is good for this one alone. */
void export_by_hand(struct story *s, struct story *other)
{
	CLEANUP(json) struct json *points = list(s, POINT);
	CLEANUP(json) struct json *action = NULL;
	const char *local = "";
	char name[254], receive[RECEIVE_MAX], run[254];
	size_t contents = count(other, CONTENT), objects = exported_objects(s);
	bool ended;

	for (const json_node *p = json_first(json_get(json_root(points), "items")); p; p = json_next(p))
		if (!kube_label(p, "k10.kasten.io/exportProfile"))
			local = kube_name(p);
	NEED(json_format(&action, &err,
	    "{'apiVersion':'actions.kio.kasten.io/v1alpha1','kind':'ExportAction','metadata':{'generateName':'mine-',"
	    "'labels':{'k10.kasten.io/appName':'" NS "','k10.kasten.io/appNamespace':'" NS "'}},"
	    "'spec':{'subject':{'apiVersion':'apps.kio.kasten.io/v1alpha1','kind':'RestorePoint','name':%s,"
	    "'namespace':'" NS "'},'profile':{'name':'s3-profile','namespace':'kasten-io'}}}",
	    local));
	create(s, EXPORT, json_root(action), name);
	tap_ok(&s->tap, !strcmp(await_end(s, EXPORT, name), "Complete"), "an export made by hand is complete", "%s: %s",
	    seen(s, EXPORT, name, "status/error/message"), seen(s, EXPORT, name, "status/error/cause"));
	tap_ok(&s->tap, exported_objects(s) == objects + 1, "and is in the bucket", "%zu", exported_objects(s));
	snprintf(receive, sizeof receive, "%s", seen(s, EXPORT, name, "spec/receiveString"));
	other->tap = s->tap;
	ended = import_ends(other, receive, "Complete", run);
	tap_ok(&other->tap, ended && count(other, CONTENT) == contents + 1,
	    "with the receive string that Kasten wrote into it, it alone is imported", "%zu: %s",
	    count(other, CONTENT) - contents, seen(other, RUN, run, "status/error/cause"));
	s->tap = other->tap;
}

static bool namespace_gone(struct story *s, const void *arg)
{
	return !*seen(s, NAMESPACE, arg, "metadata/name");
}

void a_namespace_is_lost(struct story *s)
{
	CLEANUP(json) struct json *namespace_ = NULL;
	CLEANUP(json) struct json *blueprint = manifest("psmdb-bp-no-restore.yaml");
	CLEANUP(json) struct json *old = NULL;
	struct kube_kind kind;
	char content[254], action[254], name[254];
	size_t contents = count(s, CONTENT);

	newest_export(s, content);
	delete (s, NAMESPACE, NS);
	tap_ok(&s->tap, await(s, namespace_gone, NS), "the namespace is gone", "it is there");
	tap_ok(&s->tap, count(s, POINT) == 0, "and its restore points", "%zu", count(s, POINT));
	tap_ok(&s->tap, await_value(s, CONTENT, content, "status/state", "Unbound") && count(s, CONTENT) == contents,
	    "the contents stay, and are Unbound", "%s", seen(s, CONTENT, content, "status/state"));
	NEED(json_format(&namespace_, &err, "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'" NS "'}}"));
	create(s, NAMESPACE, json_root(namespace_), name);
	/* An apply would leave the restore of the other one where it is. */
	NEED(kube_kind_of(s->kube, "cr.kanister.io/v1alpha1", "Blueprint", &kind, &err));
	NEED(kube_get(s->kube, &kind, "kasten-io", "psmdb-bp", &old, &err));
	NEED(json_set_text(json_edit(blueprint), "metadata/resourceVersion", kube_version(json_root(old)), &err));
	NEED(kube_replace(s->kube, &kind, "kasten-io", json_root(blueprint), NULL, &err));
	restore_from_content(s, content, action);
	only_these_were_restored(s, action, 0);
}

/* An exported point is what lies in the bucket. */
void the_bucket_is_away(struct story *other)
{
	CLEANUP(json) struct json *restoring = manifest("restore-action-import.yaml");
	char action[254];
	const char *state;

	weed_fixture_kill(other->weed);
	create(other, RESTORE_ACTION, json_root(restoring), action);
	state = await_end(other, RESTORE_ACTION, action);
	tap_ok(&other->tap, !strcmp(state, "Failed"), "a restore from an exported point fails without the bucket", "%s",
	    state);
	tap_ok(&other->tap, strstr(seen(other, RESTORE_ACTION, action, "status/error/cause"), "bucket") != NULL,
	    "and says so", "%s", seen(other, RESTORE_ACTION, action, "status/error/cause"));
}
