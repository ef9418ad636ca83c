/* The executor on an API server made of a tree, with the project's own blueprint. */
#include "sandbox/kasten/executor.h"
#include "tests/unit/sandbox_kasten/support.h"

#define NOW INT64_C(1680508000000)
#define BACKUP "backup-2023-04-03t07-46-05z07-00"
#define RESTORE "restore-2023-04-03t07-46-05z07-00"

struct fake {
	struct json *objects; /* {"resource/name": object} with ~1 for the slash */
	struct json *run;
	struct json *saved; /* the run as it was when it was last saved */
	int creates, removes, saves;
	bool away;
	int dies_at;	  /* the save at which the process is killed; 0: never */
	bool dies_before; /* before it has saved, not behind it */
};

static void place(char path[static 300], const char *resource, const char *name)
{
	snprintf(path, 300, "%s~1%s", resource, name);
}

static bool fake_get(void *ctx, const struct object_ref *ref, struct json **ret, struct err *err)
{
	struct fake *f = ctx;
	char path[300];

	if (f->away)
		return err_set(err, ERR_NET, "connection refused");
	place(path, ref->resource, ref->name);
	if (strcmp(ref->version, "v1") != 0 || !json_at(json_root(f->objects), path))
		return err_set(err, ERR_NOT_FOUND, "%s.%s \"%s\" not found", ref->resource, ref->group, ref->name);
	return json_clone(json_at(json_root(f->objects), path), ret, err);
}

static const char *plural(const json_node *object)
{
	return json_is_at(object, "kind", "PerconaServerMongoDBBackup") ? "perconaservermongodbbackups"
									: "perconaservermongodbrestores";
}

static bool fake_create(void *ctx, const char *namespace_, const json_node *object, struct err *err)
{
	struct fake *f = ctx;
	char path[300];

	cr_expect_str_eq(namespace_, "mongo-ns");
	if (f->away)
		return err_set(err, ERR_NET, "connection refused");
	place(path, plural(object), json_text_at(object, "metadata/name"));
	if (json_at(json_root(f->objects), path))
		return err_set(err, ERR_EXISTS, "already exists");
	f->creates++;
	return json_set_copy(json_edit(f->objects), path, object, err);
}

static bool fake_remove(void *ctx, const struct object_ref *ref, struct err *err)
{
	struct fake *f = ctx;
	char path[300];

	(void)err;
	f->removes++;
	place(path, ref->resource, ref->name);
	return json_set_text(json_edit(f->objects), strcat(path, "/metadata/deletionTimestamp"), "now", err);
}

static bool fake_refer(void *ctx, const json_node *object, struct json **ret, struct err *err)
{
	struct fake *f = ctx;

	if (f->away)
		return err_set(err, ERR_NET, "connection refused");
	return json_format(ret, err, "{'apiVersion':'v1','group':'psmdb.percona.com','resource':%s}", plural(object));
}

static bool fake_save(void *ctx, struct err *err)
{
	struct fake *f = ctx;

	f->saves++;
	if (f->saves == f->dies_at && f->dies_before)
		return err_set(err, ERR_INTERRUPTED, "killed");
	json_free(f->saved);
	f->saved = NULL;
	cr_assert(json_clone(json_root(f->run), &f->saved, err));
	return f->saves != f->dies_at || err_set(err, ERR_INTERRUPTED, "killed");
}

static struct fake *fake_new(const char *objects)
{
	struct fake *f = calloc(1, sizeof *f);

	f->objects = tree(objects);
	return f;
}

static void fake_free(struct fake *f)
{
	json_free(f->objects);
	json_free(f->run);
	json_free(f->saved);
	free(f);
}
CLEANUP_PTR(fake, struct fake, fake_free)

#define READY_CLUSTER                                                                                                  \
	"'perconaservermongodbs/my-cluster-name':{'metadata':{'name':'my-cluster-name','namespace':'mongo-ns'},"       \
	"'status':{'state':'ready'}}"

