#include "psmdb/deletion.h"

#include "doc/json_edit.h"

#include <criterion/criterion.h>
#include <string.h>

static struct json *parse(const char *text)
{
	struct err err = ERR_INIT;
	struct json *doc = NULL;

	cr_assert(json_format(&doc, &err, text), "%s: %s", text, err.msg);
	return doc;
}

Test(psmdb_states, only_ready_error_and_rejected_end_a_job)
{
	static const struct {
		const char *text;
		bool final, good;
	} cases[] = {{NULL, false, false}, {"", false, false}, {"waiting", false, false}, {"requested", false, false},
	    {"running", false, false}, {"ready", true, true}, {"error", true, false}, {"rejected", true, false},
	    {"Ready", false, false}, {"something new", false, false}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		enum psmdb_job_state state = psmdb_job_state(cases[i].text);

		cr_expect_eq(psmdb_job_final(state), cases[i].final, "%s", cases[i].text);
		cr_expect_eq(psmdb_job_good(state), cases[i].good, "%s", cases[i].text);
		cr_expect(*psmdb_job_phrase(state));
	}
	cr_expect_eq(psmdb_job_state("new"), PSMDB_JOB_OTHER);
	cr_expect_eq(psmdb_cluster_state("new"), PSMDB_CLUSTER_OTHER);
	cr_expect_eq(psmdb_cluster_state("sharding"), PSMDB_CLUSTER_SHARDING);
}

Test(psmdb_states, requested_for_too_long_is_stuck_and_running_is_not)
{
	cr_expect(psmdb_job_stuck(PSMDB_JOB_REQUESTED, 180001, 180000));
	cr_expect(psmdb_job_stuck(PSMDB_JOB_NONE, 180001, 180000));
	cr_expect_not(psmdb_job_stuck(PSMDB_JOB_REQUESTED, 180000, 180000));
	cr_expect_not(psmdb_job_stuck(PSMDB_JOB_RUNNING, INT64_MAX, 180000));
	cr_expect_not(psmdb_job_stuck(PSMDB_JOB_WAITING, INT64_MAX, 180000));
	cr_expect_not(psmdb_job_stuck(PSMDB_JOB_ERROR, INT64_MAX, 180000));
}

#define CLUSTER                                                                                                        \
	"{'metadata':{'name':'c','namespace':'n','uid':'u-1','generation':2,"                                          \
	"'annotations':{'kanister.kasten.io/blueprint':'psmdb-bp','psmdb-drill/note':'no mongos\\nhere'},"             \
	"'finalizers':['delete-psmdb-pods-in-order']},"                                                                \
	"'spec':{'crVersion':'1.14.0','secrets':{'users':'c-secrets'},'replsets':[{'name':'rs0','size':3}],"           \
	"'sharding':{'enabled':true},"                                                                                 \
	"'backup':{'enabled':true,'pitr':{'enabled':false},'storages':{'my-s3-storage':{'type':'s3','s3':"             \
	"{'bucket':'drill','prefix':'one','region':'us-east-1','endpointUrl':'http://s3:9000',"                        \
	"'credentialsSecret':'s3-secret'}}}}},"
#define READY_STATUS                                                                                                   \
	"'status':{'state':'ready','host':'c-mongos.n.svc.cluster.local','size':9,'ready':9,'observedGeneration':2,"   \
	"'mongoVersion':'6.0.4-3','mongos':{'size':3,'ready':3},'replsets':{'cfg':{'initialized':true,'size':3,"       \
	"'ready':3,'status':'ready'},'rs0':{'size':3,'ready':2,'status':'initializing'}}}}"

Test(psmdb_cluster, is_read_with_spec_and_status)
{
	struct json *doc CLEANUP(json) = parse(CLUSTER READY_STATUS);
	struct psmdb_cluster c;
	struct err err = ERR_INIT;
	char text[256];

	cr_assert(psmdb_cluster_read(json_root(doc), &c, &err), "%s", err.msg);
	cr_expect_str_eq(c.name, "c");
	cr_expect_str_eq(c.blueprint, "psmdb-bp");
	cr_expect_str_eq(c.note, "no mongos here");
	cr_expect_str_eq(c.users_secret, "c-secrets");
	cr_expect_eq(c.sets_wanted, 2);
	cr_expect_eq(c.set_count, 2);
	cr_expect(psmdb_cluster_usable(&c));
	cr_expect(psmdb_cluster_has_storage(&c, "my-s3-storage"));
	cr_expect_not(psmdb_cluster_has_storage(&c, "other"));
	psmdb_cluster_progress(&c, text, sizeof text);
	cr_expect_str_eq(text, "ready, cfg 3 of 3, rs0 2 of 3, mongos 3 of 3");
}

