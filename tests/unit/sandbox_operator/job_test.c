/* The steps of a job against a script in pbm's place. */
#include "sandbox/operator/job.h"

#include "base/file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char dir[] = "/tmp/psmdb-job-XXXXXX", fake[64];
static struct err err;
static struct pbm_job job = JOB_INIT;
static struct pbm_order order;
static const char *const hosts[] = {"127.0.0.1:1"};
static struct pbm pbm;

/* body is in sh; $* are pbm's arguments, the log of calls is in the folder. */
static void pbm_is(const char *body)
{
	char text[4000];
	int len = snprintf(text, sizeof text, "#!/bin/sh\ncd %s\necho \"$*\" >> calls\n%s\n", dir, body);

	cr_assert(file_write_atomic(fake, text, (size_t)len, 0700, &err), "%s", err.msg);
}

static void set_up(void)
{
	cr_assert(mkdtemp(dir));
	snprintf(fake, sizeof fake, "%s/pbm", dir);
	pbm = (struct pbm){.binary = fake,
	    .home = dir,
	    .set_name = "rs0",
	    .hosts = hosts,
	    .members = 1,
	    .user = "backup",
	    .password = "p/w",
	    .clock = clock_system()};
	order = (struct pbm_order){
	    .uid = "u", .bucket = "b", .region = "r", .access_key = "a", .secret_key = "topsecret", .level = -1};
	strcpy(order.compression, "gzip");
}

static void tear_down(void)
{
	pbm_job_free(&job);
	file_remove_tree(dir, NULL);
}

TestSuite(job, .init = set_up, .fini = tear_down, .timeout = 30);

static bool at_end(void *arg, struct err *e)
{
	(void)arg;
	pbm_job_tick(&job, &pbm, 1, e);
	return job.step == STEP_END;
}

static void run(enum job_kind kind)
{
	order.kind = kind;
	pbm_job_begin(&job, &order, pbm.clock);
	job.may_send = true;
	cr_assert(wait_for(pbm.clock, "the job", 20000, 5, NULL, at_end, NULL, &err), "%s in step %s", err.msg,
	    pbm_job_step_text(job.step));
}

static const char *calls(void)
{
	static struct buf text = BUF_INIT(65536);
	char path[64];

	snprintf(path, sizeof path, "%s/calls", dir);
	buf_reset(&text);
	cr_assert(file_read(path, &text, &err), "%s", err.msg);
	return buf_str(&text);
}

#define IDLE                                                                                                           \
	"*running*) echo "                                                                                             \
	"'{\"cluster\":[{\"rs\":\"rs0\",\"nodes\":[{\"host\":\"h\",\"ok\":true}]}],\"running\":{}}';;\n"
#define NAMED "echo '{\"name\":\"2026-11-28T05:47:00Z\"}'"
#define DESCRIBED(status)                                                                                              \
	"echo '{\"name\":\"2026-11-28T05:47:00Z\",\"status\":\"" status "\",\"last_transition_ts\":5}'"

Test(job, a_backup_goes_from_config_to_done)
{
	pbm_is("case \"$*\" in config*) cat > config;;\n" IDLE "backup*) " NAMED
	       ";;\ndescribe-backup*) " DESCRIBED("done") ";;\nesac");
	run(JOB_BACKUP);
	cr_assert_not(job.failed);
	cr_assert_str_eq(job.name, "2026-11-28T05:47:00Z");
	cr_assert(job.answered);
	cr_assert_eq(job.answer.state, ANSWER_DONE);
	cr_assert_eq(job.answer.transition_ms, 5000);
	cr_assert_str_eq(calls(), "config --file /dev/stdin --out json\n"
				  "status --out json --sections cluster --sections running\n"
				  "backup --type=logical --compression=gzip --out json\n"
				  "describe-backup 2026-11-28T05:47:00Z --out json\n");
}

