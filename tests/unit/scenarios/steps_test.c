/* Steps of Case 1, and those of every scenario. */
#include "steps_fixture.h"

TestSuite(steps, .init = set_up, .fini = tear_down);

static bool takes(const char *args, const char *clusters)
{
	const char *answers[] = {CORE, GROUPS, clusters, CLAIMS};
	char *seen = NULL;
	bool ok = step("delete", args, false, answers, COUNT(answers), &seen);

	wrote_nothing(seen);
	return ok;
}

Test(steps, delete_takes_no_claim_of_others_without_a_yes)
{
	cr_assert_not(takes("{'kind':'pvc','all':true}", CLUSTERS));
	cr_assert(strstr(err.msg, "refused: ") && strstr(err.msg, "\"theirs\"") && !strstr(err.msg, "mongod-data"),
	    "%s", err.msg);
	cr_assert(strstr(err.hint, "--confirm-pvc theirs"), "%s", err.hint);
	cr_assert_not(takes("{'kind':'pvc','name':'theirs'}", CLUSTERS));
	cr_assert(takes("{'kind':'pvc','name':'mongod-data-c-rs0-0'}", CLUSTERS), "%s", err.msg);
	options.confirm_pvc.items[options.confirm_pvc.count++] = "theirs";
	cr_assert(takes("{'kind':'pvc','all':true}", CLUSTERS), "%s", err.msg);
}

Test(steps, what_was_agreed_on_stays_agreed_when_the_cluster_is_gone)
{
	cr_assert_not(takes("{'kind':'pvc','all':true}", NONE));
	cr_assert(strstr(err.msg, "mongod-data-c-rs0-0") && strstr(err.msg, "theirs"), "%s", err.msg);
	cr_assert(drill_set_value(&d, PART_CLAIMS, " mongod-data-c-rs0-0 ", &err));
	cr_assert_not(takes("{'kind':'pvc','all':true}", NONE));
	cr_assert(!strstr(err.msg, "mongod-data-c-rs0-0") && strstr(err.msg, "theirs"), "%s", err.msg);
}

Test(steps, a_secret_is_made_from_variables_that_are_allowed_and_its_value_stays_there)
{
	const char *answers[] = {MISSING, MISSING,
	    JSON("201 Created", "{\"metadata\":{\"name\":\"mine\",\"namespace\":\"ns\",\"uid\":\"7\"}}")};
	BUF_CLEANUP struct buf state = BUF_INIT(1 << 20);
	char *seen = NULL;

	setenv("STEPS_TOKEN", "hush-hush", 1);
	cr_assert_not(step("secret", "{'name':'mine','from-env':{'token':'STEPS_TOKEN'}}", true, answers, 0, &seen));
	cr_assert(strstr(err.msg, "refused: ") && strstr(err.hint, "--secret-env STEPS_TOKEN"), "%s", err.msg);
	wrote_nothing(seen);
	options.secret_env.items[options.secret_env.count++] = "STEPS_TOKEN";
	cr_assert(
	    step("secret", "{'name':'mine','from-env':{'token':'STEPS_TOKEN'}}", true, answers, COUNT(answers), &seen),
	    "%s", err.msg);
	cr_assert(strstr(seen, "\"token\":\"aHVzaC1odXNo\""), "%s", seen);
	free(seen);
	cr_assert(drill_is_ours(&d, "7"));
	cr_assert(file_read(d.state.path, &state, &err) && !strstr(buf_str(&state), "hush") &&
		  !strstr(buf_str(&state), "aHVza"));
}

Test(steps, a_secret_of_others_is_not_written_over)
{
	const char *answers[] = {OK("{\"metadata\":{\"name\":\"mine\",\"namespace\":\"ns\",\"uid\":\"8\"}}")};
	char *seen = NULL;

	setenv("STEPS_TOKEN", "hush-hush", 1);
	options.secret_env.items[options.secret_env.count++] = "STEPS_TOKEN";
	cr_assert_not(step("secret", "{'name':'mine','from-env':{'token':'STEPS_TOKEN'}}", true, answers, 1, &seen));
	cr_assert_eq(err.code, ERR_EXISTS, "%s", err.msg);
	wrote_nothing(seen);
}