static void start_with(struct fake *f, const struct json *blueprint, const char *action, const char *artifacts)
{
	CLEANUP(json) struct json *object = tree("{'metadata':{'name':'my-cluster-name','namespace':'mongo-ns'}}");
	CLEANUP(json) struct json *in = artifacts ? tree(artifacts) : NULL;
	struct executor_start start = {
	    .blueprint_name = "psmdb-bp",
	    .action = action,
	    .blueprint = json_root(blueprint),
	    .object = json_root(object),
	    .artifacts_in = in ? json_root(in) : NULL,
	    .time = "2023-04-03T07:46:05.123456789Z",
	};
	struct err err = ERR_INIT;

	cr_assert(executor_new(&start, &f->run, &err), "%s", err.msg);
}

static void start(struct fake *f, const char *action, const char *artifacts)
{
	CLEANUP(json) struct json *blueprint = manifest("psmdb-bp.yaml", "Blueprint");

	start_with(f, blueprint, action, artifacts);
}

/* Steps until it ends or wants to wait; the clock stands still. */
static enum executor_result go(struct fake *f, int64_t now, int64_t *ret_next)
{
	const struct executor_api api = {f, fake_get, fake_create, fake_remove, fake_refer, fake_save};
	enum executor_result result = EXECUTOR_AGAIN;
	struct err err = ERR_INIT;
	int64_t next = now;

	for (int i = 0; i < 100 && result == EXECUTOR_AGAIN && next <= now; i++)
		cr_assert(executor_step(json_edit(f->run), &api, now, 1000, &result, &next, &err), "%s", err.msg);
	if (ret_next)
		*ret_next = next;
	return result;
}

static void set_state(struct fake *f, const char *path, const char *state, const char *error)
{
	char p[300];

	snprintf(p, sizeof p, "%s/status/state", path);
	cr_assert(json_set_text(json_edit(f->objects), p, state, NULL));
	snprintf(p, sizeof p, "%s/status/error", path);
	if (error)
		cr_assert(json_set_text(json_edit(f->objects), p, error, NULL));
}

#define BACKUP_AT "perconaservermongodbbackups~1" BACKUP
#define RESTORE_AT "perconaservermongodbrestores~1" RESTORE
#define ARTIFACTS "{'cloudObjects':{'keyValue':{'psmdbbackup':'" BACKUP "','namespace':'mongo-ns'}}}"

Test(kasten_executor, a_backup_makes_its_object_waits_for_it_and_tells_its_name)
{
	CLEANUP(fake) struct fake *f = fake_new("{" READY_CLUSTER "}");
	int64_t next;

	start(f, "backup", NULL);
	cr_assert_eq(go(f, NOW, &next), EXECUTOR_AGAIN);
	cr_expect_eq(next, NOW + 100);
	cr_assert(json_is_at(json_root(f->objects), BACKUP_AT "/spec/storageName", "my-s3-storage"));
	cr_assert(json_is_at(json_root(f->objects), BACKUP_AT "/spec/clusterName", "my-cluster-name"));
	cr_assert(json_is_at(json_root(f->objects), BACKUP_AT "/metadata/finalizers/0", "delete-backup"));
	set_state(f, BACKUP_AT, "running", NULL);
	cr_assert_eq(go(f, NOW + 1000, &next), EXECUTOR_AGAIN);
	set_state(f, BACKUP_AT, "ready", NULL);
	cr_assert_eq(go(f, NOW + 2000, &next), EXECUTOR_DONE, "%s", json_text_at(json_root(f->run), "failure"));
	cr_expect_eq(f->creates, 1);
	cr_expect(json_is_at(json_root(f->run), "artifacts/cloudObjects/keyValue/psmdbbackup", BACKUP));
	cr_expect(json_is_at(json_root(f->run), "artifacts/cloudObjects/keyValue/namespace", "mongo-ns"));
}

