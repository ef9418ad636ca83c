#include "sandbox/api/status.h"

#include "doc/json_writer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void api_response_init(struct api_response *r)
{
	*r = (struct api_response){.code = 500, .content_type = "application/json", .body = BUF_INIT(API_ANSWER_MAX)};
}

void api_response_clear(struct api_response *r)
{
	if (r->stream)
		r->stream->free(r->stream);
	r->stream = NULL;
	buf_clear(&r->body);
}

static void put_if(struct json_writer *w, const char *key, const char *value)
{
	if (value && *value)
		json_put_string(w, key, value);
}

static void put_details(struct json_writer *w, const struct status_details *d)
{
	json_object(w, "details");
	put_if(w, "name", d->name);
	put_if(w, "group", d->group);
	put_if(w, "kind", d->kind);
	put_if(w, "uid", d->uid);
	if (d->cause_count) {
		json_array(w, "causes");
		for (size_t i = 0; i < d->cause_count; i++) {
			json_object(w, NULL);
			json_put_string(w, "reason", d->causes[i].reason);
			json_put_string(w, "message", d->causes[i].message);
			put_if(w, "field", d->causes[i].field);
			json_end_object(w);
		}
		json_end_array(w);
	}
	if (d->retry_after_s)
		json_put_int(w, "retryAfterSeconds", d->retry_after_s);
	json_end_object(w);
}

bool status_print(struct buf *out, int code, const char *reason, const struct status_details *details,
    const char *message, struct err *err)
{
	struct json_writer w;

	json_writer_init(&w, out);
	json_object(&w, NULL);
	json_put_string(&w, "kind", "Status");
	json_put_string(&w, "apiVersion", "v1");
	json_object(&w, "metadata");
	put_if(&w, "continue", details ? details->go_on : NULL);
	json_end_object(&w);
	json_put_string(&w, "status", code < 400 ? "Success" : "Failure");
	put_if(&w, "message", message);
	put_if(&w, "reason", reason);
	if (details)
		put_details(&w, details);
	if (code >= 400)
		json_put_int(&w, "code", code);
	json_end_object(&w);
	return json_writer_ok(&w, err);
}

static void answer(
    struct api_response *r, int code, const char *reason, const struct status_details *details, const char *message)
{
	struct err err = ERR_INIT;

	buf_reset(&r->body);
	r->code = code;
	r->content_type = "application/json";
	r->retry_after_s = details ? details->retry_after_s : 0;
	if (!status_print(&r->body, code, reason, details, message, &err))
		buf_reset(&r->body);
}

bool status_failure(
    struct api_response *r, int code, const char *reason, const struct status_details *details, const char *fmt, ...)
{
	char message[4096];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof message, fmt, args);
	va_end(args);
	answer(r, code, reason, details, message);
	return false;
}

const char *status_resource_name(const struct resource *res, char text[static 300])
{
	snprintf(text, 300, *res->group ? "%s.%s" : "%s", res->plural, res->group);
	return text;
}

const char *status_kind_name(const struct resource *res, char text[static 300])
{
	snprintf(text, 300, *res->group ? "%s.%s" : "%s", res->kind, res->group);
	return text;
}

bool status_page_not_found(struct api_response *r)
{
	struct err err = ERR_INIT;

	buf_reset(&r->body);
	buf_add_str(&r->body, "404 page not found\n", &err);
	r->code = 404;
	r->content_type = "text/plain; charset=utf-8";
	return false;
}

bool status_no_resource(struct api_response *r)
{
	const struct status_details none = {0};

	return status_failure(r, 404, "NotFound", &none, "the server could not find the requested resource");
}

bool status_no_method(struct api_response *r)
{
	const struct status_details none = {0};

	return status_failure(
	    r, 405, "MethodNotAllowed", &none, "the server does not allow this method on the requested resource");
}

bool status_not_found(struct api_response *r, const struct resource *res, const char *name)
{
	const struct status_details details = {.name = name, .group = res->group, .kind = res->plural};
	char text[300];

	return status_failure(
	    r, 404, "NotFound", &details, "%s \"%.256s\" not found", status_resource_name(res, text), name);
}

bool status_bad_request(struct api_response *r, const char *fmt, ...)
{
	char message[4096];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof message, fmt, args);
	va_end(args);
	answer(r, 400, "BadRequest", NULL, message);
	return false;
}

bool status_stale(struct api_response *r, const struct resource *res, const char *name)
{
	const struct status_details details = {.name = name, .group = res->group, .kind = res->plural};
	char text[300];

	return status_failure(r, 409, "Conflict", &details,
	    "Operation cannot be fulfilled on %s \"%s\": the object has been modified; please apply your changes to "
	    "the "
	    "latest version and try again",
	    status_resource_name(res, text), name);
}

bool status_invalid(struct api_response *r, const struct resource *res, const char *name, const char *field_reason,
    const char *field, const char *fmt, ...)
{
	struct status_cause cause = {.reason = field_reason, .field = field};
	const struct status_details details = {
	    .name = name, .group = res->group, .kind = res->kind, .causes = &cause, .cause_count = 1};
	char text[300], message[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof message, fmt, args);
	va_end(args);
	cause.message = message;
	return status_failure(r, 422, "Invalid", &details, "%s \"%.256s\" is invalid: %s: %s",
	    status_kind_name(res, text), name, field, message);
}

bool status_internal(struct api_response *r, const struct err *err)
{
	if (err->code == ERR_LIMIT)
		return status_failure(r, 500, NULL, NULL, "etcdserver: request is too large: %s", err->msg);
	return status_failure(r, 500, "InternalError", NULL, "Internal error occurred: %s", err->msg);
}

bool status_deleted(struct api_response *r, const struct resource *res, const struct object *object)
{
	const struct status_details details = {
	    .name = object->name, .group = res->group, .kind = res->plural, .uid = object->uid};

	answer(r, 200, NULL, &details, NULL);
	return false;
}
