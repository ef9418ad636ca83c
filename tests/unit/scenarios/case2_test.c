/* Steps of Case 2: a namespace that is lost, another cluster, an import, a restore by hand. */
#include "steps_fixture.h"

TestSuite(case2, .init = set_up, .fini = tear_down);

/* --- Case 2: what is not this run's stays ---------------------------------------------------------------------------- */

#define OF_UID(u) OK("{\"metadata\":{\"name\":\"main\",\"namespace\":\"ns\",\"uid\":\"" u "\"},\"spec\":{}}")

Test(case2, a_psmdb_that_is_there_is_not_taken_for_restored)
{
	const char *answers[] = {OF_UID("7")};
	char *seen = NULL;

	cr_assert(drill_set_value(&d, "restore-point", "rp", &err));
	cr_assert_not(step("restore-cluster", "{}", true, answers, COUNT(answers), &seen));
	cr_assert(strstr(err.msg, "refused: ") && strstr(err.msg, "is there already"), "%s", err.msg);
	wrote_nothing(seen);
}

Test(case2, a_secret_that_is_there_is_not_taken_for_restored)
{
	const char *answers[] = {MISSING, OF_UID("7")};
	char *seen = NULL;

	cr_assert(drill_set_value(&d, "restore-point", "rp", &err));
	cr_assert_not(step("restore-secrets", "{'names':['a','main']}", true, answers, COUNT(answers), &seen));
	cr_assert(strstr(err.msg, "refused: Secret \"ns/main\" is there already"), "%s", err.msg);
	wrote_nothing(seen);
}

Test(case2, data_go_into_the_psmdb_of_this_run_and_no_other)
{
	const char *answers[] = {OK("{\"kind\":\"PerconaServerMongoDB\",\"metadata\":{\"name\":\"main\",\"namespace\":"
				    "\"ns\",\"uid\":\"8\"},\"spec\":{\"replsets\":[{\"name\":\"rs0\",\"size\":3}]}}")};
	char *seen = NULL;

	cr_assert(drill_set_value(&d, "restored-uid", "7", &err));
	cr_assert_not(step("restore-data", "{}", true, answers, COUNT(answers), &seen));
	cr_assert(strstr(err.msg, "is not the one that this run has restored"), "%s", err.msg);
	wrote_nothing(seen);
}

Test(case2, a_namespace_that_was_made_again_is_not_deleted)
{
	const char *answers[] = {OF_UID("2")};
	char *seen = NULL;

	cr_assert(drill_set_value(&d, "namespace-uid", "1", &err) && drill_set_value(&d, "outage", "yes", &err));
	cr_assert_not(step("lose-namespace", "{}", true, answers, COUNT(answers), &seen));
	cr_assert(strstr(err.msg, "is not the one that this run began with"), "%s", err.msg);
	wrote_nothing(seen);
}

Test(case2, a_namespace_is_made_again_only_by_who_has_deleted_it)
{
	char *seen = NULL;

	cr_assert(drill_set_value(&d, "namespace-like", "{}", &err));
	cr_assert_not(step("recreate-namespace", "{}", true, NULL, 0, &seen));
	cr_assert(strstr(err.msg, "refused: this run has not deleted namespace"), "%s", err.msg);
	wrote_nothing(seen);
}

#define BACKUP(version, finalizers)                                                                                    \
	"{\"metadata\":{\"name\":\"b\",\"namespace\":\"ns\",\"uid\":\"5\",\"resourceVersion\":\"" version              \
	"\",\"finalizers\":[" finalizers "]}}"
#define STALE                                                                                                          \
	JSON("409 Conflict", "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"Conflict\",\"code\":409,"       \
			     "\"details\":{\"name\":\"b\"}}")

Test(case2, a_backup_is_released_of_that_finalizer_alone_whoever_writes_to_it_meanwhile)
{
	const char *answers[] = {
	    OK("{\"kind\":\"List\",\"metadata\":{},\"items\":[" BACKUP("1", "\"delete-backup\"") "]}"),
	    OK(BACKUP("1", "\"delete-backup\",\"other/one\"")), STALE,
	    OK(BACKUP("2", "\"percona.com/delete-backup\",\"other/one\"")), OK(BACKUP("3", "\"other/one\""))};
	char *seen = NULL;

	cr_assert(step("release-backups", "{}", true, answers, COUNT(answers), &seen), "%s", err.msg);
	cr_assert(
	    strstr(seen, "{\"metadata\":{\"resourceVersion\":\"2\",\"finalizers\":[\"other/one\"]}}"), "%s", seen);
	free(seen);
}

