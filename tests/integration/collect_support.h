/* What the tests of collect share: a database with ticks, the program as a child, and its observation read back. */
#ifndef TESTS_INTEGRATION_COLLECT_SUPPORT_H
#define TESTS_INTEGRATION_COLLECT_SUPPORT_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/proc.h"
#include "evidence/observed.h"
#include "tests/support/mongod_fixture.h"
#include "tests/support/tap.h"
#include "tests/support/tick_damage.h"

#define BASE_MS 1700000000000 /* createdAt of seq 0 */
#define USER "collector"
#define PASSWORD "p@ss:w/ord#1"
#define OK(holds, sentence) tap_ok(&b->tap, (holds), (sentence), "exit %d, log: %s", b->status, buf_str(&b->log))

struct bench {
	struct tap tap;
	struct mongod_fixture mongod;
	const char *program;
	char out[300];	      /* where observations go */
	struct buf log;	      /* of the last child: stdout and stderr */
	int status;	      /* its exit status; 1000 + signal */
	struct observed seen; /* after bench_load */
};

/* Ends the test program: without the fixture nothing can be tested. */
void bench_die(struct bench *b, const char *what, const struct err *err) __attribute__((noreturn));

/* --- the database
 * ----------------------------------------------------------------------------------------------------------------- */
struct tick_stream bench_stream(unsigned char run, const char *ns, int32_t writer);
void bench_insert_ticks(struct bench *b, const struct tick_stream *stream, int64_t first, int64_t last);
void bench_insert(struct bench *b, const char *ns, const bson_t *doc);
void bench_insert_json(struct bench *b, const char *ns, const char *json);
void bench_delete(struct bench *b, const char *ns, const bson_t *filter);
/* Replaces the stored tick by its damaged self; keep: leaves the intact one, where the _id allows it. */
void bench_damage(struct bench *b, const struct tick_stream *stream, int64_t seq, enum damage how, bool keep);
void bench_drop(struct bench *b);
/* Five streams of 1,000 ticks in admin.ticker and drill.ticker. */
void bench_fill(struct bench *b);
int64_t bench_count(struct bench *b, const char *ns);
/* failCommand on this command of the program's own connections. extra: further members of "data". */
void bench_fail(struct bench *b, const char *command, int times, const char *extra);
void bench_heal(struct bench *b);

/* --- the program
 * ------------------------------------------------------------------------------------------------------------------ */
/* As this user; args end with NULL, --uri and --out FILE are added, unless the first is "--bare". */
pid_t bench_start(struct bench *b, const char *user, const char *password, const char *const *args);
void bench_wait(struct bench *b, pid_t pid);
void bench_run(struct bench *b, const char *user, const char *password, const char *const *args);
#define ARGS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})
/* Did the last child print this? */
bool bench_said(const struct bench *b, const char *text);
/* Reads the observation into seen; the file is gone then. false: there is none, or it is not valid (as a TAP comment).
 */
bool bench_load(struct bench *b);
/* Exit status 0, and that. */
bool bench_collected(struct bench *b);
/* No file of that name, whole or in part. */
bool bench_left_nothing(const struct bench *b);

/* collect_broken.c: readings that are broken off, by USER. */
void collect_broken(struct bench *b);

#endif