Test(psmdb_cluster, ready_without_host_or_of_an_older_spec_is_not_usable)
{
	static const char *const statuses[] = {
	    "'status':{'state':'ready','host':''}}",
	    "'status':{'state':'ready','host':'h','observedGeneration':1}}",
	    "'status':{'state':'initializing','host':'h'}}",
	    "'status':{}}",
	};

	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
		char text[2048];
		struct json *doc CLEANUP(json) = NULL;
		struct psmdb_cluster c;
		struct err err = ERR_INIT;

		snprintf(text, sizeof text, CLUSTER "%s", statuses[i]);
		doc = parse(text);
		cr_assert(psmdb_cluster_read(json_root(doc), &c, &err), "%s", err.msg);
		cr_expect_not(psmdb_cluster_usable(&c), "%s", statuses[i]);
	}
}

Test(psmdb_cluster, a_name_that_is_none_is_refused)
{
	struct json *doc CLEANUP(json) = parse("{'metadata':{'name':'a/../b'}}");
	struct json *none CLEANUP(json) = parse("{'metadata':{}}");
	struct psmdb_cluster c;
	struct err err = ERR_INIT;

	cr_expect_not(psmdb_cluster_read(json_root(doc), &c, &err));
	cr_expect_not(psmdb_cluster_read(json_root(none), &c, &err));
	cr_expect_not(psmdb_cluster_read(NULL, &c, &err));
}

Test(psmdb_cluster, owns_volumes_by_label_else_by_name)
{
	static const struct {
		const char *pvc;
		bool owned;
	} cases[] = {
	    {"{'metadata':{'name':'x','labels':{'app.kubernetes.io/instance':'c',"
	     "'app.kubernetes.io/managed-by':'percona-server-mongodb-operator'}}}",
		true},
	    {"{'metadata':{'name':'mongod-data-c-rs0-0','labels':{'app.kubernetes.io/instance':'d'}}}", false},
	    {"{'metadata':{'name':'x','labels':{'app.kubernetes.io/instance':'c','app.kubernetes.io/name':'mysql'}}}",
		false},
	    {"{'metadata':{'name':'mongod-data-c-rs0-0'}}", true},
	    {"{'metadata':{'name':'mongod-data-c-cfg-12'}}", true},
	    {"{'metadata':{'name':'mongod-data-c-d-rs0-0'}}", false},
	    {"{'metadata':{'name':'mongod-data-cc-rs0-0'}}", false},
	    {"{'metadata':{'name':'mongod-data-c-rs0-'}}", false},
	    {"{'metadata':{'name':'mongod-data-c'}}", false},
	    {"{'metadata':{'name':'scratch'}}", false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct json *doc CLEANUP(json) = parse(cases[i].pvc);

		cr_expect_eq(psmdb_owns_volume(json_root(doc), "c"), cases[i].owned, "%s", cases[i].pvc);
	}
}

Test(psmdb_job, backups_of_old_and_new_operators_tell_the_same_place)
{
	static const char *const destinations[] = {"one/2023-04-03T07:46:17Z", "s3://drill/one/2023-04-03T07:46:17Z"};

	for (size_t i = 0; i < 2; i++) {
		struct json *doc CLEANUP(json) = NULL;
		struct pbm_destination d;
		struct psmdb_job j;
		struct err err = ERR_INIT;

		cr_assert(json_format(&doc, &err,
		    "{'metadata':{'name':'b','namespace':'n','creationTimestamp':'2023-04-03T07:46:16Z'},"
		    "'spec':{'clusterName':'c','storageName':'my-s3-storage'},'status':{'state':'ready',"
		    "'pbmName':'2023-04-03T07:46:17Z','destination':%s,'s3':{'bucket':'drill','prefix':'one'}}}",
		    destinations[i]));
		cr_assert(psmdb_job_read(json_root(doc), &j, &err), "%s", err.msg);
		cr_assert(psmdb_job_place(&j, &d, &err), "%s", err.msg);
		cr_expect_str_eq(d.bucket, "drill");
		cr_expect_str_eq(d.prefix, "one");
		cr_expect_str_eq(d.name, "2023-04-03T07:46:17Z");
		cr_expect_eq(j.created_at_ms, 1680507976000);
	}
}

Test(psmdb_job, a_place_that_is_not_told_or_contradicts_itself_is_an_error)
{
	static const char *const statuses[] = {
	    "{'state':''}",
	    "{'pbmName':'2023-04-03T07:46:18Z','destination':'one/2023-04-03T07:46:17Z'}",
	    "{'destination':'s3://other/one/2023-04-03T07:46:17Z','s3':{'bucket':'drill'}}",
	};

	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
		struct json *status CLEANUP(json) = parse(statuses[i]), *doc CLEANUP(json) = NULL;
		struct pbm_destination d;
		struct psmdb_job j;
		struct err err = ERR_INIT;

		cr_assert(json_format(&doc, &err, "{'metadata':{'name':'b'},'status':%j}", json_root(status)));
		cr_assert(psmdb_job_read(json_root(doc), &j, &err), "%s", err.msg);
		cr_expect_not(psmdb_job_place(&j, &d, &err), "%s", statuses[i]);
		cr_expect_eq(err.code, ERR_STATE);
	}
}

