/*
 * The stand-in for Kasten against an API server, with the project's own blueprint, profile and policy, and a real S3 server for what
 * is exported. The operator is this program: it gives backups, restores and clusters the states that a test wants. A second
 * cluster (an API server and a Kasten of its own) shares nothing with the first but the bucket.
 */
#include "kasten_story.h"

void make_namespaces(struct story *s)
{
	static const char *const namespaces[] = {"kasten-io", NS};
	char name[254];

	for (int i = 0; i < 2; i++) {
		CLEANUP(json) struct json *namespace_ = NULL;

		NEED(json_format(
		    &namespace_, &err, "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':%s}}", namespaces[i]));
		create(s, NAMESPACE, json_root(namespace_), name);
	}
}

static void run_policy(struct story *s, char ret_name[static 254])
{
	CLEANUP(json) struct json *run = manifest("run-once.yaml");

	create(s, RUN, json_root(run), ret_name);
}

#define MARK "example.org~1mark" /* an annotation of the psmdb and of the config map that is saved with it */

static void make_psmdb(struct story *s, bool annotated)
{
	CLEANUP(json) struct json *psmdb = NULL;
	char name[254];

	NEED(json_format(&psmdb, &err,
	    "{'apiVersion':'psmdb.percona.com/v1','kind':'PerconaServerMongoDB','metadata':{'name':'" CLUSTER
	    "','namespace':'" NS "','annotations':%j},'spec':{'image':'percona/percona-server-mongodb:6.0.4-3'}}",
	    NULL));
	json_remove_at(json_edit(psmdb), "metadata/annotations");
	NEED(json_set_text(json_edit(psmdb), "metadata/annotations/" MARK, "set", &err));
	if (annotated)
		NEED(json_set_text(
		    json_edit(psmdb), "metadata/annotations/kanister.kasten.io~1blueprint", "psmdb-bp", &err));
	create(s, PSMDB, json_root(psmdb), name);
	set_status(s, PSMDB, name, "ready", NULL);
}

void validation(struct story *s)
{
	char run[254];

	apply(s, "policy.yaml");
	tap_ok(&s->tap, await_value(s, POLICY, "mongo-drill", "status/validation", "Failed"),
	    "a policy whose profile is missing is not valid", "%s",
	    seen(s, POLICY, "mongo-drill", "status/validation"));
	tap_ok(&s->tap,
	    strstr(seen(s, POLICY, "mongo-drill", "status/error/0"), "profile \"kasten-io/s3-profile\"") != NULL,
	    "and says which", "%s", seen(s, POLICY, "mongo-drill", "status/error/0"));
	run_policy(s, run);
	tap_ok(&s->tap, !strcmp(await_end(s, RUN, run), "Failed"), "a run of it fails", "%s",
	    seen(s, RUN, run, "status/state"));
	tap_ok(&s->tap,
	    !strcmp(seen(s, RUN, run, "status/error/message"), "Cannot execute action for an invalid policy"),
	    "with Kasten's words", "%s", seen(s, RUN, run, "status/error/message"));
	apply_profile(s);
	tap_ok(&s->tap, await_value(s, POLICY, "mongo-drill", "status/validation", "Success"),
	    "with the profile there, it becomes valid", "%s", seen(s, POLICY, "mongo-drill", "status/error/0"));
	tap_ok(&s->tap,
	    await_value(s, POLICY, "mongo-drill", "spec/actions/1/exportParameters/migrationToken/name",
		"mongo-drill-migration-token"),
	    "and gets its migration token", "%s",
	    seen(s, POLICY, "mongo-drill", "spec/actions/1/exportParameters/migrationToken/name"));
	tap_ok(&s->tap, strlen(seen(s, POLICY, "mongo-drill", "spec/actions/1/exportParameters/receiveString")) > 100,
	    "and its receive string", "none");
}

