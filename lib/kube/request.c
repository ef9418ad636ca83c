#include "kube/request.h"

#include "base/text.h"
#include "net/url.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define TIMEOUT_MS_DEFAULT 30000
#define WARNING_MAX 4096
#define PATIENT_PAUSE_MS 1000

static bool make_client(struct kube *k, struct kube_http *http, struct err *err)
{
	const struct kube_config *c = &k->config;
	char agent[128];
	struct http_client_options options = {
	    .ca_pem = c->ca_pem,
	    .cert_pem = c->cert_pem ? c->cert_pem : k->auth.plugin.cert_pem,
	    .key_pem = c->cert_pem ? c->key_pem : k->auth.plugin.key_pem,
	    .insecure = c->insecure,
	    .tls_server_name = c->tls_server_name,
	    .proxy = *c->proxy_url ? c->proxy_url : NULL,
	    .user_agent = agent,
	    .clock = k->clock,
	    .stop = k->stop,
	    .stop_fd = k->stop_fd,
	};

	if (http->client && http->turn != k->auth.plugin.turn) {
		http_client_free(http->client);
		http->client = NULL;
	}
	if (http->client)
		return true;
	snprintf(agent, sizeof agent, "%s/%s", k->manager, PSMDB_DRILL_VERSION);
	http->turn = k->auth.plugin.turn;
	return http_client_new(&options, &http->client, err);
}

bool kube_new(const struct kube_config *config, const struct kube_options *options, struct kube **ret, struct err *err)
{
	static const struct kube_options none;
	const struct kube_options *o = options ? options : &none;
	CLEANUP(kube) struct kube *k = calloc(1, sizeof *k);

	if (!k)
		return err_nomem(err);
	if (!kube_config_copy(config, &k->config, err))
		return false;
	k->clock = o->clock ? o->clock : clock_system();
	k->stop = o->stop;
	k->stop_fd = o->stop_fd;
	k->timeout_ms = o->timeout_ms ? o->timeout_ms : TIMEOUT_MS_DEFAULT;
	snprintf(k->manager, sizeof k->manager, "%s", o->manager ? o->manager : "psmdb-drill");
	k->on_warning = o->on_warning;
	k->on_warning_ctx = o->on_warning_ctx;
	kube_auth_init(&k->auth, &k->config, k->clock, k->stop);
	*ret = TAKE(k);
	return true;
}

void kube_free(struct kube *k)
{
	if (!k)
		return;
	http_client_free(k->requests.client);
	http_client_free(k->streams.client);
	kube_auth_clear(&k->auth);
	discovery_clear(&k->discovery);
	kube_config_clear(&k->config);
	free(k);
}

const struct kube_config *kube_config_of(const struct kube *k)
{
	return &k->config;
}

bool kube_parse(const char *text, size_t len, struct json **ret, struct err *err)
{
	/* a server writes no key twice, and a ConfigMap may have more of them than a search for such allows */
	static const struct json_limits limits = {.max_bytes = KUBE_BODY_MAX, .max_depth = 64, .unique_keys = false};

	return json_parse(text, len, &limits, ret, err);
}

/* --- paths ------------------------------------------------------------------------------------------------------- */

static bool add_step(struct buf *out, const char *what, const char *step, struct err *err)
{
	if (!*step || !strcmp(step, ".") || !strcmp(step, ".."))
		return err_set(err, ERR_USAGE, "\"%s\" is no %s", step, what);
	return buf_add_char(out, '/', err) && url_encode(out, step, strlen(step), false, err);
}

bool kube_path(struct buf *out, const struct kube_kind *kind, const char *namespace_, const char *name, const char *sub,
    struct err *err)
{
	if (*kind->group ? !buf_add_str(out, "/apis", err) || !add_step(out, "group", kind->group, err)
			 : !buf_add_str(out, "/api", err))
		return false;
	if (!add_step(out, "version", kind->version, err))
		return false;
	if (kind->namespaced && !namespace_ && name)
		return err_set(err, ERR_USAGE, "%s \"%s\": no namespace is given", kind->kind, name);
	if (kind->namespaced && namespace_ &&
	    (!buf_add_str(out, "/namespaces", err) || !add_step(out, "namespace", namespace_, err)))
		return false;
	return add_step(out, "plural", kind->plural, err) && (!name || add_step(out, "name", name, err)) &&
	       (!sub || add_step(out, "subresource", sub, err));
}

bool kube_query(struct buf *out, const char *name, const char *value, struct err *err)
{
	return buf_printf(out, err, "%c%s=", strchr(buf_str(out), '?') ? '&' : '?', name) &&
	       url_encode(out, value, strlen(value), false, err);
}

