/*
 * Many runs on one page: of each verdict what a trend needs, in order of time, by scenario. Pure but for memory: who
 * finds the runs is elsewhere (cmd_history.c). The reports lay out; all text of verdicts is escaped.
 */
#ifndef VERIFIER_REPORT_HISTORY_H
#define VERIFIER_REPORT_HISTORY_H

#include "base/buf.h"
#include "evidence/verdict.h"
#include "verifier/report_words.h"

#define HISTORY_FORMAT "psmdb-drill/history"
#define HISTORY_VERSION 1
#define HISTORY_RUNS_MAX 10000 /* the newest are kept, the others counted */
#define HISTORY_SKIPPED_MAX 200

struct history_version {
	char name[40], value[64];
};

struct history_run {
	char name[288];		/* its folder or file, as it was found */
	char link[2048];	/* its report.html: relative, percent-encoded; "" if there is none */
	uint64_t device, inode; /* of verdict.json: no run counts twice */
	enum verdict_result result;
	int64_t judged_at_ms;
	char scenario[64], title[256];
	bool has_rpo, rpo_at_least, has_rto, rto_complete, has_removal;
	int64_t rpo_ms, rpo_error_ms, max_rpo_ms, rto_ms, rto_error_ms, max_rto_ms;
	int64_t acked, failing, undecided, removal_left;
	bool reasons[REASON_COUNT];
	struct history_version versions[16];
	size_t version_count;
	/* after history_finish: 1 + the index of the newest run before it of the same scenario that has versions; 0: none */
	size_t previous;
};

struct history_skipped {
	char name[288], why[320];
};

/* The runs of one scenario, oldest first: history.by_scenario[first] and the count - 1 after it. */
struct history_series {
	size_t first, count;
};

struct history {
	struct history_run *runs; /* after history_finish: oldest first */
	size_t run_count, run_room, left_out;
	size_t *by_scenario; /* indexes of runs */
	struct history_series *series;
	size_t series_count; /* those with most runs first */
	struct history_skipped skipped[HISTORY_SKIPPED_MAX];
	size_t skipped_count; /* may be more than are named */
};

struct history *history_new(struct err *err);
void history_free(struct history *h);
CLEANUP_PTR(history, struct history, history_free)
bool history_has(const struct history *h, uint64_t device, uint64_t inode);
bool history_add(struct history *h, const char *name, const char *link, uint64_t device, uint64_t inode,
    const struct verdict *v, struct err *err);
void history_skip(struct history *h, const char *name, const char *why);
/* Sorts; after the last run. */
bool history_finish(struct history *h, struct err *err);
size_t history_count(const struct history *h, enum verdict_result r);
const struct history_run *history_at(const struct history *h, const struct history_series *s, size_t i);

const char *history_rpo(const struct history_run *r, struct words *w); /* "2 min 4 s ± 21 ms"; "-" */
const char *history_rto(const struct history_run *r, struct words *w);
/* "LOST RPO_EXCEEDED": the codes that decide; "" */
const char *history_reasons(const struct history_run *r, char text[static 1024]);
/* "mongod 6.0.5 → 7.0.1, pbm 2.5.0 → 2.6.0": what has another version than in the run before that knew its versions;
 * "": nothing. Names that one of the two lacks are no change. */
const char *history_changes(const struct history *h, const struct history_run *is, char text[static 1024]);

bool report_history_text(const struct history *h, bool color, struct buf *out, struct err *err);
bool report_history_markdown(const struct history *h, struct buf *out, struct err *err);
bool report_history_json(const struct history *h, struct buf *out, struct err *err);
bool report_history_metrics(const struct history *h, struct buf *out, struct err *err);
bool report_history_html(const struct history *h, struct buf *out, struct err *err);

#endif