Test(psmdb_job, error_texts_are_made_harmless)
{
	struct json *doc CLEANUP(json) = parse("{'metadata':{'name':'r'},'spec':{'clusterName':'c','backupName':'b'},"
					       "'status':{'state':'error','error':'line 1\\nline 2'}}");
	struct psmdb_job j;
	struct err err = ERR_INIT;

	cr_assert(psmdb_job_read(json_root(doc), &j, &err), "%s", err.msg);
	cr_expect_str_eq(j.error, "line 1 line 2");
	cr_expect_str_eq(j.backup, "b");
	cr_expect_eq(j.state, PSMDB_JOB_ERROR);
}

Test(psmdb_storage, is_found_by_name_and_names_those_that_there_are)
{
	struct json *doc CLEANUP(json) = parse(CLUSTER "'status':{}}");
	struct psmdb_storage s;
	struct s3_config config S3_CONFIG_CLEANUP = {0};
	struct err err = ERR_INIT;

	cr_assert(psmdb_storage_of_cluster(json_root(doc), NULL, &s, &err), "%s", err.msg);
	cr_assert(psmdb_storage_of_cluster(json_root(doc), "my-s3-storage", &s, &err), "%s", err.msg);
	cr_expect_str_eq(s.credentials_secret, "s3-secret");
	psmdb_storage_config(&s, &config);
	cr_expect_str_eq(config.endpoint, "http://s3:9000");
	cr_expect_str_eq(config.prefix, "one");
	cr_expect_not(psmdb_storage_of_cluster(json_root(doc), "s3-us-west", &s, &err));
	cr_expect_eq(err.code, ERR_NOT_FOUND);
	cr_expect(strstr(err.msg, "my-s3-storage"), "%s", err.msg);
}

Test(psmdb_storage, credentials_are_decoded_and_never_told)
{
	struct json *doc CLEANUP(json) =
	    parse("{'metadata':{'name':'s3-secret'},'data':{'AWS_ACCESS_KEY_ID':'QUtJQQ==',"
		  "'AWS_SECRET_ACCESS_KEY':'c2VjcmV0','bad':'%%','nul':'AAAA'}}");
	struct s3_config config S3_CONFIG_CLEANUP = {0};
	struct err err = ERR_INIT;
	char text[64] = "as it was";

	cr_assert(psmdb_storage_credentials(json_root(doc), &config, &err), "%s", err.msg);
	cr_expect_str_eq(config.access_key, "AKIA");
	cr_expect_str_eq(config.secret_key, "secret");
	cr_expect_not(psmdb_secret_text(json_root(doc), "bad", text, sizeof text, &err));
	cr_expect_eq(err.code, ERR_PARSE);
	cr_expect_not(psmdb_secret_text(json_root(doc), "nul", text, sizeof text, &err));
	cr_expect_not(psmdb_secret_text(json_root(doc), "absent", text, sizeof text, &err));
	cr_expect_eq(err.code, ERR_NOT_FOUND);
	cr_expect_not(psmdb_secret_text(json_root(doc), "AWS_SECRET_ACCESS_KEY", text, 6, &err));
	cr_expect_not(strstr(err.msg, "secret\" is"), "%s", err.msg);
	cr_expect_str_eq(text, "as it was");
}

static const struct psmdb_deletion case_1 = {.clusters = true};