/* --- the disaster, taken up again ------------------------------------------------------------------------------------ */

#define NAMESPACE_OF(uid, labels) OK("{\"metadata\":{\"name\":\"ns\",\"uid\":\"" uid "\"" labels "}}")
#define OPEN ",\"labels\":{\"psmdb-drill/allow-disaster\":\"true\"}"
#define LIST_OF(items) OK("{\"kind\":\"List\",\"metadata\":{},\"items\":[" items "]}")
#define DONE OK("{\"kind\":\"Status\",\"status\":\"Success\"}")

/* lose-namespace of a run that was stopped when every psmdb was gone. */
static bool goes_on(const char *const *answers, size_t count, char **ret_seen)
{
	static const char *const values[] = {"outage", "disaster"};

	options.confirm_destroy = "ns";
	cr_assert(drill_set_value(&d, "namespace-uid", "1", &err) && drill_set_value(&d, "claims", " ", &err) &&
		  drill_set_value(&d, "volumes", " ", &err) && drill_set_value(&d, "namespace-like", "{}", &err));
	for (size_t i = 0; i < COUNT(values); i++)
		cr_assert(drill_set_value(&d, values[i], "yes", &err));
	return step("lose-namespace", "{}", true, answers, count, ret_seen);
}

static void is_refused(const char *const *answers, size_t count, const char *words)
{
	char *seen = NULL;

	cr_assert_not(goes_on(answers, count, &seen));
	cr_assert(strstr(err.msg, words), "%s", err.msg);
	cr_assert_null(drill_found(&d, "lost-namespace"));
	wrote_nothing(seen);
}

Test(case2, the_namespace_that_is_deleted_is_the_one_that_was_kept)
{
	/* again; then its lock, PVCs' clusters and PVCs, backups, clusters and pods; then it is gone, and no volume is left */
	const char *answers[] = {NAMESPACE_OF("1", OPEN), NAMESPACE_OF("1", OPEN), NAMESPACE_OF("1", OPEN), NONE, NONE,
	    NONE, NONE, NONE, DONE, MISSING, NONE};
	char *seen = NULL;

	cr_assert(goes_on(answers, COUNT(answers), &seen), "%s", err.msg);
	cr_assert(strstr(seen, "DELETE /api/v1/namespaces/ns ") && strstr(seen, "\"preconditions\":{\"uid\":\"1\"}"),
	    "%s", seen);
	cr_assert_str_eq(drill_found(&d, "lost-namespace"), "1");
	free(seen);
}

Test(case2, a_namespace_of_somebody_else_is_left)
{
	const char *answers[] = {NAMESPACE_OF("1", OPEN), NAMESPACE_OF("2", OPEN), NAMESPACE_OF("2", OPEN), NONE};
	char *seen = NULL;

	cr_assert(goes_on(answers, COUNT(answers), &seen), "%s", err.msg);
	cr_assert_null(drill_found(&d, "lost-namespace"), "so it is not made again");
	wrote_nothing(seen);
}

Test(case2, a_label_that_was_taken_away_meanwhile_saves_the_namespace)
{
	const char *answers[] = {NAMESPACE_OF("1", OPEN), NAMESPACE_OF("1", OPEN), NAMESPACE_OF("1", "")};

	is_refused(answers, COUNT(answers), "has no label");
}

Test(case2, a_claim_that_was_made_meanwhile_saves_the_namespace)
{
	const char *answers[] = {
	    NAMESPACE_OF("1", OPEN), NAMESPACE_OF("1", OPEN), NAMESPACE_OF("1", OPEN), NONE, CLAIMS};

	is_refused(answers, COUNT(answers), "\"theirs\"");
}

Test(case2, a_backup_that_was_made_meanwhile_saves_the_namespace)
{
	const char *answers[] = {NAMESPACE_OF("1", OPEN), NAMESPACE_OF("1", OPEN), NAMESPACE_OF("1", OPEN), NONE, NONE,
	    LIST_OF("{\"kind\":\"PerconaServerMongoDBBackup\",\"metadata\":{\"name\":\"late\",\"namespace\":\"ns\","
		    "\"finalizers\":["
		    "\"delete-backup\"]},\"spec\":{\"clusterName\":\"main\"},\"status\":{\"state\":\"ready\"}}")};

	is_refused(answers, COUNT(answers), "erases the backup in the bucket");
	cr_assert(strstr(err.hint, "release-backups"), "%s", err.hint);
}

