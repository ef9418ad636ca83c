/*
 * Failures that users really meet, by the text that they show themselves with: what is behind them, and what to do.
 * From the operator's, Kasten's and PBM's own texts; facts of each are in the table's comments.
 */
#ifndef SCENARIOS_SIGNATURES_H
#define SCENARIOS_SIGNATURES_H

#include <stdbool.h>
#include <stddef.h>

struct signature {
	const char *code; /* stable: S3_CREDENTIALS */
	const char
	    *pattern; /* a part of the text, case counts; '*' for anything in between, '|' between alternatives */
	const char *cause, *remedy;
	bool retry; /* the same again can succeed */
};

/* The first that fits; NULL: none is known. */
const struct signature *signature_find(const char *text);
extern const struct signature signatures[]; /* ends with a NULL code */

#endif