static void a_run_is_complete(struct story *s, char ret_exported[static 254])
{
	CLEANUP(json) struct json *points = NULL;
	size_t of_run = 0, exported = 0;
	char run[254];

	make_psmdb(s, true);
	run_policy(s, run);
	tap_ok(&s->tap, !strcmp(await_end(s, RUN, run), "Complete"), "a run is complete", "%s: %s",
	    seen(s, RUN, run, "status/state"), seen(s, RUN, run, "status/error/message"));
	tap_ok(&s->tap, count(s, BACKUP) == 1, "with one psmdb-backup", "%zu", count(s, BACKUP));
	points = list(s, POINT);
	for (const json_node *p = json_first(json_get(json_root(points), "items")); p; p = json_next(p)) {
		const char *of = kube_label(p, "k10.kasten.io/runActionName");

		of_run += of && !strcmp(of, run);
		if (!kube_label(p, "k10.kasten.io/exportProfile"))
			continue;
		exported++;
		snprintf(ret_exported, 254, "%s", kube_name(p));
	}
	tap_ok(&s->tap, of_run == 2 && exported == 1, "and two restore points, one of them exported", "%zu and %zu",
	    of_run, exported);
	tap_ok(&s->tap, count(s, CONTENT) == 2, "with a content each", "%zu", count(s, CONTENT));
	tap_ok(&s->tap, exported_objects(s) == 1, "and the exported one is an object in the bucket", "%zu",
	    exported_objects(s));
}

void restore(struct story *s, const char *point, const char *filters, char ret_name[static 254])
{
	CLEANUP(json) struct json *action = manifest("restore-action.yaml");

	NEED(json_set_text(json_edit(action), "spec/subject/name", point, &err));
	if (filters)
		NEED(json_set_format(json_edit(action), "spec/filters", &err, filters));
	create(s, RESTORE_ACTION, json_root(action), ret_name);
}

static void restores(struct story *s, const char *point)
{
	char action[254], backup[254] = "", secret[254];
	CLEANUP(json) struct json *other = NULL;
	CLEANUP(json) struct json *backups = list(s, BACKUP);

	snprintf(backup, sizeof backup, "%s", kube_name(json_first(json_get(json_root(backups), "items"))));
	delete (s, PSMDB, CLUSTER);
	tap_ok(&s->tap, await_count(s, PSMDB, 0), "the cluster is gone", "it is there");
	restore(s, point, "{'includeResources':[{'resource':'no-such-things'}]}", action);
	tap_ok(&s->tap, !strcmp(await_end(s, RESTORE_ACTION, action), "Complete"),
	    "a restore whose filter matches nothing is Complete", "%s",
	    seen(s, RESTORE_ACTION, action, "status/state"));
	tap_ok(&s->tap, count(s, PSMDB) == 0 && count(s, RESTORE) == 0, "and has restored nothing", "it has");
	delete (s, SECRET, "users");
	restore(s, point, NULL, action);
	tap_ok(&s->tap, !strcmp(await_end(s, RESTORE_ACTION, action), "Complete"), "a restore of the psmdb is complete",
	    "%s: %s", seen(s, RESTORE_ACTION, action, "status/state"),
	    seen(s, RESTORE_ACTION, action, "status/error/message"));
	tap_ok(&s->tap, count(s, PSMDB) == 1 && !*seen(s, SECRET, "users", "metadata/name"),
	    "it restored the psmdb alone", "%zu and %s", count(s, PSMDB), seen(s, SECRET, "users", "metadata/name"));
	tap_ok(&s->tap, count(s, RESTORE) == 1, "and the blueprint made one restore object", "%zu", count(s, RESTORE));
	{
		CLEANUP(json) struct json *made = list(s, RESTORE);

		tap_ok(&s->tap, json_is_at(json_root(made), "items/0/spec/backupName", backup), "from this backup",
		    "%s", json_text_at(json_root(made), "items/0/spec/backupName"));
	}
	NEED(json_format(
	    &other, &err, "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'kept'},'data':{'a':'changed'}}"));
	delete (s, CONFIGMAP, "kept");
	create(s, CONFIGMAP, json_root(other), secret);
	restore(s, point,
	    "{'includeResources':[{'resource':'configmaps'},{'group':'','resource':'secrets','name':'users'}]}",
	    action);
	await_end(s, RESTORE_ACTION, action);
	tap_ok(&s->tap, !strcmp(seen(s, CONFIGMAP, "kept", "data/a"), "changed"), "what is there is left alone", "%s",
	    seen(s, CONFIGMAP, "kept", "data/a"));
	tap_ok(&s->tap, !strcmp(seen(s, SECRET, "users", "data/password"), "c2VjcmV0"),
	    "a secret comes back with its value", "%s", seen(s, SECRET, "users", "data/password"));
	tap_ok(&s->tap, count(s, RESTORE) == 1, "no other restore object was made", "%zu", count(s, RESTORE));
}