Test(steps, a_namespace_that_is_there_is_taken_as_it_is)
{
	const char *answers[] = {OK("{\"metadata\":{\"name\":\"other\",\"uid\":\"9\"}}")};
	char *seen = NULL;

	cr_assert_not(step("create-namespace", "{'name':'other'}", true, answers, 0, &seen));
	cr_assert(strstr(err.hint, "--allow-cluster-changes"), "%s", err.hint);
	wrote_nothing(seen);
	options.allow_cluster_changes = true;
	cr_assert(step("create-namespace", "{'name':'other'}", true, answers, 1, &seen), "%s", err.msg);
	wrote_nothing(seen);
	cr_assert_not(drill_is_ours(&d, "9"));
	cr_assert_not(step("create-namespace", "{'name':'other','labels':{'psmdb-drill/allow-disaster':'true'}}", false,
	    answers, 0, &seen));
	cr_assert(strstr(err.msg, "no step may set the label"), "%s", err.msg);
	wrote_nothing(seen);
}

Test(steps, labels_and_annotations_are_texts)
{
	CLEANUP(json) struct json *doc = NULL;

	cr_assert(json_format(&doc, &err, "{'a':'b','c':null,'d':true}"));
	cr_assert_not(part_texts(json_root(doc), "label", &err));
	cr_assert(strstr(err.msg, "label \"d\" is no text") && strstr(err.hint, "quotes"), "%s", err.msg);
	cr_assert(part_texts(NULL, "label", &err));
}

/* --- Kasten's actions: asked for once ------------------------------------------------------------------------------ */

#define ACTION OK("{\"metadata\":{\"name\":\"run-drill-1\",\"namespace\":\"kasten-io\",\"uid\":\"42\"}}")
#define EXISTS                                                                                                         \
	JSON("409 Conflict", "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"AlreadyExists\",\"code\":409,"  \
			     "\"details\":{\"name\":\"run-drill-1\"}}")

static struct action run_action(void)
{
	struct action a = {.namespace_ = "kasten-io",
	    .prefix = "run-drill",
	    .asked = "run-asked",
	    .made = "run-action",
	    .event = "backup.requested"};

	kind_kasten(&a.kind, "actions.kio.kasten.io", "runactions", "RunAction");
	return a;
}

static bool looks(const char *const *answers, size_t count, bool *ret_there)
{
	const struct action a = run_action();
	char *seen = NULL;
	bool ok;

	kube_fake_start(&f, answers, count);
	d.kube = f.kube;
	ok = action_look(&d, &a, ret_there, &err);
	d.kube = NULL;
	kube_fake_stop(&f, &seen);
	wrote_nothing(seen);
	return ok;
}

Test(steps, an_action_that_an_interrupted_attempt_has_sent_is_found_again)
{
	const char *gone[] = {MISSING}, *is_there[] = {ACTION};
	const struct action a = run_action();
	char name[64];
	bool there;

	cr_assert(looks(NULL, 0, &there) && !there, "%s", err.msg);
	snprintf(name, sizeof name, "%s", action_name(&d, &a, &err));
	cr_assert(!strncmp(name, "run-drill-", 10) && strlen(name) == 18, "%s", name);
	cr_assert_str_eq(action_name(&d, &a, &err), name, "it has one name");
	cr_assert_null(drill_found(&d, "run-action"));
	cr_assert(looks(gone, 1, &there) && !there && !drill_found(&d, "run-action"), "%s", err.msg);
	cr_assert(looks(is_there, 1, &there) && there, "%s", err.msg);
	cr_assert_str_eq(drill_found(&d, "run-action"), "run-drill-1");
	cr_assert(drill_is_ours(&d, "42"));
}