Test(case2, a_psmdb_that_was_made_meanwhile_saves_the_namespace)
{
	const char *answers[] = {NAMESPACE_OF("1", OPEN), NAMESPACE_OF("1", OPEN), NAMESPACE_OF("1", OPEN), NONE, NONE,
	    NONE, CLUSTERS, NONE};

	is_refused(answers, COUNT(answers), "a psmdb has been made");
}

Test(case2, the_disaster_takes_no_claim_of_others_without_a_yes)
{
	const char *answers[] = {CLUSTERS, CLAIMS};
	char *seen = NULL;

	cr_assert_not(step("disaster", "{}", false, answers, COUNT(answers), &seen));
	cr_assert(strstr(err.msg, "\"theirs\"") && strstr(err.hint, "--confirm-pvc theirs"), "%s", err.msg);
	wrote_nothing(seen);
}

/* --- leaving a cluster ----------------------------------------------------------------------------------------------- */

static bool leaves(
    const char *const *there, size_t there_count, const char *const *here, size_t here_count, bool run, char **ret_here)
{
	struct kube_fake other;
	char *seen = NULL;
	bool ok;

	kube_fake_start(&other, there, there_count);
	d.elsewhere = other.kube;
	ok = step("leave-cluster", "{}", run, here, here_count, ret_here);
	d.elsewhere = NULL;
	kube_fake_stop(&other, &seen);
	wrote_nothing(seen);
	return ok;
}

Test(case2, a_database_in_the_other_cluster_is_not_overwritten)
{
	const char *clusters[] = {CLUSTERS},
		   *claims[] = {NONE, LIST_OF("{\"metadata\":{\"name\":\"mongod-data-main-rs0-0\"}}")};
	char *here = NULL;

	cr_assert_not(leaves(clusters, COUNT(clusters), NULL, 0, false, &here));
	cr_assert(strstr(err.msg, "has psmdb \"c\""), "%s", err.msg);
	wrote_nothing(here);
	cr_assert_not(leaves(claims, COUNT(claims), NULL, 0, false, &here));
	cr_assert(strstr(err.msg, "has PVC \"mongod-data-main-rs0-0\""), "%s", err.msg);
	wrote_nothing(here);
}

Test(case2, the_ticker_of_another_drill_is_left)
{
	const char *nothing[] = {NONE, NONE};
	const char *here_answers[] = {OK("{\"metadata\":{\"name\":\"t\",\"namespace\":\"ns\",\"uid\":\"others\"}}"),
	    OK("{\"metadata\":{\"name\":\"t\",\"namespace\":\"ns\",\"uid\":\"others\"}}")};
	char *here = NULL;

	cr_assert(drill_set_value(&d, "outage", "yes", &err) && drill_set_value(&d, "ticker", "t", &err));
	cr_assert(leaves(nothing, COUNT(nothing), here_answers, COUNT(here_answers), true, &here), "%s", err.msg);
	wrote_nothing(here);
}

/* --- made again -------------------------------------------------------------------------------------------------------- */

static bool recreates(const char *made_by, char **ret_seen)
{
	char answer[400];
	const char *answers[] = {answer};

	snprintf(answer, sizeof answer,
	    OK("{\"metadata\":{\"name\":\"ns\",\"uid\":\"6\",\"annotations\":{\"psmdb-drill/made-by\":\"%s\"}}}"),
	    made_by);
	cr_assert(drill_set_value(&d, "namespace-like", "{}", &err) &&
		  drill_set_value(&d, "lost-namespace", "1", &err) && drill_set_value(&d, "namespace-mark", "m", &err));
	return step("recreate-namespace", "{}", true, answers, 1, ret_seen);
}

Test(case2, a_namespace_that_somebody_has_made_is_not_taken_over)
{
	char *seen = NULL;

	cr_assert_not(recreates("other", &seen));
	cr_assert_eq(err.code, ERR_EXISTS, "%s", err.msg);
	cr_assert_not(drill_is_ours(&d, "6"));
	wrote_nothing(seen);
}

Test(case2, a_namespace_that_a_killed_attempt_has_made_is_known_again)
{
	char *seen = NULL;

	cr_assert(recreates("m", &seen), "%s", err.msg);
	cr_assert(drill_is_ours(&d, "6"));
	wrote_nothing(seen);
}

/* --- restored, or not ---------------------------------------------------------------------------------------------------- */