/* Of the psmdb and the config map, the psmdb without its annotations; or with a place in it that is not there. */
static void restore_changed(struct story *s, const char *point, bool fails, char ret_name[static 254])
{
	CLEANUP(json) struct json *action = manifest("restore-action.yaml");

	NEED(json_set_text(json_edit(action), "spec/subject/name", point, &err));
	NEED(json_set_format(json_edit(action), "spec/filters", &err,
	    "{'includeResources':[{'resource':'configmaps','name':'kept'},"
	    "{'group':'psmdb.percona.com','resource':'perconaservermongodbs'}]}"));
	NEED(json_set_format(json_edit(action), "spec/transforms", &err,
	    "[{'name':'bare','subject':{'group':'psmdb.percona.com','resource':'perconaservermongodbs'},'json':["
	    "{'op':'remove','path':'/metadata/annotations/" MARK "'},"
	    "{'op':'remove','path':%s}]}]",
	    fails ? "/spec/no-such-place" : "/metadata/annotations/kanister.kasten.io~1blueprint"));
	create(s, RESTORE_ACTION, json_root(action), ret_name);
}

static void transforms(struct story *s, const char *point)
{
	size_t before = count(s, RESTORE);
	char action[254];

	delete (s, PSMDB, CLUSTER);
	await_count(s, PSMDB, 0);
	delete (s, CONFIGMAP, "kept");
	restore_changed(s, point, true, action);
	tap_ok(&s->tap, !strcmp(await_end(s, RESTORE_ACTION, action), "Failed"),
	    "a transform that cannot be done fails the restore", "%s", seen(s, RESTORE_ACTION, action, "status/state"));
	tap_ok(&s->tap,
	    strstr(seen(s, RESTORE_ACTION, action, "status/error/cause"),
		"transform \\\"bare\\\" of perconaservermongodbs \\\"" CLUSTER "\\\"") != NULL,
	    "and is named", "%s", seen(s, RESTORE_ACTION, action, "status/error/cause"));
	tap_ok(&s->tap, count(s, PSMDB) == 0, "and no psmdb is made of what is half changed", "%zu", count(s, PSMDB));
	if (*seen(s, CONFIGMAP, "kept", "metadata/name"))
		delete (s, CONFIGMAP, "kept");
	restore_changed(s, point, false, action);
	tap_ok(&s->tap, !strcmp(await_end(s, RESTORE_ACTION, action), "Complete"),
	    "a restore with a transform is complete", "%s: %s", seen(s, RESTORE_ACTION, action, "status/error/message"),
	    seen(s, RESTORE_ACTION, action, "status/error/cause"));
	tap_ok(&s->tap,
	    count(s, PSMDB) == 1 && !*seen(s, PSMDB, CLUSTER, "metadata/annotations/" MARK) &&
		!*seen(s, PSMDB, CLUSTER, "metadata/annotations/kanister.kasten.io~1blueprint"),
	    "the psmdb has come without the annotations that it takes away", "%s",
	    seen(s, PSMDB, CLUSTER, "metadata/annotations/" MARK));
	tap_ok(
	    &s->tap, count(s, RESTORE) == before, "so that no blueprint was called", "%zu", count(s, RESTORE) - before);
	tap_ok(&s->tap, !strcmp(seen(s, CONFIGMAP, "kept", "metadata/annotations/" MARK), "set"),
	    "what is not its subject has its own still", "%s",
	    seen(s, CONFIGMAP, "kept", "metadata/annotations/" MARK));
}

