#include "sandbox/operator/rules.h"

#include <criterion/criterion.h>
#include <string.h>

static struct json *docs[100];
static size_t count;
static struct err err;

static void tear_down(void)
{
	while (count)
		json_free(docs[--count]);
}

TestSuite(rules, .fini = tear_down);

static const json_node *object(const char *pattern)
{
	if (!pattern)
		return NULL;
	cr_assert(count < sizeof docs / sizeof *docs);
	docs[count] = NULL;
	cr_assert(json_format(&docs[count], &err, pattern), "%s: %s", pattern, err.msg);
	return json_root(docs[count++]);
}

/* --- states ------------------------------------------------------------------------------------------------------ */

Test(rules, final_states_are_left_for_nothing_but_an_error_of_deletion)
{
	for (int to = 0; to < JOB_STATE_COUNT; to++) {
		cr_expect_eq(job_may_become(JOB_ERROR, (enum job_state)to), to == JOB_ERROR);
		cr_expect_eq(job_may_become(JOB_READY, (enum job_state)to), to == JOB_READY || to == JOB_ERROR);
	}
}

Test(rules, no_state_goes_back)
{
	static const enum job_state order[] = {JOB_NONE, JOB_WAITING, JOB_REQUESTED, JOB_RUNNING, JOB_READY};

	for (size_t from = 0; from < sizeof order / sizeof *order; from++)
		for (size_t to = 0; to < from; to++)
			cr_expect_not(job_may_become(order[from], order[to]));
}

Test(rules, an_unknown_state_is_final)
{
	cr_assert(job_state_final(job_state_of(object("{'status':{'state':'rejected'}}"))));
	cr_assert_eq(job_state_of(object("{}")), JOB_NONE);
	cr_assert_eq(job_state_of(object("{'status':{'state':'running'}}")), JOB_RUNNING);
}

Test(rules, pbms_answers_move_a_job)
{
	static const struct {
		enum job_state from;
		enum answer_state answer;
		int64_t ago_ms;
		enum job_state to;
	} cases[] = {
	    {JOB_REQUESTED, ANSWER_STARTING, 1000, JOB_REQUESTED},
	    {JOB_REQUESTED, ANSWER_NOT_FOUND, 1000, JOB_REQUESTED},
	    {JOB_REQUESTED, ANSWER_NOT_FOUND, 120001, JOB_ERROR},
	    {JOB_REQUESTED, ANSWER_STARTING, 120001, JOB_ERROR},
	    {JOB_REQUESTED, ANSWER_RUNNING, 1000, JOB_RUNNING},
	    {JOB_REQUESTED, ANSWER_DONE, 1000, JOB_READY},
	    {JOB_RUNNING, ANSWER_RUNNING, 999999, JOB_RUNNING},
	    {JOB_RUNNING, ANSWER_NOT_FOUND, 999999, JOB_RUNNING},
	    {JOB_RUNNING, ANSWER_UNREADABLE, 1000, JOB_RUNNING},
	    {JOB_RUNNING, ANSWER_REFUSED, 1000, JOB_RUNNING},
	    {JOB_RUNNING, ANSWER_DONE, 1000, JOB_READY},
	    {JOB_RUNNING, ANSWER_ERROR, 1000, JOB_ERROR},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct answer a = {.state = cases[i].answer, .text = "why"};
		const char *text;

		cr_expect_eq(job_after(cases[i].from, &a, cases[i].ago_ms, &text), cases[i].to, "case %zu", i);
		cr_expect(cases[i].to != JOB_ERROR ||
			      !strcmp(text, a.state == ANSWER_ERROR ? "why" : "starting deadline exceeded"),
		    "%s", text);
	}
}

/* --- places ------------------------------------------------------------------------------------------------------ */