Test(case2, a_secret_that_did_not_come_is_named)
{
	const char *answers[] = {COMPLETE, MISSING};
	char *seen = NULL;

	cr_assert(drill_set_value(&d, "restore-point", "rp", &err) && drill_set_value(&d, "secrets-action", "a", &err));
	cr_assert_not(step("restore-secrets", "{'names':['s']}", true, answers, COUNT(answers), &seen));
	cr_assert(strstr(err.msg, "is Complete, but Secret \"ns/s\" is not there"), "%s", err.msg);
	wrote_nothing(seen);
}

Test(case2, an_action_that_has_failed_is_told_and_asked_for_anew_next_time)
{
	const char *answers[] = {FAILED_ACTION};
	char *seen = NULL;

	cr_assert(drill_set_value(&d, "restore-point", "rp", &err) && drill_set_value(&d, "secrets-asked", "a", &err) &&
		  drill_set_value(&d, "secrets-action", "a", &err));
	cr_assert_not(step("restore-secrets", "{'names':['s']}", true, answers, COUNT(answers), &seen));
	cr_assert(strstr(err.msg, "has ended with Failed: gave up"), "%s", err.msg);
	cr_assert(!drill_found(&d, "secrets-asked") && !drill_found(&d, "secrets-action"));
	wrote_nothing(seen);
}

#define RESTORE_OF(name, state)                                                                                        \
	"{\"kind\":\"PerconaServerMongoDBRestore\",\"metadata\":{\"name\":\"" name                                     \
	"\",\"namespace\":\"ns\"},\"spec\":{"                                                                          \
	"\"clusterName\":\"main\",\"backupSource\":{\"destination\":\"s3://b/p/"                                       \
	"2020-01-01T00:00:00Z\",\"s3\":{\"bucket\":\"b\"}}}"                                                           \
	",\"status\":{\"state\":\"" state "\",\"pbmName\":\"p\",\"error\":\"\"}}"

static void timeline_has(const char *words)
{
	BUF_CLEANUP struct buf text = BUF_INIT(1 << 20);

	cr_assert(file_read(drill_path(&d, RUN_TIMELINE), &text, &err));
	cr_assert(strstr(buf_str(&text), words), "%s in %s", words, buf_str(&text));
}

Test(case2, a_restore_by_hand_is_watched_by_its_own_name_and_proves_no_identity)
{
	const char *answers[] = {READY, LIST_OF(RESTORE_OF("zzz", "error") "," RESTORE_OF("mine", "ready"))};
	char *seen = NULL;

	cr_assert(drill_set_value(&d, "restore-object", "mine", &err));
	cr_assert(step("restore-data", "{}", true, answers, COUNT(answers), &seen), "%s", err.msg);
	timeline_has(
	    "\"restore.finished\",\"data\":{\"backup\":\"\",\"state\":\"done\",\"reported_by\":\"psmdb-restore mine\"");
	wrote_nothing(seen);
}

Test(case2, a_restore_of_an_earlier_time_does_not_count_and_one_that_has_failed_is_kept_for_the_judge)
{
	const char *answers[] = {
	    COMPLETE, READY, LIST_OF(RESTORE_OF("zzz-old", "ready") "," RESTORE_OF("new", "error"))};
	char *seen = NULL;

	cr_assert(drill_set_value(&d, "restore-action", "a", &err) &&
		  drill_set_value(&d, "restores-before", " zzz-old ", &err));
	cr_assert(step("restore", "{}", true, answers, COUNT(answers), &seen), "%s", err.msg);
	timeline_has("\"state\":\"error\",\"reported_by\":\"psmdb-restore new\"");
	cr_assert_str_eq(drill_found(&d, "restore-failed"), "yes");
	wrote_nothing(seen);
}

/* --- the import ------------------------------------------------------------------------------------------------------- */

#define POLICY                                                                                                         \
	OK("{\"metadata\":{\"name\":\"p\"},\"spec\":{\"actions\":[{\"action\":\"export\",\"exportParameters\":{"       \
	   "\"profile\":{"                                                                                             \
	   "\"name\":\"s3\"},\"receiveString\":\"hush-hush\"}}]}}")

static bool keeps(const char *labels, char **ret_seen)
{
	char point[400];
	const char *answers[] = {POLICY, point};

	snprintf(
	    point, sizeof point, OK("{\"metadata\":{\"name\":\"rp\",\"namespace\":\"ns\",\"labels\":{%s}}}"), labels);
	cr_assert(drill_set_value(&d, "restore-point", "rp", &err));
	return step("keep-import", "{'policy':'p'}", true, answers, COUNT(answers), ret_seen);
}