static void without_annotation(struct story *s)
{
	size_t before = count(s, BACKUP);
	char run[254];

	delete (s, PSMDB, CLUSTER);
	await_count(s, PSMDB, 0);
	make_psmdb(s, false);
	run_policy(s, run);
	tap_ok(&s->tap, !strcmp(await_end(s, RUN, run), "Complete"),
	    "without the annotation a run is complete all the same", "%s", seen(s, RUN, run, "status/state"));
	tap_ok(
	    &s->tap, count(s, BACKUP) == before, "and there is no psmdb-backup", "%zu more", count(s, BACKUP) - before);
	delete (s, PSMDB, CLUSTER);
	await_count(s, PSMDB, 0);
	make_psmdb(s, true);
}

static void backup_in_error(struct story *s)
{
	size_t before = count(s, BACKUP);
	int64_t began = clock_mono_ms(clock_system());
	char run[254];

	s->backup_ends = "error";
	run_policy(s, run);
	tap_ok(&s->tap, !strcmp(await_end(s, RUN, run), "Failed"), "a backup in error fails the run", "%s",
	    seen(s, RUN, run, "status/state"));
	tap_ok(&s->tap, clock_mono_ms(clock_system()) - began < 45000, "without waiting for any time-out", "%lld ms",
	    (long long)(clock_mono_ms(clock_system()) - began));
	tap_ok(&s->tap,
	    strstr(seen(s, RUN, run, "status/error/message"),
		"the backup ended with error: unable to get storage 'x'") != NULL,
	    "with the operator's text", "%s", seen(s, RUN, run, "status/error/message"));
	tap_ok(&s->tap, count(s, BACKUP) == before + 3, "after three attempts with an object each", "%zu",
	    count(s, BACKUP) - before);
	s->backup_ends = "ready";
}

static size_t exported_contents(struct story *s)
{
	CLEANUP(json) struct json *all = list(s, CONTENT);
	size_t n = 0;

	for (const json_node *c = json_first(json_get(json_root(all), "items")); c; c = json_next(c))
		n += kube_label(c, "k10.kasten.io/exportProfile") != NULL;
	return n;
}

/* Killed ten times while a backup and its restore go on. */
static void killed(struct story *s)
{
	size_t backups = count(s, BACKUP), restores_before = count(s, RESTORE), points = count(s, POINT);
	char run[254], action[254], point[254] = "";
	CLEANUP(json) struct json *all = NULL;

	run_policy(s, run);
	for (int i = 0; i < 10; i++) {
		pause_ms(20 + 90 * i);
		kill_kasten(s);
		start_kasten(s);
		if (i == 5)
			operate(s);
	}
	tap_ok(&s->tap, !strcmp(await_end(s, RUN, run), "Complete"),
	    "a run is complete though Kasten was killed ten times", "%s: %s", seen(s, RUN, run, "status/state"),
	    seen(s, RUN, run, "status/error/message"));
	tap_ok(&s->tap, count(s, BACKUP) == backups + 1, "with one psmdb-backup", "%zu", count(s, BACKUP) - backups);
	tap_ok(&s->tap, count(s, POINT) == points + 2, "and two restore points", "%zu", count(s, POINT) - points);
	tap_ok(&s->tap, exported_objects(s) == exported_contents(s), "and no object in the bucket without one",
	    "%zu and %zu", exported_objects(s), exported_contents(s));
	all = list(s, POINT);
	for (const json_node *p = json_first(json_get(json_root(all), "items")); p; p = json_next(p))
		if (kube_label(p, "k10.kasten.io/runActionName") &&
		    !strcmp(kube_label(p, "k10.kasten.io/runActionName"), run))
			snprintf(point, sizeof point, "%s", kube_name(p));
	delete (s, PSMDB, CLUSTER);
	await_count(s, PSMDB, 0);
	restore(s, point, NULL, action);
	for (int i = 0; i < 10; i++) {
		pause_ms(10 + 60 * i);
		kill_kasten(s);
		start_kasten(s);
		operate(s);
	}
	tap_ok(&s->tap, !strcmp(await_end(s, RESTORE_ACTION, action), "Complete"), "so is a restore", "%s: %s",
	    seen(s, RESTORE_ACTION, action, "status/state"), seen(s, RESTORE_ACTION, action, "status/error/message"));
	tap_ok(&s->tap, count(s, RESTORE) == restores_before + 1, "with one restore object", "%zu",
	    count(s, RESTORE) - restores_before);
}

