/*
 * What a scenario's steps are made of: one definition a verb, in scenarios/steps/. The runner looks the verb up, checks
 * the arguments against the table, and calls check() of all steps before run() of the first.
 */
#ifndef SCENARIOS_STEP_H
#define SCENARIOS_STEP_H

#include "scenarios/drill.h"

enum step_arg_kind { ARG_TEXT, ARG_DURATION, ARG_INT, ARG_BOOL, ARG_LIST, ARG_MAP };

struct step_arg {
	const char *name; /* the table ends with a NULL name */
	enum step_arg_kind kind;
	bool required;
	const char *otherwise; /* the default, for the help; NULL: none */
	const char *help;
};

enum step_flag {
	STEP_DESTROYS = 1, /* both locks are asked before it runs */
	STEP_ONCE = 2,	   /* what it finds out is kept under fixed names: a scenario has one of it at most */
	STEP_LOCKED = 16,  /* destroys nothing itself, but both locks are asked */
	STEP_ENDS = 8,	   /* the disaster, of whatever kind: a scenario has one */
	STEP_AGAIN =
	    32, /* a finished run that is resumed does it again, unless its verdict was PASS: a scenario's last */
	STEP_LEAVES = 4, /* the steps behind it go to the cluster of --to-context */
};

struct step_def {
	const char *verb;  /* "run-policy" */
	const char *about; /* one sentence */
	const struct step_arg *args;
	unsigned flags; /* of enum step_flag */
	/* What it does, to which objects: one line, lower case; the step's title. */
	bool (*describe)(struct drill *d, const json_node *args, struct buf *out, struct err *err);
	/* Before anything runs, and for --dry-run: may ask the API, changes nothing. NULL: nothing to look at. */
	bool (*check)(struct drill *d, const json_node *args, struct err *err);
	/* Looks first what an earlier attempt has done already. */
	bool (*run)(struct drill *d, const json_node *args, struct err *err);
};

/* All verbs, in the order of the documentation; ends with NULL. */
extern const struct step_def *const step_defs[];
const struct step_def *step_find(const char *verb);

/* --- arguments: already checked, with ${names} already replaced --------------------------------------------------- */

const char *step_text(const json_node *args, const char *name, const char *otherwise);
int64_t step_duration_ms(const json_node *args, const char *name, int64_t otherwise_ms); /* "90s", "15m" */
int64_t step_int(const json_node *args, const char *name, int64_t otherwise);
bool step_bool(const json_node *args, const char *name, bool otherwise);
const json_node *step_node(const json_node *args, const char *name); /* a list or map; NULL */

#endif