Test(steps, an_action_whose_answer_was_lost_is_this_runs)
{
	const char *answers[] = {EXISTS, ACTION};
	const struct action a = run_action();
	CLEANUP(json) struct json *object = NULL;
	char *seen = NULL;
	bool ok;

	cr_assert(json_format(&object, &err, "{'metadata':{'name':'run-drill-1'}}"));
	kube_fake_start(&f, answers, COUNT(answers));
	d.kube = f.kube;
	ok = action_send(&d, &a, json_root(object), &err);
	d.kube = NULL;
	kube_fake_stop(&f, &seen);
	cr_assert(ok && drill_is_ours(&d, "42"), "%s", err.msg);
	cr_assert_str_eq(drill_found(&d, "run-action"), "run-drill-1");
	cr_assert(strstr(seen, "POST ") && strstr(seen, "/runactions/run-drill-1"), "%s", seen);
	free(seen);
}

/* --- the restore --------------------------------------------------------------------------------------------------- */

#define RESTORED(spec)                                                                                                 \
	OK("{\"kind\":\"List\",\"metadata\":{},\"items\":[{\"kind\":\"PerconaServerMongoDBRestore\",\"metadata\":{"    \
	   "\"name\":\"r\",\"namespace\":\"ns\"},\"spec\":{\"clusterName\":\"main\"," spec                             \
	   "},\"status\":{\"state\":\"ready\",\"pbmName\":\"p\"}}]}")

/* What the timeline says was restored. */
static void restore_says(const char *restores, const char *action, const char *expected)
{
	const char *answers[] = {action, READY, restores};
	BUF_CLEANUP struct buf text = BUF_INIT(1 << 20);
	char *seen = NULL;

	cr_assert(drill_set_value(&d, "restore-action", "a", &err) && drill_set_value(&d, "backup", "mine", &err) &&
		  drill_set_value(&d, "pbm-backup", "2026-11-28T08:00:00Z", &err));
	cr_assert(step("restore", "{}", true, answers, COUNT(answers), &seen), "%s", err.msg);
	wrote_nothing(seen);
	cr_assert(file_read(drill_path(&d, RUN_TIMELINE), &text, &err));
	cr_assert(strstr(buf_str(&text), expected), "%s", buf_str(&text));
}

Test(steps, a_restore_is_known_by_what_it_says_itself)
{
	restore_says(RESTORED("\"backupName\":\"mine\""), COMPLETE,
	    "\"restore.finished\",\"data\":{\"backup\":\"2026-11-28T08:00:00Z\"");
}

Test(steps, a_restore_of_another_backup_is_told)
{
	restore_says(
	    RESTORED("\"backupName\":\"another\""), COMPLETE, "\"restore.finished\",\"data\":{\"backup\":\"another\"");
}

Test(steps, a_restore_of_another_place_is_told)
{
	restore_says(
	    RESTORED("\"backupSource\":{\"destination\":\"s3://b/p/2020-01-01T00:00:00Z\",\"s3\":{\"bucket\":\"b\"}}"),
	    COMPLETE, "\"restore.finished\",\"data\":{\"backup\":\"2020-01-01T00:00:00Z\"");
}

Test(steps, a_good_restore_that_kasten_calls_failed_is_noted)
{
	restore_says(
	    RESTORED("\"backupName\":\"mine\""), FAILED_ACTION, "RestoreAction a has ended with Failed: gave up");
}

/* --- the disaster -------------------------------------------------------------------------------------------------- */

Test(steps, a_parameter_never_passes_for_what_was_done)
{
	const char *answers[] = {NONE};
	char *seen = NULL;

	json_free(d.parameters);
	cr_assert(json_format(&d.parameters, &err,
	    "{'cluster':'main','volumes-gone':'yes','outage':'yes','bound-b1':'1:1','backup':'b'}"));
	cr_assert_not(step("disaster", "{}", true, answers, COUNT(answers), &seen));
	cr_assert(strstr(err.msg, "refused: no backup was pinned in this run"), "%s", err.msg);
	wrote_nothing(seen);
}