static void points_and_contents(struct story *s)
{
	CLEANUP(json) struct json *contents = list(s, CONTENT);
	CLEANUP(json) struct json *point = NULL;
	const json_node *content = json_first(json_get(json_root(contents), "items"));
	char content_name[254], point_name[254], made[254];

	snprintf(content_name, sizeof content_name, "%s", kube_name(content));
	snprintf(point_name, sizeof point_name, "%s", json_text_at(content, "status/restorePointRef/name"));
	delete (s, POINT, point_name);
	tap_ok(&s->tap, await_value(s, CONTENT, content_name, "status/state", "Unbound"),
	    "a content without its restore point is Unbound", "%s", seen(s, CONTENT, content_name, "status/state"));
	NEED(json_format(&point, &err,
	    "{'apiVersion':'apps.kio.kasten.io/"
	    "v1alpha1','kind':'RestorePoint','metadata':{'name':'by-hand','namespace':'" NS
	    "'},'spec':{'restorePointContentRef':{'name':%s}}}",
	    content_name));
	create(s, POINT, json_root(point), made);
	tap_ok(&s->tap, await_value(s, CONTENT, content_name, "status/state", "Bound"),
	    "one made by hand binds it again", "%s", seen(s, CONTENT, content_name, "status/state"));
	restore(s, "by-hand", NULL, made);
	tap_ok(&s->tap, !strcmp(await_end(s, RESTORE_ACTION, made), "Complete"), "and can be restored from", "%s",
	    seen(s, RESTORE_ACTION, made, "status/error/message"));
	restore(s, "nobody-knows-me", NULL, made);
	tap_ok(&s->tap, !strcmp(await_end(s, RESTORE_ACTION, made), "Failed"),
	    "a restore point that is not there fails", "%s", seen(s, RESTORE_ACTION, made, "status/state"));
}

static void retirement(struct story *s, const char *exported)
{
	size_t backups = count(s, BACKUP), contents = count(s, CONTENT), objects = exported_objects(s);
	char content[254];

	snprintf(content, sizeof content, "%s", seen(s, POINT, exported, "spec/restorePointContentRef/name"));
	delete (s, CONTENT, content);
	tap_ok(
	    &s->tap, await_count(s, CONTENT, contents - 1), "a content that is deleted goes", "%zu", count(s, CONTENT));
	tap_ok(&s->tap, await_count(s, BACKUP, backups - 1), "and its psmdb-backup with it", "%zu of %zu",
	    count(s, BACKUP), backups);
	tap_ok(&s->tap, exported_objects(s) == objects - 1, "and what was exported of it", "%zu of %zu",
	    exported_objects(s), objects);
}

static void the_end(struct story *s)
{
	int64_t began = clock_mono_ms(clock_system());
	struct proc_exit ex = {0};

	NEED(proc_stop(clock_system(), s->kasten, 10000, &ex, &err));
	tap_ok(&s->tap, !ex.signaled && ex.status == 0 && clock_mono_ms(clock_system()) - began < 2000,
	    "SIGTERM ends it within 2 s with 0", "status %d after %lld ms", ex.status,
	    (long long)(clock_mono_ms(clock_system()) - began));
}