Test(kasten_executor, a_backup_in_error_fails_at_once_with_the_operators_text)
{
	CLEANUP(fake) struct fake *f = fake_new("{" READY_CLUSTER "}");
	const char *failure;

	start(f, "backup", NULL);
	cr_assert_eq(go(f, NOW, NULL), EXECUTOR_AGAIN);
	set_state(f, BACKUP_AT, "error", "unable to get storage 'my-s3-storage'");
	cr_assert_eq(go(f, NOW + 1000, NULL), EXECUTOR_AGAIN, "the check is tried for its 5 seconds");
	cr_assert_eq(go(f, NOW + 6001, NULL), EXECUTOR_FAILED);
	failure = json_text_at(json_root(f->run), "failure");
	cr_expect(strstr(failure, "the backup ended with error: unable to get storage 'my-s3-storage'"), "%s", failure);
	cr_expect(strstr(failure, "Failed to wait for the condition to be met"), "%s", failure);
	cr_expect(json_is_at(json_root(f->run), "failedPhase", "checkBackup"));
	cr_expect_eq(f->creates, 1);
}

Test(kasten_executor, a_cluster_that_is_not_ready_gets_no_backup)
{
	CLEANUP(fake)
	struct fake *f =
	    fake_new("{'perconaservermongodbs/"
		     "my-cluster-name':{'metadata':{'name':'my-cluster-name'},'status':{'state':'initializing'}}}");

	start(f, "backup", NULL);
	cr_assert_eq(go(f, NOW, NULL), EXECUTOR_AGAIN);
	cr_assert_eq(go(f, NOW + 299000, NULL), EXECUTOR_AGAIN);
	cr_assert_eq(go(f, NOW + 300000, NULL), EXECUTOR_FAILED);
	cr_expect_eq(f->creates, 0);
	cr_expect_str_eq(json_text_at(json_root(f->run), "failure"),
	    "Failed to wait for the condition to be met: Context done while polling: context deadline exceeded");
}

/* The simple form that the project's blueprint departs from: what happens to it is why. */
static const char simple[] = "{'actions':{'backup':{'phases':[{'func':'Wait','name':'w','args':{'timeout':'360s','"
			     "conditions':{'anyOf':[{'condition':"
			     "'{{ if eq \\\"{ $.status.state }\\\" \\\"ready\\\" }}true{{ else }}false{{ end "
			     "}}','objectReference':{'apiVersion':'v1',"
			     "'group':'psmdb.percona.com','resource':'%s','name':'b','namespace':'mongo-ns'}}]}}}]}}}";

static struct json *simple_wait(const char *resource)
{
	struct json *doc = NULL;
	struct err err = ERR_INIT;

	cr_assert(json_format(&doc, &err, simple, resource), "%s", err.msg);
	return doc;
}

Test(kasten_executor, a_wait_for_ready_alone_waits_for_an_error_until_its_timeout)
{
	CLEANUP(fake)
	struct fake *f = fake_new("{'perconaservermongodbbackups/b':{'status':{'state':'error','error':'no'}}}");
	CLEANUP(json) struct json *blueprint = simple_wait("perconaservermongodbbackups");

	start_with(f, blueprint, "backup", NULL);
	cr_assert_eq(go(f, NOW, NULL), EXECUTOR_AGAIN);
	cr_assert_eq(go(f, NOW + 359999, NULL), EXECUTOR_AGAIN);
	cr_assert_eq(go(f, NOW + 360000, NULL), EXECUTOR_FAILED);
}

Test(kasten_executor, a_misspelt_resource_is_only_a_timeout_with_the_lookups_text_in_front)
{
	CLEANUP(fake) struct fake *f = fake_new("{}");
	CLEANUP(json) struct json *blueprint = simple_wait("perconaservermongodbackups");

	start_with(f, blueprint, "backup", NULL);
	cr_assert_eq(go(f, NOW, NULL), EXECUTOR_AGAIN);
	cr_assert_eq(go(f, NOW + 360000, NULL), EXECUTOR_FAILED);
	cr_expect_str_eq(json_text_at(json_root(f->run), "failure"),
	    "perconaservermongodbackups.psmdb.percona.com \"b\" not found: Failed to wait for the condition to be met: "
	    "Context done while polling: context deadline exceeded");
}

