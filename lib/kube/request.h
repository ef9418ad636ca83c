/*
 * Inside of this room: one request of a client and what its answer means. Every verb, watch and log goes through
 * kube_call or kube_stream; nothing else here knows HTTP.
 */
#ifndef KUBE_REQUEST_H
#define KUBE_REQUEST_H

#include "kube/auth.h"
#include "kube/client.h"
#include "kube/discovery.h"
#include "net/http.h"

#define KUBE_PATH_MAX 8192
#define KUBE_BODY_MAX (64 << 20)
#define KUBE_SUBJECT_MAX 640

struct kube_http {
	struct http_client *client;
	uint64_t turn; /* of the plugin's certificate that it was made with */
};

struct kube {
	struct kube_config config;
	struct kube_auth auth;
	const struct clock *clock;
	const volatile int *stop;
	int stop_fd;
	int64_t timeout_ms;
	char manager[64];
	void (*on_warning)(void *ctx, const char *text);
	void *on_warning_ctx;
	/* two, so that what a watch calls back may send requests */
	struct kube_http requests, streams;
	bool streaming;
	struct discovery discovery;
	int status; /* of the last answer; 0: there was none */
	struct {
		int64_t ms;
		void (*on_away)(void *ctx, int64_t away_ms, const char *why);
		void *ctx;
	} patience;
};

/* One request, and how messages name it: verb kind "namespace/name". */
struct call {
	const char *verb;
	const char *method;
	const char *path;	      /* with its query, without the server */
	const struct kube_kind *kind; /* NULL: messages name the path */
	const char *namespace_, *name;
	const char *content_type;
	const json_node *body;
	int64_t timeout_ms;   /* 0: the client's */
	int max_attempts;     /* 0: as net/http.h has it */
	bool harmless;	      /* a POST or PATCH that may be sent twice */
	int *ret_attempts;    /* may be NULL */
	int64_t *ret_date_ms; /* the answer's Date, -1 if it has none; may be NULL */
};

/* *ret is NULL for an empty body. ret may be NULL. */
bool kube_call(struct kube *k, const struct call *call, struct json **ret, struct err *err);

struct stream {
	http_on_body on_bytes;
	http_on_wait on_wait; /* may be NULL */
	void *ctx;
	int64_t timeout_ms;
	bool ended;	    /* by on_bytes or on_wait */
	struct err failure; /* theirs */
};
/*
 * One attempt. True: the server ended it, or on_bytes or on_wait returned false with err->code NONE. An error of theirs
 * is handed on as it is.
 */
bool kube_stream(struct kube *k, const struct call *call, struct stream *stream, struct err *err);

/* "/api/v1/namespaces/x/pods/y/log"; namespace_, name and sub may be NULL. */
bool kube_path(struct buf *out, const struct kube_kind *kind, const char *namespace_, const char *name, const char *sub,
    struct err *err);
/* ?name=value or &name=value, encoded. */
bool kube_query(struct buf *out, const char *name, const char *value, struct err *err);

bool kube_add_select(struct buf *path, const struct kube_select *select, struct err *err);
/* kube_list with limits of its own. */
bool kube_list_within(struct kube *k, const struct kube_kind *kind, const char *namespace_,
    const struct kube_select *select, int max_attempts, int64_t timeout_ms, struct json **ret, struct err *err);

/* What an answer that is no success means. */
bool kube_refused(const struct call *call, int status, const char *body, size_t len, bool anonymous, struct err *err);
/* The same of a Status object, as an ERROR event holds it. */
bool kube_refused_status(const struct call *call, const json_node *status, struct err *err);
/* verb kind "namespace/name" */
const char *kube_subject(const struct call *call, char text[static KUBE_SUBJECT_MAX]);

/* Just back, a server may still refuse what its callers may do: so long an ERR_AUTH after an absence says nothing. */
#define KUBE_SETTLE_MS 10000
/* The last call failed for a server that is away or overloaded, not for what was asked. */
bool kube_is_away(const struct kube *k, const struct err *err);

/* The limits of what a server sends. */
bool kube_parse(const char *text, size_t len, struct json **ret, struct err *err);

#endif