static void secrets_stay_secret(struct story *s)
{
	BUF_CLEANUP struct buf log = BUF_INIT(16 << 20);
	char receive[RECEIVE_MAX];

	snprintf(receive, sizeof receive, "%s",
	    seen(s, POLICY, "mongo-drill", "spec/actions/1/exportParameters/receiveString"));
	if (!*receive)
		snprintf(receive, sizeof receive, "%s",
		    seen(s, POLICY, "mongo-drill-import", "spec/actions/0/importParameters/receiveString"));
	NEED(file_read(s->log, &log, &err));
	tap_ok(&s->tap, !strstr(buf_str(&log), receive) && !strstr(buf_str(&log), "c2VjcmV0"),
	    "no secret is in the log", "it is");
	tap_ok(&s->tap, !strstr(buf_str(&log), "Sanitizer"), "no sanitizer has spoken", "see %s", s->log);
}

static void set_up(struct story *s)
{
	CLEANUP(json) struct json *secret = NULL;
	CLEANUP(json) struct json *keys = NULL;
	CLEANUP(json) struct json *map = NULL;
	char name[254];

	make_namespaces(s);
	NEED(json_format(&keys, &err,
	    "{'apiVersion':'v1','kind':'Secret','metadata':{'name':'s3-secret'},'data':{'AWS_ACCESS_KEY_ID':'QUs='}}"));
	create(s, SECRET, json_root(keys), name);
	NEED(json_format(&secret, &err,
	    "{'apiVersion':'v1','kind':'Secret','metadata':{'name':'users'},'data':{'password':'c2VjcmV0'}}"));
	create(s, SECRET, json_root(secret), name);
	NEED(json_format(
	    &map, &err, "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'kept'},'data':{'a':'saved'}}"));
	NEED(json_set_text(json_edit(map), "metadata/annotations/" MARK, "set", &err));
	create(s, CONFIGMAP, json_root(map), name);
	apply(s, "psmdb-bp.yaml");
}

int main(void)
{
	struct story s = {.backup_ends = "ready", .operator_works = true};
	struct story other = s;
	struct weed_fixture weed;
	char exported[254] = "", why[300];
	struct err err = ERR_INIT;

	signal(SIGPIPE, SIG_IGN);
	if (!weed_fixture_start(&weed, "127.13.4.1", 18600, &err)) {
		printf("Bail out! %s\n", err.msg);
		return 1;
	}
	if (!open_cluster(&s, &weed, why, sizeof why)) {
		weed_fixture_stop(&weed);
		printf("ok 1 - everything # SKIP %s\n1..1\n", why);
		return 0;
	}
	unsetenv("PSMDB_TEST_KUBECONFIG"); /* the other cluster is always the embedded one */
	if (!open_cluster(&other, &weed, why, sizeof why)) {
		printf("Bail out! %s\n", why);
		return 1;
	}
	set_up(&s);
	start_kasten(&s);
	validation(&s);
	a_run_is_complete(&s, exported);
	restores(&s, exported);
	transforms(&s, exported);
	without_annotation(&s);
	backup_in_error(&s);
	killed(&s);
	points_and_contents(&s);
	import_elsewhere(&s, &other);
	export_by_hand(&s, &other);
	retirement(&s, exported);
	a_namespace_is_lost(&s);
	other.tap = s.tap;
	the_bucket_is_away(&other);
	secrets_stay_secret(&other);
	s.tap = other.tap;
	secrets_stay_secret(&s);
	kill_kasten(&other);
	the_end(&s);
	close_cluster(&other, s.tap.failed != 0);
	close_cluster(&s, s.tap.failed != 0);
	weed_fixture_stop(&weed);
	return tap_done(&s.tap);
}