Test(case2, a_restore_point_that_was_not_exported_is_refused)
{
	char *seen = NULL;

	cr_assert_not(keeps("", &seen));
	cr_assert(strstr(err.msg, "is a local one, and was not exported"), "%s", err.msg);
	cr_assert_not(file_exists(drill_path(&d, RUN_RECEIVE_STRING)));
	wrote_nothing(seen);
}

Test(case2, the_receive_string_is_for_its_owner_alone_and_not_in_the_state)
{
	BUF_CLEANUP struct buf state = BUF_INIT(1 << 20);
	char *seen = NULL;
	struct stat st;

	cr_assert(keeps("\"k10.kasten.io/exportProfile\":\"s3\"", &seen), "%s", err.msg);
	cr_assert(!stat(drill_path(&d, RUN_RECEIVE_STRING), &st) && (st.st_mode & 0777) == 0600 && st.st_size == 9);
	cr_assert(file_read(d.state.path, &state, &err) && !strstr(buf_str(&state), "hush"));
	wrote_nothing(seen);
}

#define CONTENT(name, app, more)                                                                                       \
	"{\"metadata\":{\"name\":\"" name "\",\"uid\":\"u-" name                                                       \
	"\",\"labels\":{\"k10.kasten.io/appNamespace\":\"" app "\"" more                                               \
	"}},\"status\":{\"actionTime\":\"2026-11-28T08:00:00Z\"}}"

#define VALID                                                                                                          \
	OK("{\"kind\":\"List\",\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[{\"metadata\":{\"name\":\"i\"},"    \
	   "\"status\":{"                                                                                              \
	   "\"validation\":\"Success\"}}]}")

/* The content that the restore point of this namespace is bound to. */
static void binds(const char *contents, const char *before, const char *expected)
{
	const char *answers[] = {VALID, COMPLETE, contents,
	    JSON("201 Created", "{\"metadata\":{\"name\":\"from-import\",\"namespace\":\"ns\",\"uid\":\"77\"}}")};
	char words[200], *seen = NULL;

	cr_assert(drill_set_value(&d, "import-policy", "i", &err) && drill_set_value(&d, "import-action", "a", &err) &&
		  drill_set_value(&d, "contents-before", before, &err) &&
		  drill_set_value(&d, "restore-point-time", "2026-11-28T08:00:00Z", &err));
	cr_assert(step("import-point", "{}", true, answers, COUNT(answers), &seen), "%s\n%s", err.msg, seen);
	snprintf(words, sizeof words, "\"restorePointContentRef\":{\"name\":\"%s\"}", expected);
	cr_assert(strstr(seen, words), "%s", seen);
	free(seen);
}

Test(case2, the_content_of_another_application_is_not_taken)
{
	binds(LIST_OF(CONTENT("b", "other", "") "," CONTENT("a", "ns", "")), " ", "a");
}

Test(case2, what_was_imported_comes_before_what_was_there)
{
	binds(LIST_OF(CONTENT("old", "ns", ",\"k10.kasten.io/exportProfile\":\"s3\"") "," CONTENT("new", "ns", "")),
	    " old ", "new");
	cr_assert(drill_is_ours(&d, "u-new"), "a clean-up names it");
}

Test(case2, what_was_exported_serves_if_the_import_has_made_nothing)
{
	binds(LIST_OF(CONTENT("old", "ns", ",\"k10.kasten.io/exportProfile\":\"s3\"")), " old ", "old");
	cr_assert_not(drill_is_ours(&d, "u-old"));
}

/* --- two clocks ---------------------------------------------------------------------------------------------------------- */