Test(kasten_executor, a_restore_waits_for_cluster_restore_and_cluster)
{
	CLEANUP(fake)
	struct fake *f = fake_new("{'perconaservermongodbs/my-cluster-name':{'metadata':{'name':'my-cluster-name'}},"
				  "'perconaservermongodbbackups/" BACKUP "':{'status':{'state':'ready'}}}");

	start(f, "restore", ARTIFACTS);
	cr_assert_eq(go(f, NOW, NULL), EXECUTOR_AGAIN, "no status yet");
	cr_expect_eq(f->creates, 0);
	set_state(f, "perconaservermongodbs~1my-cluster-name", "ready", NULL);
	cr_assert_eq(go(f, NOW + 1000, NULL), EXECUTOR_AGAIN);
	cr_assert(json_is_at(json_root(f->objects), RESTORE_AT "/spec/backupName", BACKUP));
	cr_expect_null(json_at(json_root(f->objects), RESTORE_AT "/spec/pitr"));
	set_state(f, "perconaservermongodbs~1my-cluster-name", "initializing", NULL);
	set_state(f, RESTORE_AT, "ready", NULL);
	cr_assert_eq(go(f, NOW + 2000, NULL), EXECUTOR_AGAIN, "mongos is not back yet");
	set_state(f, "perconaservermongodbs~1my-cluster-name", "ready", NULL);
	cr_assert_eq(go(f, NOW + 3000, NULL), EXECUTOR_DONE);
}

Test(kasten_executor, a_restore_of_a_backup_that_is_gone_makes_no_restore_object)
{
	CLEANUP(fake) struct fake *f = fake_new("{" READY_CLUSTER "}");
	const char *failure;

	start(f, "restore", ARTIFACTS);
	cr_assert_eq(go(f, NOW, NULL), EXECUTOR_AGAIN);
	cr_assert_eq(go(f, NOW + 10000, NULL), EXECUTOR_FAILED);
	failure = json_text_at(json_root(f->run), "failure");
	cr_expect(strstr(failure, BACKUP "\" not found"), "%s", failure);
	cr_expect_eq(f->creates, 0);
}

Test(kasten_executor, an_artifact_that_the_backup_did_not_leave_is_missed_at_once)
{
	CLEANUP(json) struct json *blueprint = manifest("psmdb-bp.yaml", "Blueprint");
	CLEANUP(json) struct json *object = tree("{'metadata':{'name':'c','namespace':'n'}}");
	struct executor_start s = {.blueprint_name = "psmdb-bp",
	    .action = "restore",
	    .blueprint = json_root(blueprint),
	    .object = json_root(object),
	    .time = "2023-04-03T07:46:05Z"};
	struct json *run = NULL;
	struct err err = ERR_INIT;

	cr_assert_not(executor_new(&s, &run, &err));
	cr_expect(strstr(err.msg, "cloudObjects"), "%s", err.msg);
}

Test(kasten_executor, delete_waits_for_the_finalizer_and_fails_on_what_is_absent)
{
	CLEANUP(fake) struct fake *f = fake_new("{'perconaservermongodbbackups/" BACKUP "':{'metadata':{'name':'x'}}}");
	CLEANUP(fake) struct fake *absent = fake_new("{}");

	start(f, "delete", ARTIFACTS);
	cr_assert_eq(go(f, NOW, NULL), EXECUTOR_AGAIN);
	cr_assert_eq(go(f, NOW + 500, NULL), EXECUTOR_AGAIN, "still held");
	cr_expect_eq(f->removes, 1);
	cr_assert(json_remove_at(json_edit(f->objects), BACKUP_AT));
	cr_assert_eq(go(f, NOW + 1000, NULL), EXECUTOR_DONE);
	start(absent, "delete", ARTIFACTS);
	cr_assert_eq(go(absent, NOW, NULL), EXECUTOR_FAILED);
	cr_expect(strstr(json_text_at(json_root(absent->run), "failure"), "not found"));
}