Test(steps, what_is_deleted_is_what_was_looked_at)
{
	const char *answers[] = {OK("{\"kind\":\"Status\",\"status\":\"Success\"}")};
	CLEANUP(json) struct json *object = NULL, *leaving = NULL;
	struct kube_kind kind;
	char *seen = NULL;

	kind_volumes(&kind);
	cr_assert(
	    json_format(&object, &err, "{'metadata':{'name':'data','namespace':'ns','uid':'1'}}") &&
	    json_format(&leaving, &err,
		"{'metadata':{'name':'going','namespace':'ns','uid':'2','deletionTimestamp':'2026-11-28T08:00:00Z'}}"));
	kube_fake_start(&f, answers, COUNT(answers));
	d.kube = f.kube;
	cr_expect(part_delete(&d, &kind, json_root(leaving), &err), "%s", err.msg);
	cr_expect(part_delete(&d, &kind, json_root(object), &err), "%s", err.msg);
	d.kube = NULL;
	kube_fake_stop(&f, &seen);
	cr_assert(
	    strstr(seen, "DELETE ") && strstr(seen, "\"preconditions\":{\"uid\":\"1\"}") && !strstr(seen, "going"),
	    "%s", seen);
	free(seen);
}

/* --- looking again and again --------------------------------------------------------------------------------------- */

static int64_t paced_ns, last_pause_ms;

static int64_t paced_mono(void *ctx)
{
	(void)ctx;
	return paced_ns;
}

static bool paced_sleep(void *ctx, int64_t deadline_ns, const volatile int *stop)
{
	(void)ctx;
	last_pause_ms = (deadline_ns - paced_ns) / 1000000;
	paced_ns = deadline_ns;
	return !stop || !*stop;
}

Test(steps, looks_are_close_together_after_a_change_and_then_rarer)
{
	static const int64_t pauses_ms[] = {25, 50, 100, 200, 250, 250};
	const struct clock *real = d.clock;
	struct clock paced = *real;
	struct part_pace pace = {0};

	paced.mono_ns = paced_mono;
	paced.sleep_until = paced_sleep;
	d.clock = &paced;
	for (int round = 0; round < 2; round++) {
		const char *state = round ? "ready" : "initializing";

		cr_assert(drill_saw(&d, "psmdb main", state, &err), "%s", err.msg);
		for (size_t i = 0; i < COUNT(pauses_ms); i++) {
			cr_assert(part_pause_pace(&d, &pace, 250, &err));
			cr_expect_eq(last_pause_ms, pauses_ms[i], "%lld", (long long)last_pause_ms);
			cr_assert(drill_saw(&d, "psmdb main", state, &err), "no change");
		}
	}
	d.clock = real;
}

/* --- what overwrites data ------------------------------------------------------------------------------------------ */

#define ACTIONS                                                                                                        \
	OK("{\"kind\":\"APIResourceList\",\"groupVersion\":\"actions.kio.kasten.io/"                                   \
	   "v1alpha1\",\"resources\":[{\"name\":"                                                                      \
	   "\"restoreactions\",\"kind\":\"RestoreAction\",\"namespaced\":true,\"verbs\":[\"get\",\"create\"]}]}")
#define OPEN_NS                                                                                                        \
	OK("{\"metadata\":{\"name\":\"ns\",\"uid\":\"1\",\"labels\":{\"psmdb-drill/allow-disaster\":\"true\"}}}")

static void restore_into(const char *ns, const char *target)
{
	const char *answers[] = {ACTIONS, MISSING, OPEN_NS};
	char text[600], path[PATH_MAX], *seen = NULL;

	snprintf(text, sizeof text,
	    "apiVersion: actions.kio.kasten.io/v1alpha1\nkind: RestoreAction\nmetadata: {name: r, namespace: %s}\n"
	    "spec: {targetNamespace: %s}\n",
	    ns, target);
	snprintf(path, sizeof path, "%s/restore.yaml", dir);
	strcpy(d.folder, dir);
	options.allow_cluster_changes = true;
	options.confirm_destroy = "ns";
	cr_assert(file_write_atomic(path, text, strlen(text), 0600, &err), "%s", err.msg);
	cr_assert_not(step("apply", "{'file':'restore.yaml'}", false, answers, COUNT(answers), &seen));
	cr_assert(strstr(err.msg, "refused: namespace \"other\" is not confirmed"), "%s", err.msg);
	wrote_nothing(seen);
}

Test(steps, a_restore_needs_the_locks_of_its_own_namespace)
{
	restore_into("other", "other");
}

Test(steps, a_restore_needs_the_locks_of_its_target)
{
	restore_into("ns", "other");
}