Test(job, the_secret_goes_through_stdin_alone)
{
	BUF_CLEANUP struct buf text = BUF_INIT(65536);
	char path[64];

	pbm_is("case \"$*\" in config*) cat > config; env > environment;;\n*) exit 1;; esac");
	order.kind = JOB_BACKUP;
	pbm_job_begin(&job, &order, pbm.clock);
	for (int i = 0; i < 2000 && job.step == STEP_CONFIG; i++) {
		pbm_job_tick(&job, &pbm, 1, &err);
		clock_sleep_until(pbm.clock, clock_mono_ns(pbm.clock) + 5000000, NULL);
	}
	cr_assert_null(strstr(calls(), "topsecret"));
	snprintf(path, sizeof path, "%s/config", dir);
	cr_assert(file_read(path, &text, &err), "%s", err.msg);
	cr_assert(strstr(buf_str(&text), "topsecret") && strstr(buf_str(&text), "forcePathStyle"));
	buf_reset(&text);
	snprintf(path, sizeof path, "%s/environment", dir);
	cr_assert(file_read(path, &text, &err), "%s", err.msg);
	cr_assert_null(strstr(buf_str(&text), "topsecret"));
	cr_assert(strstr(buf_str(&text), "PBM_MONGODB_URI=mongodb://backup:p%2Fw@127.0.0.1:1/"));
}

Test(job, a_restore_reads_the_list_again_and_looks_for_the_backup)
{
	strcpy(order.backup, "2026-11-28T05:40:00Z");
	pbm_is("case \"$*\" in config*) ;;\n" IDLE "describe-backup*) " DESCRIBED(
	    "done") ";;\nrestore*) " NAMED ";;\ndescribe-restore*) " DESCRIBED("done") ";;\nesac");
	run(JOB_RESTORE);
	cr_assert_eq(job.answer.state, ANSWER_DONE);
	cr_assert_str_eq(calls(), "config --file /dev/stdin --out json\n"
				  "status --out json --sections cluster --sections running\n"
				  "config --force-resync --wait --out json\n"
				  "status --out json --sections cluster --sections running\n"
				  "describe-backup 2026-11-28T05:40:00Z --out json\n"
				  "restore 2026-11-28T05:40:00Z --out json\n"
				  "describe-restore 2026-11-28T05:47:00Z --out json\n");
}

Test(job, a_backup_that_pbm_does_not_know_is_not_sent)
{
	strcpy(order.backup, "2026-11-28T05:40:00Z");
	pbm_is(
	    "case \"$*\" in config*) ;;\n" IDLE "describe-backup*) echo '{\"Error\":\"not found\"}'; exit 1;;\nesac");
	run(JOB_RESTORE);
	cr_assert(job.unknown && !job.failed);
	cr_assert_null(strstr(calls(), "restore "));
}

Test(job, a_backup_in_error_is_not_restored)
{
	strcpy(order.backup, "2026-11-28T05:40:00Z");
	pbm_is("case \"$*\" in config*) ;;\n" IDLE "describe-backup*) echo '{\"name\":\"2026-11-28T05:40:00Z\","
	       "\"status\":\"error\",\"error\":\"file x is gone\"}';;\nesac");
	run(JOB_RESTORE);
	cr_assert(job.failed);
	cr_assert_str_eq(job.error, "backup wasn't successful: status: error, error: file x is gone");
}

Test(job, a_refusal_is_pbms_own_text)
{
	pbm_is("case \"$*\" in config*) ;;\n" IDLE "backup*) echo '{\"Error\":\"no storage\"}'; exit 1;;\nesac");
	run(JOB_BACKUP);
	cr_assert(job.failed);
	cr_assert_str_eq(job.error, "no storage");
}

Test(job, what_was_sent_before_is_found_again)
{
	order.adopt_since_ms = 1;
	pbm_is("case \"$*\" in *backups*) echo '{\"backups\":{\"snapshot\":[{\"name\":\"2026-11-28T05:47:00Z\"}]}}';;\n"
	       "describe-backup*) " DESCRIBED("done") ";;\n*) exit 1;;\nesac");
	run(JOB_BACKUP);
	cr_assert_str_eq(job.name, "2026-11-28T05:47:00Z");
	cr_assert_null(strstr(calls(), "backup --type"));
}

Test(job, what_was_never_sent_is_sent_then)
{
	order.adopt_since_ms = 1;
	pbm_is("case \"$*\" in config*) ;;\n*backups*) echo '{\"backups\":{\"snapshot\":null}}';;\n" IDLE
	       "backup*) " NAMED ";;\ndescribe-backup*) " DESCRIBED("done") ";;\nesac");
	run(JOB_BACKUP);
	cr_assert(strstr(calls(), "backup --type"));
	cr_assert_eq(job.answer.state, ANSWER_DONE);
}