Test(rules, a_destination_has_no_scheme_in_this_version)
{
	static const struct {
		const char *prefix, *destination;
	} cases[] = {{"", "N"}, {"one", "one/N"}, {"one/", "one/N"}, {"a/b", "a/b/N"}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct storage s = {.prefix = cases[i].prefix};
		char text[100];

		storage_destination(&s, "N", text, sizeof text);
		cr_expect_str_eq(text, cases[i].destination);
	}
}

Test(rules, pbms_name_is_the_last_element_of_a_destination)
{
	char name[ANSWER_NAME_MAX];

	cr_assert(destination_name("s3://drill/one/2023-04-03T07:46:17Z", name));
	cr_assert_str_eq(name, "2023-04-03T07:46:17Z");
	cr_assert(destination_name("2023-04-03T07:46:17Z", name));
	cr_assert_not(destination_name("s3://drill/one/", name));
	cr_assert_not(destination_name("s3://drill/--help", name));
}

/* --- backups ----------------------------------------------------------------------------------------------------- */

#define CLUSTER(more)                                                                                                  \
	"{'metadata':{'name':'c'},'spec':{'backup':{'enabled':true,'storages':{'s3':{'type':'s3','s3':{'bucket':'b'}}" \
	","                                                                                                            \
	"'blob':{'type':'azure'}}}},'status':{'state':'ready'}" more "}"

