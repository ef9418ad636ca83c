/*
 * Inside this room only: the values of doc/template.h and what its functions do with them.
 *
 * A value is plain and borrows: texts belong to the memory, nodes to the data. Objects and arrays are nodes; every
 * other JSON value is a kind of its own. Whole numbers within 2^53 are integers, as in Kubernetes' own decoder.
 */
#ifndef DOC_TEMPLATE_VALUE_H
#define DOC_TEMPLATE_VALUE_H

#include "doc/go_time.h"
#include "doc/json.h"

enum value_kind { VALUE_NIL, VALUE_BOOL, VALUE_INT, VALUE_FLOAT, VALUE_TEXT, VALUE_NODE, VALUE_TIME };

struct value {
	enum value_kind kind;
	bool truth;
	int64_t integer;
	double real;
	const char *text;
	const json_node *node;
	struct go_time time;
};

/* The texts that live until the end; at most TEMPLATE_MEMORY_MAX bytes. */
struct text_memory {
	char **texts;
	size_t count, bytes;
};
void text_memory_clear(struct text_memory *memory);
/* A copy; NULL: err says why. */
const char *text_memory_add(struct text_memory *memory, const char *text, size_t len, struct err *err);

struct value value_of_node(const json_node *node); /* NULL: nil */
struct value value_of_text(const char *text);
struct value value_of_bool(bool truth);
struct value value_of_int(int64_t integer);
struct value value_of_float(double real);

bool value_is_true(const struct value *value); /* not the kind's zero, not empty */
const char *value_kind_name(const struct value *value);
/* As an action and as Go's %v print it; nil alone makes a difference: <no value> and <nil>. */
bool value_print(const struct value *value, struct buf *out, struct err *err);
bool value_print_inside(const struct value *value, struct buf *out, struct err *err);

/* The first argument of "and" and "or" that decides is their last one. */
enum value_stops { STOPS_NEVER, STOPS_AT_FALSE, STOPS_AT_TRUE };

struct value_call {
	struct text_memory *memory;
	const struct value *args;
	size_t count; /* between the function's min and max */
};

struct value_function {
	const char *name;
	size_t min, max; /* arguments */
	enum value_stops stops;
	bool (*call)(const struct value_call *c, struct value *ret, struct err *err);
};
#define VALUE_ARGS_MAX 16
/* NULL: there is none of this name. */
const struct value_function *value_function_find(const char *name, size_t len);

#endif