Test(psmdb_deletion, both_spellings_of_a_finalizer_are_the_same)
{
	cr_expect_eq(psmdb_finalizer("delete-backup"), PSMDB_FINALIZER_BACKUP);
	cr_expect_eq(psmdb_finalizer("percona.com/delete-backup"), PSMDB_FINALIZER_BACKUP);
	cr_expect_eq(psmdb_finalizer("percona.com/delete-psmdb-pvc"), PSMDB_FINALIZER_PVC);
	cr_expect_eq(psmdb_finalizer("percona.com/delete-pitr-chunks"), PSMDB_FINALIZER_PITR_CHUNKS);
	cr_expect_eq(psmdb_finalizer("example.com/delete-backup"), PSMDB_FINALIZER_OTHER);
}

Test(psmdb_deletion, forbids_what_erases_what_the_restore_needs)
{
	static const struct {
		const char *finalizer;
		struct psmdb_deletion deletion;
		bool forbidden;
	} cases[] = {
	    {"delete-psmdb-pods-in-order", {.clusters = true}, false},
	    {"percona.com/delete-psmdb-pods-in-order", {.namespace_ = true}, false},
	    {"delete-psmdb-pvc", {.clusters = true}, true},
	    {"percona.com/delete-psmdb-pvc", {.namespace_ = true}, false},
	    {"percona.com/delete-pitr-chunks", {.clusters = true}, false},
	    {"percona.com/delete-pitr-chunks", {.clusters = true, .needs_pitr = true}, true},
	    {"example.com/other", {.clusters = true}, false},
	    {"delete-psmdb-pvc", {.backups = true}, false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct psmdb_cluster c = {.name = "c", .finalizer_count = 1};
		struct psmdb_consequences list = {.count = 0};

		snprintf(c.finalizers[0], sizeof c.finalizers[0], "%s", cases[i].finalizer);
		psmdb_deletion_of_cluster(&cases[i].deletion, &c, &list);
		cr_expect_eq(psmdb_deletion_forbids(&list) != NULL, cases[i].forbidden, "case %zu", i);
	}
}

Test(psmdb_deletion, a_ready_backup_with_the_finalizer_is_erased_with_its_namespace_but_not_with_the_cluster)
{
	static const struct {
		struct psmdb_deletion deletion;
		enum psmdb_job_state state;
		bool owned, deleting, finalizer, forbidden;
	} cases[] = {
	    {{.clusters = true}, PSMDB_JOB_READY, false, false, true, false},
	    {{.namespace_ = true}, PSMDB_JOB_READY, false, false, true, true},
	    {{.namespace_ = true}, PSMDB_JOB_READY, false, false, false, false},
	    {{.namespace_ = true}, PSMDB_JOB_ERROR, false, false, true, false},
	    {{.backups = true}, PSMDB_JOB_READY, false, false, true, true},
	    {{.backups = true}, PSMDB_JOB_READY, false, false, false, true},
	    {{.clusters = true}, PSMDB_JOB_READY, true, false, true, true},
	    {{.clusters = true}, PSMDB_JOB_READY, false, true, true, true},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct psmdb_job b = {.name = "b",
		    .state = cases[i].state,
		    .finalizer_count = cases[i].finalizer,
		    .finalizers = {"percona.com/delete-backup"},
		    .has_owner = cases[i].owned,
		    .owner_kind = PSMDB_CLUSTER_KIND,
		    .deleting = cases[i].deleting};
		struct psmdb_consequences list = {.count = 0};

		psmdb_deletion_of_backup(&cases[i].deletion, &b, &list);
		cr_expect_eq(psmdb_deletion_forbids(&list) != NULL, cases[i].forbidden, "case %zu", i);
	}
}

Test(psmdb_deletion, a_full_list_still_shows_what_forbids)
{
	struct psmdb_consequences list = {.count = 0};
	struct psmdb_cluster c = {.name = "c", .finalizer_count = 1, .finalizers = {"example.com/harmless"}};

	for (int i = 0; i < 2 * PSMDB_CONSEQUENCES_MAX; i++)
		psmdb_deletion_of_cluster(&case_1, &c, &list);
	cr_expect_null(psmdb_deletion_forbids(&list));
	snprintf(c.finalizers[0], sizeof c.finalizers[0], "delete-psmdb-pvc");
	psmdb_deletion_of_cluster(&case_1, &c, &list);
	cr_assert_not_null(psmdb_deletion_forbids(&list));
	cr_expect(strstr(psmdb_deletion_forbids(&list)->text, "delete-psmdb-pvc"));
}