/* --- one request ------------------------------------------------------------------------------------------------- */

static bool set_request(struct kube *k, const struct call *call, struct http_headers *headers, struct buf *url,
    struct buf *body, struct http_request *ret, struct err *err)
{
	if (!buf_printf(url, err, "%s%s", k->config.server, call->path) ||
	    !http_headers_add(headers, "Accept", "application/json, */*;q=0.1", err))
		return false;
	if (call->body && (!json_print(call->body, false, body, err) ||
			      !http_headers_add(headers, "Content-Type",
				  call->content_type ? call->content_type : "application/json", err)))
		return false;
	*ret = (struct http_request){
	    .method = call->method,
	    .url = buf_str(url),
	    .headers = headers,
	    .body = call->body ? buf_str(body) : NULL,
	    .body_len = body->len,
	    .max_body_bytes = KUBE_BODY_MAX,
	    .prepare = kube_auth_prepare,
	    .prepare_ctx = &k->auth,
	};
	return true;
}

/* A token may have been changed since it was read: after a 401 it is read again, once. */
static bool perform(
    struct kube *k, struct kube_http *http, const struct http_request *req, struct http_response *res, struct err *err)
{
	k->status = 0;
	for (int turn = 0;; turn++) {
		if (!kube_auth_fresh(&k->auth, err) || !make_client(k, http, err) ||
		    !http_perform(http->client, req, res, err))
			return false;
		k->status = res->status;
		if (res->status != 401 || turn || !kube_auth_forget(&k->auth))
			return true;
	}
}

static int64_t date_of(const struct http_headers *headers)
{
	const char *text = http_headers_get(headers, "Date");
	struct tm tm = {0};

	/* the one form that RFC 9110 lets a server send */
	if (!text || !strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm))
		return -1;
	return (int64_t)timegm(&tm) * 1000;
}

/* Warning: 299 - "text" */
static void hand_on_warnings(const struct kube *k, const struct http_headers *headers)
{
	for (size_t i = 0; k->on_warning && i < headers->count; i++) {
		BUF_CLEANUP struct buf text = BUF_INIT(WARNING_MAX);
		const char *quote = strchr(headers->items[i].value, '"');
		struct err ignored = ERR_INIT;
		size_t len;

		if (strcasecmp(headers->items[i].name, "Warning") || !quote)
			continue;
		len = strnlen(quote + 1, WARNING_MAX / 4);
		len -= len && quote[len] == '"';
		if (text_neutral(&text, quote + 1, len, false, &ignored))
			k->on_warning(k->on_warning_ctx, buf_str(&text));
	}
}

static bool take_answer(
    struct kube *k, const struct call *call, const struct http_response *res, struct json **ret, struct err *err)
{
	char subject[KUBE_SUBJECT_MAX];

	if (res->status < 200 || res->status > 299)
		return kube_refused(
		    call, res->status, buf_str(&res->body), res->body.len, kube_auth_anonymous(&k->auth), err);
	hand_on_warnings(k, &res->headers);
	if (!ret)
		return true;
	if (!res->body.len) {
		*ret = NULL;
		return true;
	}
	if (kube_parse(buf_str(&res->body), res->body.len, ret, err))
		return true;
	err_wrap(err, "%s: answer", kube_subject(call, subject));
	return err_hint(
	    err, "check that \"%s\" is the address of an API server and not of something before it", k->config.server);
}

/* attempts: those of earlier rounds. */
static bool call_once(struct kube *k, const struct call *call, int *attempts, struct json **ret, struct err *err)
{
	HTTP_HEADERS_CLEANUP struct http_headers headers = HTTP_HEADERS_INIT;
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	BUF_CLEANUP struct buf url = BUF_INIT(URL_MAX);
	BUF_CLEANUP struct buf body = BUF_INIT(KUBE_BODY_MAX);
	struct http_request req;
	char subject[KUBE_SUBJECT_MAX];
	bool ok;

	k->status = 0;
	if (!set_request(k, call, &headers, &url, &body, &req, err))
		return err_wrap(err, "%s", kube_subject(call, subject));
	req.total_timeout_ms = call->timeout_ms ? call->timeout_ms : k->timeout_ms;
	req.retry.max_attempts = call->max_attempts;
	req.retry.always = call->harmless;
	req.retry.unsent = true;
	ok = perform(k, &k->requests, &req, &res, err);
	*attempts += res.attempts;
	if (!ok)
		return err_wrap(err, "%s", kube_subject(call, subject));
	if (call->ret_attempts)
		*call->ret_attempts = *attempts;
	if (call->ret_date_ms)
		*call->ret_date_ms = date_of(&res.headers);
	return take_answer(k, call, &res, ret, err);
}

