/*
 * What pbm's JSON output says. Output is hostile as any: bounded, and text out of it is made harmless (one line, no
 * control characters). Warnings in front of the JSON are skipped.
 */
#ifndef OPERATOR_ANSWER_H
#define OPERATOR_ANSWER_H

#include "base/err.h"

#include <stdint.h>

#define ANSWER_NAME_MAX 40
#define ANSWER_TEXT_MAX 900

/* X(id) */
enum answer_state {
	ANSWER_UNREADABLE, /* no JSON, or not what was asked for: text holds the last words */
	ANSWER_REFUSED,	   /* {"Error": text} */
	ANSWER_NOT_FOUND,  /* the same, and it is that PBM does not know the name */
	ANSWER_BUSY,	   /* the same, and it is that something else runs */
	ANSWER_STARTING,
	ANSWER_RUNNING, /* any status that is not starting, done or error */
	ANSWER_DONE,
	ANSWER_ERROR, /* text: why */
	ANSWER_NAMED, /* a command was taken: name */
};

struct answer {
	enum answer_state state;
	char name[ANSWER_NAME_MAX];
	int64_t transition_ms; /* the last one, 0: not told */
	char text[ANSWER_TEXT_MAX];
	char sets[256]; /* replica sets, separated by commas */
};

/* "pbm backup --out json", "pbm restore --out json" */
void answer_of_command(const char *output, struct answer *ret);
/* "pbm describe-backup", "pbm describe-restore" */
void answer_of_describe(const char *output, struct answer *ret);
/*
 * "pbm status --out json --sections backups": PBM's judgement of one backup, which knows of lost agents.
 * ANSWER_NOT_FOUND if it is not in the list.
 */
void answer_of_backups(const char *output, const char *name, struct answer *ret);
/* The oldest backup (or restore, "pbm list --restore --out json") that is not older than since_ms; ANSWER_NOT_FOUND: none. */
void answer_since(const char *output, int64_t since_ms, struct answer *ret);
/* "pbm version --out json": ANSWER_NAMED with the version as the name. */
void answer_of_version(const char *output, struct answer *ret);

#endif