#define DATED(date)                                                                                                    \
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: " date                                             \
	"\r\nConnection: close\r\n\r\n{\"major\":\"1\"}"

Test(case2, both_clusters_clocks_are_compared_with_the_drills)
{
	const char *here[9], *there[9];
	struct kube_fake other;
	bool ok;

	for (size_t i = 0; i < COUNT(here); i++) {
		here[i] = DATED("Sat, 28 Nov 2026 12:00:00 GMT"); /* the fake's own second */
		there[i] = DATED("Sat, 28 Nov 2026 12:05:05 GMT");
	}
	kube_fake_start(&f, here, COUNT(here));
	kube_fake_start(&other, there, COUNT(there));
	d.kube = f.kube;
	d.elsewhere = other.kube;
	/* the second time nobody is asked */
	ok = part_note_clocks(&d, &err) && part_note_clocks(&d, &err);
	d.kube = d.elsewhere = NULL;
	kube_fake_stop(&f, NULL);
	kube_fake_stop(&other, NULL);
	cr_assert(ok, "%s", err.msg);
	timeline_has("\"name\":\"clock\",\"data\":{\"offset_ms\":\"");
	timeline_has("\"name\":\"clock.target\",\"data\":{\"offset_ms\":\"30");
	cr_assert(d.compared_ms > 0, "the second time there was nobody to answer");
}

Test(case2, a_clock_that_cannot_be_asked_for_stops_nothing)
{
	const char *answers[] = {JSON("403 Forbidden", "{\"kind\":\"Status\",\"status\":\"Failure\",\"code\":403}")};
	bool ok;

	kube_fake_start(&f, answers, COUNT(answers));
	d.kube = f.kube;
	ok = part_note_clocks(&d, &err);
	d.kube = NULL;
	kube_fake_stop(&f, NULL);
	cr_assert(ok, "%s", err.msg);
	cr_assert_eq(d.compared_ms, 0, "who comes next asks again");
}

/* --- a restore whose agents are gone ------------------------------------------------------------------------------------- */

#define RUNNING_SINCE(time, state)                                                                                     \
	LIST_OF("{\"kind\":\"PerconaServerMongoDBRestore\",\"metadata\":{\"name\":\"mine\",\"namespace\":\"ns\","      \
		"\"uid\":\"77\",\"creationTimestamp\":\"" time "\"},\"spec\":{\"clusterName\":\"main\"},"              \
		"\"status\":{\"state\":\"" state "\"}}")
#define AGENT(pod, time)                                                                                               \
	"{\"metadata\":{\"name\":\"" pod "\",\"labels\":{\"app.kubernetes.io/name\":\"percona-server-mongodb\","       \
	"\"app.kubernetes.io/instance\":\"main\",\"app.kubernetes.io/component\":\"mongod\"}},\"status\":{"            \
	"\"containerStatuses\":[{\"name\":\"backup-agent\",\"state\":{\"running\":{\"startedAt\":\"" time "\"}}}]}}"

static void asked_for_restore(void)
{
	CLEANUP(json) struct json *object = NULL;
	struct kube_kind kind;

	kind_restores(&kind);
	cr_assert(json_format(&object, &err, "{'metadata':{'name':'mine','namespace':'ns','uid':'77'}}") &&
		  drill_created(&d, &kind, json_root(object), &err) &&
		  drill_set_value(&d, "data-asked", "mine", &err) &&
		  drill_set_value(&d, "restore-object", "mine", &err));
}

Test(case2, a_restore_that_nobody_works_on_any_more_is_told_and_asked_for_anew)
{
	const char *answers[] = {READY, RUNNING_SINCE("2026-11-28T08:00:00Z", "running"),
	    LIST_OF(AGENT("main-rs0-0", "2026-11-28T08:01:00Z") "," AGENT("main-rs0-1", "2026-11-28T08:01:02Z")), DONE};
	char *seen = NULL;

	asked_for_restore();
	cr_assert_not(step("restore-data", "{}", true, answers, COUNT(answers), &seen));
	cr_assert(strstr(err.msg, "nobody works on it"), "%s", err.msg);
	cr_assert_str_eq(d.failure_code, "AGENTS_LOST");
	cr_assert(strstr(seen, "DELETE ") && strstr(seen, "\"preconditions\":{\"uid\":\"77\"}"), "%s", seen);
	cr_assert(!drill_found(&d, "data-asked") && !drill_found(&d, "restore-object"));
	free(seen);
}

Test(case2, one_with_an_agent_of_its_time_is_waited_for)
{
	const char *answers[] = {READY, RUNNING_SINCE("2026-11-28T08:00:00Z", "running"),
	    LIST_OF(AGENT("main-rs0-0", "2026-11-28T07:00:00Z") "," AGENT("main-rs0-1", "2026-11-28T08:01:02Z")), READY,
	    RUNNING_SINCE("2026-11-28T08:00:00Z", "ready")};
	char *seen = NULL;

	asked_for_restore();
	cr_assert(step("restore-data", "{}", true, answers, COUNT(answers), &seen), "%s", err.msg);
	wrote_nothing(seen);
}
