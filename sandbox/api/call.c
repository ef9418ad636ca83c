/* What several verbs need of a request. */
#include "sandbox/api/call.h"

#include "base/num.h"
#include "doc/yaml.h"
#include "sandbox/api/protobuf.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *call_now(const struct store *s, char text[static 32])
{
	time_format(clock_wall_ms(db_clock(s)), text);
	if (strlen(text) > 19)
		snprintf(text + 19, 13, "Z"); /* metadata has whole seconds */
	return text;
}

bool call_warn(struct call *c, const char *fmt, ...)
{
	struct api_response *r = c->response;
	va_list args;

	if (r->warning_count == sizeof r->warnings / sizeof *r->warnings)
		return true;
	va_start(args, fmt);
	vsnprintf(r->warnings[r->warning_count++], sizeof *r->warnings, fmt, args);
	va_end(args);
	return true;
}

void call_media_type(const char *header, char *ret, size_t size)
{
	size_t n = 0;

	for (const char *p = header ? header : ""; *p && *p != ';' && n + 1 < size; p++)
		if (!isspace((unsigned char)*p))
			ret[n++] = (char)tolower((unsigned char)*p);
	ret[n] = '\0';
}

void call_manager(const struct call *c, char ret[static 129])
{
	const char *given = query_get(&c->query, "fieldManager");
	const char *agent = c->request->user_agent ? c->request->user_agent : "unknown";

	if (given && *given)
		snprintf(ret, 129, "%.128s", given);
	else
		snprintf(ret, 129, "%.*s", (int)(strcspn(agent, "/") > 128 ? 128 : strcspn(agent, "/")), agent);
}

/* --- answers ----------------------------------------------------------------------------------------------------- */

bool call_answer_object(struct call *c, int code, const json_node *root)
{
	struct err err = ERR_INIT;

	buf_reset(&c->response->body);
	if (!json_print(root, false, &c->response->body, &err))
		return status_internal(c->response, &err);
	c->response->code = code;
	return true;
}

bool call_print_object(const struct resource *res, const struct object *object, struct buf *out, struct err *err)
{
	CLEANUP(json) struct json *doc = NULL;

	/* Versions of one kind differ in their name alone. */
	if (json_is_at(object_root(object), "apiVersion", res->api_version))
		return buf_add(out, object->text, object->len, err);
	return json_clone(object_root(object), &doc, err) &&
	       json_set_text(json_edit(doc), "apiVersion", res->api_version, err) &&
	       json_print(json_root(doc), false, out, err);
}

bool call_answer_stored(struct call *c, int code, const struct object *object)
{
	struct err err = ERR_INIT;

	buf_reset(&c->response->body);
	if (!call_print_object(&c->res, object, &c->response->body, &err))
		return status_internal(c->response, &err);
	c->response->code = code;
	return true;
}

/* --- bodies and options ------------------------------------------------------------------------------------------ */

static bool is_yaml(const char *media_type)
{
	return strstr(media_type, "yaml") != NULL;
}

bool call_unknown_format(struct call *c, bool patch)
{
	static const char ordinary[] = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
	static const char custom[] =
	    "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
	static const char built_in[] = "application/json-patch+json, application/merge-patch+json, "
				       "application/strategic-merge-patch+json, application/apply-patch+yaml";

	return status_failure(c->response, 415, "UnsupportedMediaType", NULL,
	    "the body of the request was in an unknown format - accepted media types include: %s",
	    patch ? (c->res.custom ? custom : built_in) : ordinary);
}

bool call_parse_yaml(struct call *c)
{
	struct yaml_limits limits = YAML_LIMITS_DEFAULT;
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};
	struct err err = ERR_INIT;

	limits.max_depth = API_BODY_DEPTH_MAX;
	if (!yaml_parse(c->request->body ? c->request->body : "", c->request->body_len, &limits, &docs, &err))
		return status_bad_request(c->response, "error decoding YAML: %s", err.msg);
	if (docs.count != 1)
		return status_bad_request(c->response, "error decoding YAML: %zu documents, not one", docs.count);
	c->body = TAKE(docs.items[0]);
	return true;
}

static bool parse_protobuf(struct call *c)
{
	const struct json_limits limits = {
	    .max_bytes = 2 * API_BODY_MAX, .max_depth = API_BODY_DEPTH_MAX, .unique_keys = true};
	BUF_CLEANUP struct buf text = BUF_INIT(2 * API_BODY_MAX);
	struct err err = ERR_INIT;

	if (!protobuf_to_json(c->request->body ? c->request->body : "", c->request->body_len, &text, &err))
		return err.code == ERR_UNSUPPORTED ? call_unknown_format(c, false)
						   : status_bad_request(c->response, "%s", err.msg);
	return json_parse(buf_str(&text), text.len, &limits, &c->body, &err) ||
	       status_bad_request(c->response, "%s", err.msg);
}

bool call_parse_body(struct call *c, bool patch)
{
	const struct json_limits limits = {
	    .max_bytes = API_BODY_MAX, .max_depth = API_BODY_DEPTH_MAX, .unique_keys = true};
	const char *text = c->request->body ? c->request->body : "";
	char media_type[128];
	struct err err = ERR_INIT;

	call_media_type(c->request->content_type, media_type, sizeof media_type);
	if (!patch && !strcmp(media_type, PROTOBUF_MEDIA_TYPE))
		return parse_protobuf(c);
	if (!patch && is_yaml(media_type))
		return call_parse_yaml(c);
	if (!patch && *media_type && strcmp(media_type, "application/json"))
		return call_unknown_format(c, false);
	if (!json_parse(text, c->request->body_len, &limits, &c->body, &err)) {
		const char *what = c->request->body_len ? err.msg : "unexpected end of JSON input (<empty>)";

		if (patch)
			return status_bad_request(c->response, "error decoding patch: %s", what);
		return status_bad_request(c->response,
		    "the object provided is unrecognized (must be of type %s): couldn't get version/kind; json parse "
		    "error: %s",
		    c->res.kind, what);
	}
	return true;
}

bool call_read_dry_run(struct call *c)
{
	const char *value = query_get(&c->query, "dryRun");
	const struct status_cause cause = {
	    "FieldValueNotSupported", "Unsupported value: supported values: \"All\"", "dryRun"};
	const struct status_details details = {
	    .group = "meta.k8s.io", .kind = "Options", .causes = &cause, .cause_count = 1};

	c->dry_run = value && !strcmp(value, "All");
	if (value && !c->dry_run)
		return status_failure(c->response, 422, "Invalid", &details,
		    "Options.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: \"%.64s\": supported values: "
		    "\"All\"",
		    value);
	return true;
}

bool call_parse_version(struct call *c, const char *param, bool *ret_given, uint64_t *ret)
{
	const char *text = query_get(&c->query, param);

	*ret_given = text && *text;
	*ret = 0;
	if (*ret_given && !num_parse_u64(text, strlen(text), UINT64_MAX, ret))
		return status_failure(c->response, 500, NULL, NULL,
		    "%s: Invalid value: \"%.64s\": strconv.ParseUint: parsing \"%.64s\": invalid syntax", param, text,
		    text);
	return true;
}
