/* Label and field selectors, as lists and watches take them. */
#ifndef API_SELECTOR_H
#define API_SELECTOR_H

#include "sandbox/api/resource.h"

#define SELECTOR_MAX 32
#define SELECTOR_VALUES_MAX 64

enum selector_op { SELECT_IN, SELECT_NOT_IN, SELECT_EXISTS, SELECT_MISSING };

struct selector {
	char *label_text, *field_text; /* owned */
	struct {
		const char *key;
		enum selector_op op;
		const char *values[SELECTOR_VALUES_MAX];
		size_t value_count;
	} labels[SELECTOR_MAX];
	size_t label_count;
	struct {
		const char *path; /* in the object */
		const char *value;
		bool differs;
	} fields[SELECTOR_MAX];
	size_t field_count;
};

/* Either text may be NULL or "". ERR_PARSE with the message that the answer (400) holds. */
bool selector_parse(
    const char *labels, const char *fields, const struct resource *res, struct selector *ret, struct err *err);
void selector_clear(struct selector *s);
#define SELECTOR_CLEANUP __attribute__((cleanup(selector_clear)))

bool selector_matches(const struct selector *s, const json_node *object);
bool selector_is_empty(const struct selector *s);

#endif
