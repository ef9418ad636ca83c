/*
 * Command lines: one table a (sub)command drives parsing, --help and the manual page.
 *
 * Long options only, "--name value" and "--name=value"; "--" ends options; "--help" is always there. Values that are
 * secrets have no place here: programs take them from files or the environment. A usage error names the fault and one
 * mend (ERR_USAGE).
 */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include "base/err.h"

#include <stdint.h>
#include <stdio.h>

enum opt_kind {
	OPT_FLAG,     /* bool */
	OPT_STRING,   /* const char *, points into argv */
	OPT_LIST,     /* struct opt_list, may be given several times */
	OPT_INT,      /* int64_t between min and max */
	OPT_DURATION, /* int64_t in ms: 500ms, 10s, 5m, 2h */
	OPT_DOUBLE,   /* double between min and max */
};

#define OPT_LIST_MAX 64
struct opt_list {
	const char *items[OPT_LIST_MAX];
	size_t count;
};

struct opt {
	const char *name; /* without dashes; the table ends with a NULL name */
	enum opt_kind kind;
	void *ret;	  /* where the value goes; its content before parsing is the default */
	const char *arg;  /* the value's name in the help, e.g. "FILE" */
	const char *help; /* one sentence, lower case, may hold "(default: ...)" */
	int64_t min, max; /* OPT_INT, OPT_DURATION, OPT_DOUBLE; 0,0: no bound */
	bool required;
};

struct opt_command {
	const char *program; /* "psmdb-verify judge" */
	const char *args;    /* positional arguments in the usage line, "" if none */
	const char *about;   /* what it does, a paragraph */
	const struct opt *opts;
	const char *more; /* behind the options: exit statuses, environment, examples; may be NULL */
	size_t min_args, max_args;
};

enum opt_result { OPT_OK, OPT_HELP, OPT_BAD };

/*
 * argv[0] is skipped. On OPT_OK *ret_args points at the positional arguments inside argv (reordered) and *ret_count
 * counts them. OPT_HELP:
 * --help was given; the caller prints opt_help to stdout and exits 0.
 */
enum opt_result opt_parse(
    const struct opt_command *cmd, int argc, char **argv, char ***ret_args, size_t *ret_count, struct err *err);
void opt_help(const struct opt_command *cmd, FILE *out);
/* The same as a roff manual page, section 1. */
void opt_man(const struct opt_command *cmd, FILE *out);

#endif