Test(rules, a_backup_is_refused_with_the_operators_words)
{
	static const struct {
		const char *backup, *psmdb, *text;
	} cases[] = {
	    {"{'spec':{'clusterName':'c'}}", CLUSTER(""), "spec storageName field is empty"},
	    {"{'spec':{'storageName':'s3'}}", CLUSTER(""),
		"spec clusterName and deprecated psmdbCluster fields are empty"},
	    {"{'spec':{'clusterName':'c','storageName':'s3'}}", NULL, "cluster not found"},
	    {"{'spec':{'clusterName':'c','storageName':'x'}}", CLUSTER(""), "unable to get storage 'x'"},
	    {"{'spec':{'clusterName':'c','storageName':'blob'}}", CLUSTER(""),
		"unsupported backup storage type: azure"},
	    {"{'spec':{'clusterName':'c','storageName':'s3'}}", "{'spec':{'unmanaged':true}}",
		"failed to run backup: backups are not allowed on unmanaged clusters"},
	    {"{'spec':{'clusterName':'c','storageName':'s3'}}", "{'status':{'state':'initializing'}}",
		"failed to run backup: allowUnsafeConfigurations must be true to run backup on cluster with status "
		"initializing"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		err = (struct err)ERR_INIT;
		cr_expect_not(backup_check(object(cases[i].backup), object(cases[i].psmdb), &err));
		cr_expect_str_eq(err.msg, cases[i].text);
	}
}

Test(rules, a_backup_of_a_ready_cluster_is_made)
{
	cr_assert(backup_check(object("{'spec':{'clusterName':'c','storageName':'s3'}}"), object(CLUSTER("")), &err),
	    "%s", err.msg);
	cr_assert(backup_check(object("{'spec':{'psmdbCluster':'c','storageName':'s3'}}"), object(CLUSTER("")), &err),
	    "%s", err.msg);
}

/* --- restores ---------------------------------------------------------------------------------------------------- */

#define SOURCE "'backupSource':{'destination':'s3://b/one/2023-04-03T07:46:17Z','s3':{'bucket':'b','prefix':'one'}}"
#define READY "{'spec':{'storageName':'s3'},'status':{'state':'ready','pbmName':'2023-04-03T07:46:17Z'}}"

Test(rules, a_restore_is_refused_with_the_operators_words)
{
	static const struct {
		const char *restore, *psmdb, *backup, *text;
	} cases[] = {
	    {"{'spec':{}}", CLUSTER(""), NULL, "spec clusterName field is empty"},
	    {"{'spec':{'clusterName':'c'}}", CLUSTER(""), NULL, "one of backupName or backupSource is required"},
	    {"{'spec':{'clusterName':'c','backupSource':{}}}", CLUSTER(""), NULL,
		"backupSource destination is required"},
	    {"{'spec':{'clusterName':'c','backupSource':{'destination':'one/2023-04-03T07:46:17Z'}}}", CLUSTER(""),
		NULL, "backupSource destination should use s3 protocol format"},
	    {"{'spec':{'clusterName':'c','backupSource':{'destination':'s3://b/2023-04-03T07:46:17Z'}}}", CLUSTER(""),
		NULL, "one of storageName, backupSource.s3 or backupSource.azure is required"},
	    {"{'spec':{'clusterName':'c','backupName':'nope'}}", CLUSTER(""), NULL,
		"perconaservermongodbbackups.psmdb.percona.com \"nope\" not found"},
	    {"{'spec':{'clusterName':'c','storageName':'x'," SOURCE "}}", CLUSTER(""), NULL,
		"get storage: unable to get storage 'x'"},
	    {"{'metadata':{'namespace':'n'},'spec':{'clusterName':'c'," SOURCE "}}", NULL, NULL,
		"get cluster n/c: perconaservermongodbs.psmdb.percona.com \"c\" not found"},
	    {"{'spec':{'clusterName':'c'," SOURCE "}}", "{'spec':{'unmanaged':true}}", NULL, "cluster is unmanaged"},
	    {"{'spec':{'clusterName':'c','pitr':{'type':'date'}," SOURCE "}}", CLUSTER(""), NULL,
		"date is required for pitr restore by date"},
	    {"{'spec':{'clusterName':'c','pitr':{'type':'x'}," SOURCE "}}", CLUSTER(""), NULL,
		"undefined pitr restore type: x"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct restore_source s;
		bool later;

		err = (struct err)ERR_INIT;
		cr_expect_not(restore_check(object(cases[i].restore), object(cases[i].psmdb), object(cases[i].backup),
				  &s, &later, &err),
		    "case %zu", i);
		cr_expect_str_eq(err.msg, cases[i].text);
	}
}

Test(rules, a_restore_takes_name_and_storage_from_the_backup_object)
{
	struct restore_source s;
	bool later = true;

	cr_assert(restore_check(object("{'spec':{'clusterName':'c','backupName':'b'}}"), object(CLUSTER("")),
		      object(READY), &s, &later, &err),
	    "%s", err.msg);
	cr_assert_not(later);
	cr_assert_str_eq(s.backup, "2023-04-03T07:46:17Z");
	cr_assert_str_eq(s.storage.bucket, "b");
}

Test(rules, a_backup_that_is_not_ready_is_no_error_and_nothing_happens)
{
	struct restore_source s;
	bool later = false;

	cr_assert(restore_check(object("{'spec':{'clusterName':'c','backupName':'b'}}"), object(CLUSTER("")),
	    object("{'status':{'state':'running'}}"), &s, &later, &err));
	cr_assert(later);
}

Test(rules, the_storage_of_a_source_is_taken_as_written)
{
	struct restore_source s;
	bool later;

	cr_assert(restore_check(
		      object("{'spec':{'clusterName':'c'," SOURCE "}}"), object(CLUSTER("")), NULL, &s, &later, &err),
	    "%s", err.msg);
	cr_assert_str_eq(s.storage.prefix, "one");
	cr_assert_str_eq(s.backup, "2023-04-03T07:46:17Z");
}

Test(rules, a_point_in_time_has_a_blank_and_pbms_has_a_t)
{
	struct restore_source s;
	bool later;

	cr_assert(
	    restore_check(
		object("{'spec':{'clusterName':'c','pitr':{'type':'date','date':'2023-04-03 08:00:00'}," SOURCE "}}"),
		object(CLUSTER("")), NULL, &s, &later, &err),
	    "%s", err.msg);
	cr_assert_str_eq(s.point, "2023-04-03T08:00:00");
	cr_assert_not(restore_check(
	    object("{'spec':{'clusterName':'c','pitr':{'type':'date','date':'2023-04-03T08:00:00'}," SOURCE "}}"),
	    object(CLUSTER("")), NULL, &s, &later, &err));
}
