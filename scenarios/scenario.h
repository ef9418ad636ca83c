/*
 * A scenario: a YAML file of steps.
 *
 *   scenario: case-1                       its name: letters, digits and '-'
 *   about: one paragraph
 *   parameters: {namespace: mongo-ns, ...} texts; each can be set from outside, none is a secret
 *   steps:
 *   - run-policy: {policy: ${policy}}      one verb and its arguments (step.h); nothing else in the entry but
 *     title: run the backup policy         "title", what people read
 *
 * Unknown keys, verbs and arguments are refused with the place and what is known. ${name} stands in scalars only, for a
 * parameter or a value that an earlier step has set. A file is bounded (doc/yaml.h) and at most 200 steps long.
 */
#ifndef SCENARIOS_SCENARIO_H
#define SCENARIOS_SCENARIO_H

#include "doc/json_edit.h"

#include <limits.h>

#define SCENARIO_STEPS_MAX 200
#define SCENARIO_NAME_MAX 64

struct step_def;

struct scenario_step {
	const struct step_def *def;
	const json_node *args; /* an object, within the document; as written, ${names} included */
	char title[256];       /* "" if the file gives none */
};

struct scenario {
	struct json *doc;
	char name[SCENARIO_NAME_MAX];
	const char *about;
	const json_node *parameters; /* an object of texts; may be NULL */
	struct scenario_step *steps;
	size_t count;
};

bool scenario_parse(const char *text, size_t len, struct scenario *ret, struct err *err);
/* The error begins with the path. text gets the file's bytes. */
bool scenario_read(const char *path, struct buf *text, struct scenario *ret, struct err *err);
void scenario_clear(struct scenario *s);
#define SCENARIO_CLEANUP __attribute__((cleanup(scenario_clear)))
bool scenario_destroys(const struct scenario *s);
/* Does one of its steps, or this one, ask both locks? */
bool scenario_asks_locks(const struct scenario *s);
bool scenario_step_asks_locks(const struct scenario *s, size_t step);

/* "case-1" is looked for among the shipped ones; anything with '/' or ".yaml" is a file. */
bool scenario_find(const char *name, char ret[static PATH_MAX], struct err *err);

/* What a ${name} stands for; NULL: not known. */
typedef const char *(*scenario_lookup)(void *ctx, const char *name);
/* args with every ${name} replaced. strict: an unknown name is ERR_USAGE, else it stays as it is written. */
bool scenario_fill(
    const json_node *args, scenario_lookup lookup, void *ctx, bool strict, struct json **ret, struct err *err);

#endif
