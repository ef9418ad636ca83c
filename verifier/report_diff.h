/*
 * What has changed between two verdicts: a list of rows, what got worse, and whether the two can be compared at all.
 * Pure: two verdicts in, a list out. A figure has an error; two figures differ only by more than both errors together.
 */
#ifndef VERIFIER_REPORT_DIFF_H
#define VERIFIER_REPORT_DIFF_H

#include "base/buf.h"
#include "evidence/verdict.h"

#define DIFF_FORMAT "psmdb-drill/diff"
#define DIFF_VERSION 1

/* X(name, text): what a row says of the second run against the first */
#define DIFF_TONES(X)                                                                                                  \
	X(SAME, "same")                                                                                                \
	X(CHANGED, "changed")                                                                                          \
	X(BETTER, "better")                                                                                            \
	X(WORSE, "worse")                                                                                              \
	X(NOT_MEASURABLE, "no difference that could be measured")                                                      \
	X(NOT_KNOWN, "not known")
enum diff_tone {
#define X(name, text) DIFF_##name,
	DIFF_TONES(X)
#undef X
};
const char *diff_tone_text(enum diff_tone t);

/* X(name, key in JSON, heading) */
#define DIFF_PARTS(X)                                                                                                  \
	X(RESULT, "result", "Result")                                                                                  \
	X(REASONS, "reasons", "Reasons")                                                                               \
	X(FIGURES, "figures", "Figures")                                                                               \
	X(PHASES, "phases", "Phases of the recovery")                                                                  \
	X(TICKS, "ticks", "Ticks")                                                                                     \
	X(CHECKS, "checks", "Checks")                                                                                  \
	X(RESTORE, "restore", "Restore point and restore")                                                             \
	X(DATABASE, "database", "The restored database")                                                               \
	X(VERSIONS, "versions", "Versions")
enum diff_part {
#define X(name, key, heading) DIFF_##name,
	DIFF_PARTS(X)
#undef X
	    DIFF_PART_COUNT
};
const char *diff_part_key(enum diff_part p);
const char *diff_part_heading(enum diff_part p);

enum diff_unit { DIFF_TEXT, DIFF_MS, DIFF_COUNT };

struct diff_figure {
	bool known, at_least;
	int64_t value, error;
};

struct diff_row {
	enum diff_part part;
	enum diff_tone tone;
	enum diff_unit unit;
	struct diff_figure was, is;   /* not of DIFF_TEXT */
	int64_t delta, delta_error;   /* where both are known: is - was, and both errors */
	char name[288];		      /* of the check, the phase, the version, ... */
	char before[288], after[288]; /* as people read it; "" : not there */
	char note[160];		      /* "" or what else is to be known */
};

struct diff_limits {
	double rpo_growth, rto_growth; /* percent; negative: none */
};

#define DIFF_SENTENCES_MAX (VERDICT_REASONS_MAX + CLASS_COUNT + 16)
struct diff_sentence {
	char what
	    [32]; /* a stable word: "result", "reason", "ticks", "rpo-growth", "rto-growth", "removal"; "data", "kind" */
	char text[320];
};
struct diff_sentences {
	struct diff_sentence items[DIFF_SENTENCES_MAX];
	size_t count;
};

struct diff {
	const struct verdict *before, *after; /* borrowed */
	const char *before_name, *after_name; /* borrowed */
	struct diff_row *rows;		      /* by part */
	size_t row_count, row_room;
	struct diff_sentences worse;	    /* what got worse: the reasons of exit status 1 */
	struct diff_sentences incomparable; /* why the two cannot be compared: of exit status 4 */
	struct diff_sentences notes;	    /* to know: other scenario, other cluster, the order of the two */
};

bool diff_make(const struct verdict *before, const char *before_name, const struct verdict *after,
    const char *after_name, const struct diff_limits *limits, struct diff **ret, struct err *err);
void diff_free(struct diff *d);
CLEANUP_PTR(diff, struct diff, diff_free)
/* EXIT_FAIL: something got worse; EXIT_INCONCLUSIVE: they cannot be compared; else EXIT_PASS. */
int diff_exit_status(const struct diff *d);
/* How two figures stand to each other; lower is better. *ret_delta, *ret_error: where both are known. */
enum diff_tone diff_figures(
    const struct diff_figure *was, const struct diff_figure *is, int64_t *ret_delta, int64_t *ret_error);

/* report_diff_text.c, report_diff_json.c */
bool report_diff_text(const struct diff *d, bool color, struct buf *out, struct err *err);
bool report_diff_markdown(const struct diff *d, struct buf *out, struct err *err);
bool report_diff_json(const struct diff *d, struct buf *out, struct err *err);

#endif