/* away_ms: when it was last away, -1: never. Just back, a server may not know yet what its callers may do. */
static bool ask_again(
    struct kube *k, const struct call *call, const struct err *why, int64_t began_ms, int64_t *away_ms)
{
	int64_t now_ms = clock_mono_ms(k->clock);

	if (!k->patience.ms || call->max_attempts || now_ms - began_ms >= k->patience.ms ||
	    (strcmp(call->method, "GET") != 0 && strcmp(call->method, "DELETE") != 0))
		return false;
	if (kube_is_away(k, why))
		*away_ms = now_ms;
	else if (why->code != ERR_AUTH || *away_ms < 0 || now_ms - *away_ms > KUBE_SETTLE_MS)
		return false;
	if (k->patience.on_away)
		k->patience.on_away(k->patience.ctx, now_ms - began_ms, why->msg);
	return clock_sleep_until(k->clock, (now_ms + PATIENT_PAUSE_MS) * 1000000, k->stop);
}

bool kube_call(struct kube *k, const struct call *call, struct json **ret, struct err *err)
{
	int64_t began_ms = clock_mono_ms(k->clock), away_ms = -1;
	int attempts = 0;

	for (;;) {
		struct err why = ERR_INIT;

		if (call_once(k, call, &attempts, ret, &why))
			return true;
		if (ask_again(k, call, &why, began_ms, &away_ms))
			continue;
		if (k->stop && *k->stop)
			return err_set(err, ERR_INTERRUPTED, "interrupted");
		if (err)
			*err = why;
		return away_ms < 0 || !kube_is_away(k, &why)
			   ? false
			   : err_wrap(err, "the API server is away for %lld s",
				 (long long)(clock_mono_ms(k->clock) - began_ms) / 1000);
	}
}

void kube_be_patient(
    struct kube *k, int64_t ms, void (*on_away)(void *ctx, int64_t away_ms, const char *why), void *ctx)
{
	k->patience.ms = ms;
	k->patience.on_away = on_away;
	k->patience.ctx = ctx;
}

static bool stream_bytes(void *ctx, const char *bytes, size_t len, struct err *err)
{
	struct stream *s = ctx;

	s->ended = !s->on_bytes(s->ctx, bytes, len, &s->failure);
	/* libcurl's side only has to know that it ends here */
	return !s->ended || err_set(err, ERR_INTERRUPTED, "ended");
}

static bool stream_wait(void *ctx, struct err *err)
{
	struct stream *s = ctx;

	s->ended = !s->on_wait(s->ctx, &s->failure);
	return !s->ended || err_set(err, ERR_INTERRUPTED, "ended");
}

static bool stream_failed(const struct call *call, const struct stream *s, const struct err *why, struct err *err)
{
	char subject[KUBE_SUBJECT_MAX];

	if (s->ended && s->failure.code == ERR_NONE)
		return true;
	if (err)
		*err = s->ended ? s->failure : *why;
	return s->ended ? false : err_wrap(err, "%s", kube_subject(call, subject));
}

bool kube_stream(struct kube *k, const struct call *call, struct stream *stream, struct err *err)
{
	HTTP_HEADERS_CLEANUP struct http_headers headers = HTTP_HEADERS_INIT;
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	BUF_CLEANUP struct buf url = BUF_INIT(URL_MAX);
	BUF_CLEANUP struct buf body = BUF_INIT(KUBE_BODY_MAX);
	struct err why = ERR_INIT;
	struct http_request req;
	char subject[KUBE_SUBJECT_MAX];
	bool ok;

	if (k->streaming)
		return err_set(
		    err, ERR_STATE, "%s: this client is reading another stream", kube_subject(call, subject));
	k->status = 0;
	if (!set_request(k, call, &headers, &url, &body, &req, err))
		return err_wrap(err, "%s", kube_subject(call, subject));
	req.total_timeout_ms = stream->timeout_ms;
	req.idle_timeout_ms = -1;
	req.retry.max_attempts = 1;
	req.on_body = stream_bytes;
	req.on_body_ctx = stream;
	req.on_wait = stream->on_wait ? stream_wait : NULL;
	req.on_wait_ctx = stream;
	stream->ended = false;
	stream->failure = (struct err)ERR_INIT;
	k->streaming = true;
	ok = perform(k, &k->streams, &req, &res, &why);
	k->streaming = false;
	if (!ok)
		return stream_failed(call, stream, &why, err);
	return take_answer(k, call, &res, NULL, err);
}

bool kube_is_away(const struct kube *k, const struct err *err)
{
	return err->code == ERR_NET || err->code == ERR_TIMEOUT || k->status == 429 || k->status >= 500;
}
