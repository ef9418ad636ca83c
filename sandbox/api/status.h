/* Answers of kind Status, as a real server words them. All return false, so that "return status_...(...)" reads well. */
#ifndef API_STATUS_H
#define API_STATUS_H

#include "sandbox/api/http.h"
#include "sandbox/api/resource.h"

struct status_cause {
	const char *reason, *message, *field; /* field may be NULL */
};

struct status_details {
	const char *name, *group, *kind, *uid; /* NULL or "": left out */
	const struct status_cause *causes;
	size_t cause_count;
	int retry_after_s;
	const char *go_on; /* a list's continue token; NULL: none */
};

/* details NULL: none at all. reason NULL: none. */
bool status_failure(struct api_response *r, int code, const char *reason, const struct status_details *details,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* The whole Status as text, for ERROR events. */
bool status_print(struct buf *out, int code, const char *reason, const struct status_details *details,
    const char *message, struct err *err);

bool status_page_not_found(struct api_response *r);
bool status_no_resource(struct api_response *r);
bool status_no_method(struct api_response *r);
bool status_not_found(struct api_response *r, const struct resource *res, const char *name);
bool status_bad_request(struct api_response *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool status_stale(struct api_response *r, const struct resource *res, const char *name);
/* 422 with one cause; field_reason e.g. "FieldValueInvalid" */
bool status_invalid(struct api_response *r, const struct resource *res, const char *name, const char *field_reason,
    const char *field, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
bool status_internal(struct api_response *r, const struct err *err);
/* 200 with the uid of what was deleted. */
bool status_deleted(struct api_response *r, const struct resource *res, const struct object *object);

/* "pods" or "policies.config.kio.kasten.io" */
const char *status_resource_name(const struct resource *res, char text[static 300]);
/* "Pod" or "Policy.config.kio.kasten.io" */
const char *status_kind_name(const struct resource *res, char text[static 300]);

#endif
