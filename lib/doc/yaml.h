/*
 * Bounded YAML, read into JSON trees (doc/json.h) by libyaml's events: the only place that parses YAML.
 *
 * Scalars are resolved as kubectl does (YAML 1.1 through sigs.k8s.io/yaml): null, ~, true/false/yes/no/on/off/y/n as
 * booleans, decimal, octal (0o17, 017), hex and binary integers, floats, everything else (times, too) text; quoted
 * scalars and !!str are text; !!binary, unknown tags and numbers that are not finite are refused. Keys become text.
 * Merge keys (<<) and aliases work within a budget; what a mapping says itself wins over what is merged.
 * Refused with one error that names line and column: more than max_bytes, nesting over max_depth, more than max_nodes
 * (aliases counted each time they are used; their texts may be as long as max_bytes again), a key twice in one mapping
 * or more than 2,000 keys in it, more than 1,000 anchors in a document, NUL, invalid UTF-8, an alias to itself,
 * integers beyond 2^53.
 */
#ifndef DOC_YAML_H
#define DOC_YAML_H

#include "doc/json.h"

struct yaml_limits {
	size_t max_bytes;
	int max_depth; /* at most 64 */
	size_t max_nodes;
	size_t max_docs;
};
#define YAML_LIMITS_DEFAULT                                                                                            \
	{                                                                                                              \
		.max_bytes = 4 << 20, .max_depth = 48, .max_nodes = 200000, .max_docs = 256                            \
	}

/* The documents of one stream ("---" between them); empty ones are left out. */
struct yaml_docs {
	struct json **items;
	size_t *lines; /* the line each begins on, from 1 */
	size_t count;
};

bool yaml_parse(const char *text, size_t len, const struct yaml_limits *limits, struct yaml_docs *ret, struct err *err);
void yaml_docs_clear(struct yaml_docs *docs);
#define YAML_DOCS_CLEANUP __attribute__((cleanup(yaml_docs_clear)))

/* A file; the error begins with the path. */
bool yaml_read(const char *path, const struct yaml_limits *limits, struct yaml_docs *ret, struct err *err);

#endif
