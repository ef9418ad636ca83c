/* What tables of the built-in kinds print behind an object's name; as kubectl shows them. */
#ifndef API_COLUMNS_H
#define API_COLUMNS_H

#include "sandbox/api/call.h"

#define CELL_MAX 1024
#define COLUMNS_MAX 24

struct cell {
	char text[CELL_MAX];
	bool is_number;
	int64_t number;
};

typedef void cell_of(const json_node *o, struct cell *ret);

struct column {
	const char *key; /* of the store; NULL: every other built-in kind */
	const char *name;
	cell_of *cell;
	int priority;	  /* 1: shown by -o wide alone */
	const char *type; /* NULL: "string", whatever the cells are */
};

/* How many there are for the kind with this key. */
size_t columns_of(const char *key, const struct column *ret[COLUMNS_MAX]);
/* How long ago a time in RFC 3339 was, as kubectl words it. */
void cell_age(const char *time, struct cell *ret);

#endif