Test(job, a_known_name_is_looked_at_and_nothing_else)
{
	strcpy(order.name, "2026-11-28T05:47:00Z");
	pbm_is("case \"$*\" in describe-restore*) " DESCRIBED("error") ";;\n*) exit 1;;\nesac");
	run(JOB_RESTORE);
	cr_assert_eq(job.answer.state, ANSWER_ERROR);
	cr_assert_str_eq(calls(), "describe-restore 2026-11-28T05:47:00Z --out json\n");
}

Test(job, nothing_is_sent_before_the_object_says_so)
{
	pbm_is("case \"$*\" in config*) ;;\n" IDLE "backup*) " NAMED ";;\nesac");
	order.kind = JOB_BACKUP;
	pbm_job_begin(&job, &order, pbm.clock);
	for (int i = 0; i < 2000 && job.step != STEP_SEND; i++) {
		pbm_job_tick(&job, &pbm, 1, &err);
		clock_sleep_until(pbm.clock, clock_mono_ns(pbm.clock) + 5000000, NULL);
	}
	cr_assert_eq(job.step, STEP_SEND);
	for (int i = 0; i < 10; i++)
		cr_assert_not(pbm_job_tick(&job, &pbm, 1, &err));
	cr_assert_not(child_running(&job.child));
	cr_assert_eq(pbm_job_due_ms(&job), INT64_MAX);
}

Test(job, a_deletion_of_what_is_gone_is_told)
{
	strcpy(order.backup, "2026-11-28T05:40:00Z");
	pbm_is("case \"$*\" in " IDLE
	       "delete-backup*) echo '{\"Error\":\"get backup metadata: not found\"}'; exit 1;;\nesac");
	run(JOB_DELETE);
	cr_assert(job.unknown && !job.failed);
	pbm_is("case \"$*\" in " IDLE "delete-backup*) echo 'Waiting for delete to be done .[done]';;\nesac");
	run(JOB_DELETE);
	cr_assert(!job.unknown && !job.failed);
}

Test(job, a_point_in_time_has_its_backup_as_the_base)
{
	struct pbm_job_args args;

	job.order.kind = JOB_RESTORE;
	strcpy(job.order.backup, "2026-11-28T05:40:00Z");
	strcpy(job.order.point, "2026-11-28T05:45:00");
	job.step = STEP_SEND;
	pbm_job_step_args(&job, &args);
	cr_assert_eq(args.count, 5);
	cr_assert_str_eq(args.items[1], "--time=2026-11-28T05:45:00");
	cr_assert_str_eq(args.items[2], "--base-snapshot=2026-11-28T05:40:00Z");
	job.order.kind = JOB_FREE;
}

#define FORBIDDEN                                                                                                      \
	"*running*) echo "                                                                                             \
	"'{\"cluster\":[{\"rs\":\"rs0\",\"nodes\":[{\"host\":\"h\",\"ok\":false,\"errors\":[\"storage: "               \
	"get S3 object header: Forbidden\\\\n\\\\tstatus code: 403\"]}]}],\"running\":{}}';;\n"

Test(job, a_backup_to_a_storage_that_refuses_is_sent_and_fails_with_pbms_text)
{
	pbm_is("case \"$*\" in config*) ;;\n" FORBIDDEN "backup*) " NAMED
	       ";;\ndescribe-backup*) echo "
	       "'{\"name\":\"2026-11-28T05:47:00Z\",\"status\":\"error\",\"error\":\"Forbidden\"}';;\n"
	       "esac");
	run(JOB_BACKUP);
	cr_assert_eq(job.answer.state, ANSWER_ERROR);
	cr_assert_str_eq(job.answer.text, "Forbidden");
}

Test(job, a_restore_from_a_storage_that_refuses_says_so)
{
	strcpy(order.backup, "2026-11-28T05:40:00Z");
	pbm_is("case \"$*\" in config*) ;;\n" FORBIDDEN "esac");
	run(JOB_RESTORE);
	cr_assert(job.failed);
	cr_assert(strstr(job.error, "Forbidden") && !strchr(job.error, '\n'), "%s", job.error);
}
