/* What an API server's refusals mean. Not all are Status objects: proxies and unknown paths answer in plain text. */
#include "base/text.h"
#include "kube/request.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_MAX 1200
#define REASON_MAX 192

/* A byte of it may become three. */
static bool add_plain(struct buf *out, const char *text, size_t max_len)
{
	struct err ignored = ERR_INIT;

	return text && text_neutral(out, text, strnlen(text, max_len), false, &ignored) && out->len;
}

const char *kube_subject(const struct call *call, char text[static KUBE_SUBJECT_MAX])
{
	BUF_CLEANUP struct buf plain = BUF_INIT(KUBE_SUBJECT_MAX - 1);
	struct err ignored = ERR_INIT;
	char kind[sizeof call->kind->kind];
	size_t i = 0;

	if (!call->kind) {
		/* a query may hold a continue token, and says nothing to a reader */
		snprintf(text, KUBE_SUBJECT_MAX, "%s \"%.*s\"", call->verb, (int)strcspn(call->path, "?"), call->path);
		return text;
	}
	for (; call->kind->kind[i]; i++)
		kind[i] = (char)tolower((unsigned char)call->kind->kind[i]);
	kind[i] = '\0';
	buf_printf(&plain, &ignored, "%s %s", call->verb, kind);
	if (call->name)
		buf_printf(&plain, &ignored, " \"%s%s%.253s\"", call->namespace_ ? call->namespace_ : "",
		    call->namespace_ ? "/" : "", call->name);
	else if (call->namespace_)
		buf_printf(&plain, &ignored, " in \"%.253s\"", call->namespace_);
	snprintf(text, KUBE_SUBJECT_MAX, "%s", buf_str(&plain));
	return text;
}

/* What a Status says, as far as it matters here; texts point into the document. */
struct refusal {
	int code;
	const char *reason, *message;
	const char *kind, *name; /* details */
	const char *cause;	 /* the first one's reason */
};

static struct refusal read_status(const json_node *status, int code)
{
	return (struct refusal){
	    .code = (int)json_int_at(status, "code", code),
	    .reason = json_text_at(status, "reason"),
	    .message = json_text_at(status, "message"),
	    .kind = json_text_at(status, "details/kind"),
	    .name = json_text_at(status, "details/name"),
	    .cause = json_text_at(status, "details/causes/0/reason"),
	};
}

static bool is(const char *text, const char *other)
{
	return text && !strcmp(text, other);
}

static enum err_code code_of(const struct refusal *r)
{
	if (r->code == 401 || r->code == 403)
		return ERR_AUTH;
	/* without a name it is the kind or the path that is not there */
	if (r->code == 404)
		return r->name ? ERR_NOT_FOUND : ERR_UNSUPPORTED;
	if (r->code == 405 || r->code == 406 || r->code == 415)
		return ERR_UNSUPPORTED;
	if (r->code == 409)
		return is(r->reason, "AlreadyExists") ? ERR_EXISTS : ERR_CONFLICT;
	if (r->code == 410)
		return ERR_GONE;
	if (r->code == 413)
		return ERR_LIMIT;
	if (r->code == 408 || r->code == 504)
		return ERR_TIMEOUT;
	return ERR_REMOTE;
}

static void say(const struct call *call, const struct refusal *r, const char *message, struct err *err)
{
	BUF_CLEANUP struct buf reason = BUF_INIT(REASON_MAX);
	char subject[KUBE_SUBJECT_MAX];
	enum err_code code = code_of(r);

	kube_subject(call, subject);
	if (code == ERR_NOT_FOUND && call->kind && is(r->kind, call->kind->plural) && call->name &&
	    is(r->name, call->name))
		err_set(err, code, "%s: not found", subject);
	else if (code == ERR_EXISTS && !strncmp(message, "object is being deleted", 23))
		err_set(err, code, "%s: already exists and is being deleted", subject);
	else if (code == ERR_EXISTS)
		err_set(err, code, "%s: already exists", subject);
	else if (code == ERR_UNSUPPORTED && r->code == 404)
		err_set(err, code, "%s: the server has no such kind (%s)", subject, *message ? message : "404");
	else if (add_plain(&reason, r->reason, REASON_MAX / 3))
		err_set(
		    err, code, "%s: %s (%d %s)", subject, *message ? message : "refused", r->code, buf_str(&reason));
	else
		err_set(err, code, "%s: %s (%d)", subject, *message ? message : "refused", r->code);
}

static const char *hint_of(const struct refusal *r, const char *message, bool anonymous)
{
	if (r->code == 401)
		return "the token or certificate is not valid, or no longer: expired or revoked; get a new one";
	if (is(r->cause, "NamespaceTerminating"))
		return "the namespace is being deleted: wait until it is gone, then create it again";
	if (r->code == 403 && (anonymous || strstr(message, "system:anonymous")))
		return "no credentials were sent: name a context with a user in the kubeconfig";
	if (r->code == 403)
		return "give this user or service account a role with that verb";
	if (r->code == 404 && !r->name)
		return "check that its custom resource definition or API service is installed";
	if (is(r->cause, "FieldManagerConflict"))
		return "another manager owns these fields: take them by force, or leave them out";
	if (r->code == 409 && is(r->reason, "Conflict"))
		return "read the object again and repeat the change";
	if (r->code == 409)
		return "wait until it is gone, or choose another name";
	if (r->code == 429)
		return "the server is overloaded or limits this user: try again later";
	if (r->code == 413)
		return "the server takes no larger body";
	if (r->code >= 300 && r->code < 400)
		return "no redirect is followed: name the address of the API server itself";
	if (r->code >= 500 && r->reason)
		return "see the API server's log";
	return NULL;
}

static bool refuse(const struct call *call, const struct refusal *r, bool anonymous, struct err *err)
{
	BUF_CLEANUP struct buf message = BUF_INIT(MESSAGE_MAX);
	const char *hint;

	add_plain(&message, r->message, MESSAGE_MAX / 3);
	say(call, r, buf_str(&message), err);
	hint = hint_of(r, buf_str(&message), anonymous);
	if (hint)
		err_hint(err, "%s", hint);
	return false;
}

bool kube_refused_status(const struct call *call, const json_node *status, struct err *err)
{
	struct refusal r = read_status(status, 500);

	return refuse(call, &r, false, err);
}

bool kube_refused(const struct call *call, int status, const char *body, size_t len, bool anonymous, struct err *err)
{
	CLEANUP(json) struct json *doc = NULL;
	struct err ignored = ERR_INIT;
	struct refusal r = {.code = status};
	CLEANUP(free) char *line = NULL;

	if (kube_parse(body, len, &doc, &ignored) && json_is_at(json_root(doc), "kind", "Status")) {
		r = read_status(json_root(doc), status);
		r.code = status;
		return refuse(call, &r, anonymous, err);
	}
	/* a page of a proxy is cut after its first line */
	line = strndup(body ? body : "", strcspn(body ? body : "", "\r\n"));
	r.message = line;
	return refuse(call, &r, anonymous, err);
}