/* Everything since the last save is forgotten; only the API server remembers. */
static void killed(int at, bool before)
{
	CLEANUP(fake) struct fake *f = fake_new("{" READY_CLUSTER "}");
	const struct executor_api api = {f, fake_get, fake_create, fake_remove, fake_refer, fake_save};
	enum executor_result result = EXECUTOR_AGAIN;
	int64_t next = NOW;

	start(f, "backup", NULL);
	cr_assert(json_clone(json_root(f->run), &f->saved, NULL));
	f->dies_at = at;
	f->dies_before = before;
	while (next <= NOW && executor_step(json_edit(f->run), &api, NOW, 1000, &result, &next, NULL))
		;
	json_free(f->run);
	f->run = TAKE(f->saved);
	f->dies_at = 0;
	if (f->creates)
		set_state(f, BACKUP_AT, "ready", NULL);
	result = go(f, NOW + 5000, NULL);
	if (result == EXECUTOR_AGAIN) {
		set_state(f, BACKUP_AT, "ready", NULL);
		result = go(f, NOW + 6000, NULL);
	}
	cr_expect_eq(result, EXECUTOR_DONE, "killed %s save %d: %s", before ? "before" : "behind", at,
	    json_text_at(json_root(f->run), "failure"));
	cr_expect_eq(f->creates, 1, "killed %s save %d", before ? "before" : "behind", at);
}

Test(kasten_executor, a_run_that_was_killed_goes_on_from_what_was_saved_and_creates_once)
{
	CLEANUP(fake) struct fake *f = fake_new("{" READY_CLUSTER "}");

	start(f, "backup", NULL);
	cr_assert_eq(go(f, NOW, NULL), EXECUTOR_AGAIN);
	cr_assert_geq(f->saves, 6);
	for (int at = 1; at <= f->saves; at++) {
		killed(at, false);
		killed(at, true);
	}
}

Test(kasten_executor, an_object_of_this_name_that_was_there_before_is_somebody_elses)
{
	CLEANUP(fake)
	struct fake *f =
	    fake_new("{" READY_CLUSTER ",'perconaservermongodbbackups/" BACKUP "':{'status':{'state':'ready'}}}");

	start(f, "backup", NULL);
	cr_assert_eq(go(f, NOW, NULL), EXECUTOR_FAILED);
	cr_expect_str_eq(json_text_at(json_root(f->run), "failure"),
	    "perconaservermongodbbackups.psmdb.percona.com \"" BACKUP "\" already exists");
}

Test(kasten_executor, an_api_server_that_is_away_for_a_while_fails_nothing)
{
	CLEANUP(fake) struct fake *f = fake_new("{" READY_CLUSTER "}");
	const struct executor_api api = {f, fake_get, fake_create, fake_remove, fake_refer, fake_save};
	enum executor_result result = EXECUTOR_AGAIN;
	int64_t next;

	start(f, "backup", NULL);
	cr_assert(executor_step(json_edit(f->run), &api, NOW, 1000, &result, &next, NULL));
	f->away = true;
	cr_assert_eq(go(f, NOW + 1000, NULL), EXECUTOR_AGAIN);
	cr_assert_eq(go(f, NOW + 30000, NULL), EXECUTOR_AGAIN);
	f->away = false;
	cr_assert_eq(go(f, NOW + 40000, NULL), EXECUTOR_AGAIN);
	cr_expect_eq(f->creates, 1);
	f->away = true;
	cr_assert_eq(go(f, NOW + 41000, NULL), EXECUTOR_AGAIN, "a wait does not mind at all");
}

struct failing {
	const char *phase, *failure;
};

Test(kasten_executor, failures_have_kanisters_words)
{
	static const struct failing cases[] = {
	    {"{'func':'KubeOps','name':'p','args':{'operation':'create','namespace':'{{ .Object.metadata.nom }}'}}",
		"Failed to render template: \"nom\" not found"},
	    {"{'func':'KubeOps','name':'p','args':{'operation':'create'}}",
		"spec cannot be empty for create operation"},
	    {"{'func':'KubeOps','name':'p','args':{'operation':'patch'}}", "invalid operation 'patch'"},
	    {"{'func':'KubeOps','name':'p','args':{'operation':'delete','objectReference':{'name':'x'}}}",
		"missing one or more required fields"},
	    {"{'func':'KubeOps','name':'p','args':{'operation':'create','spec':'a: [b'}}",
		"spec of the object to create"},
	    {"{'func':'Wait','name':'p','args':{'timeout':'soon','conditions':{}}}", "Failed to parse timeout"},
	    {"{'func':'KubeTask','name':'p','args':{}}", "not part of this sandbox"},
	    {"{'func':'Kubeops','name':'p','args':{}}", "has not been registered"},
	    {"{'func':'Wait'}", "without a usable name"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(fake) struct fake *f = fake_new("{}");
		CLEANUP(json) struct json *blueprint = tree("{'actions':{'backup':{'phases':[]}}}");
		CLEANUP(json) struct json *phase = tree(cases[i].phase);

		cr_assert(json_set_copy(json_edit(blueprint), "actions/backup/phases/-", json_root(phase), NULL));
		start_with(f, blueprint, "backup", NULL);
		cr_expect_eq(go(f, NOW, NULL), EXECUTOR_FAILED, "%s", cases[i].phase);
		cr_expect(strstr(json_text_at(json_root(f->run), "failure"), cases[i].failure), "%s: %s",
		    cases[i].phase, json_text_at(json_root(f->run), "failure"));
	}
}

Test(kasten_executor, conditions_any_of_these_or_all_of_those)
{
	static const struct {
		const char *conditions;
		bool ends;
	} cases[] = {
	    {"{'anyOf':[F,T]}", true},
	    {"{'allOf':[T,T]}", true},
	    {"{'allOf':[T,F]}", false},
	    {"{'anyOf':[F],'allOf':[T]}", true},
	    {"{'anyOf':[E,T]}", false}, /* an entry that cannot be evaluated ends the pass */
	    {"{'anyOf':[T,E]}", true},
	    {"{'allOf':[]}", false},
	    {"{}", false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(fake) struct fake *f = fake_new("{'things/x':{'a':1}}");
		CLEANUP(json) struct json *blueprint = NULL;
		BUF_CLEANUP struct buf text = BUF_INIT(1 << 16);

		buf_add_str(&text,
		    "{'actions':{'backup':{'phases':[{'func':'Wait','name':'w','args':{'timeout':'9s','conditions':",
		    NULL);
		for (const char *p = cases[i].conditions; *p; p++) {
			const char *condition = *p == 'T'   ? "{{ eq { $.a } 1 }}"
						: *p == 'F' ? "{{ eq { $.a } 2 }}"
						: *p == 'E' ? "{ $.b }"
							    : NULL;
			bool inside = condition && (p[1] == ',' || p[1] == ']');

			if (inside)
				buf_printf(&text, NULL,
				    "{'condition':'%s','objectReference':{'apiVersion':'v1','resource':'things','name':"
				    "'x'}}",
				    condition);
			else
				buf_add_char(&text, *p, NULL);
		}
		buf_add_str(&text, "}}]}}}", NULL);
		blueprint = tree(buf_str(&text));
		start_with(f, blueprint, "backup", NULL);
		cr_expect_eq(
		    go(f, NOW, NULL), cases[i].ends ? EXECUTOR_DONE : EXECUTOR_AGAIN, "%s", cases[i].conditions);
	}
}
