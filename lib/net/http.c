#include "net/http.h"

#include "base/uuid.h"
#include "net/url.h"

#include <curl/curl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define POLL_MS 100
#define POLL_MS_LONG 5000

struct http_client {
	CURLM *multi;
	char *ca_file, *ca_pem, *cert_file, *key_file, *cert_pem, *key_pem, *proxy, *user_agent, *tls_server_name;
	bool insecure;
	const struct clock *clock;
	uint32_t (*random)(void *ctx);
	void *random_ctx;
	const volatile int *stop;
	int stop_fd;
};

/* One attempt. */
struct transfer {
	struct http_client *client;
	const struct http_request *req;
	struct http_response *res;
	CURL *easy;
	struct curl_slist *fields;
	struct curl_slist *connect_to;
	struct http_headers headers;
	char curl_text[CURL_ERROR_SIZE];
	struct err err; /* of a callback */
	bool delivered; /* bytes have gone to on_body */
	size_t sent;
};

CLEANUP_PTR(easy, CURL, curl_easy_cleanup)

static uint32_t kernel_random(void *ctx)
{
	uint32_t value = 0;
	struct err ignored = ERR_INIT;

	(void)ctx;
	random_bytes(&value, sizeof value, &ignored);
	return value;
}

static void global_init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool copy(char **ret, const char *text)
{
	*ret = text ? strdup(text) : NULL;
	return !text || *ret;
}

bool http_client_new(const struct http_client_options *o, struct http_client **ret, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	CLEANUP(http_client) struct http_client *c = calloc(1, sizeof *c);

	pthread_once(&once, global_init);
	if (!c || !copy(&c->ca_file, o->ca_file) || !copy(&c->ca_pem, o->ca_pem) ||
	    !copy(&c->cert_file, o->cert_file) || !copy(&c->key_file, o->key_file) ||
	    !copy(&c->cert_pem, o->cert_pem) || !copy(&c->key_pem, o->key_pem) || !copy(&c->proxy, o->proxy) ||
	    !copy(&c->tls_server_name, o->tls_server_name) ||
	    !copy(&c->user_agent, o->user_agent ? o->user_agent : "psmdb-drill/" PSMDB_DRILL_VERSION))
		return err_nomem(err);
	c->multi = curl_multi_init();
	if (!c->multi)
		return err_nomem(err);
	c->insecure = o->insecure;
	c->clock = o->clock ? o->clock : clock_system();
	c->random = o->random ? o->random : kernel_random;
	c->random_ctx = o->random_ctx;
	c->stop = o->stop;
	c->stop_fd = o->stop_fd;
	*ret = TAKE(c);
	return true;
}

static void wipe_free(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	if (c->multi)
		curl_multi_cleanup(c->multi);
	free(c->ca_file);
	free(c->ca_pem);
	free(c->cert_file);
	free(c->key_file);
	free(c->cert_pem);
	wipe_free(c->key_pem);
	wipe_free(c->proxy);
	free(c->user_agent);
	free(c->tls_server_name);
	free(c);
}

void http_response_clear(struct http_response *r)
{
	http_headers_clear(&r->headers);
	buf_clear(&r->body);
	*r = (struct http_response)HTTP_RESPONSE_INIT;
}

/* --- what curl calls back
 * ------------------------------------------------------------------------------------------------------ */

static size_t on_header(char *bytes, size_t size, size_t count, void *ctx)
{
	struct transfer *t = ctx;
	size_t len = size * count;
	CLEANUP(free) char *line = NULL;
	char *colon;

	if (len > 5 && !memcmp(bytes, "HTTP/", 5)) { /* of an interim answer, or of a proxy: only the last one counts */
		http_headers_clear(&t->res->headers);
		return len;
	}
	while (len && (bytes[len - 1] == '\r' || bytes[len - 1] == '\n'))
		len--;
	if (!len)
		return size * count;
	line = strndup(bytes, len);
	if (!line) {
		err_nomem(&t->err);
		return 0;
	}
	colon = strchr(line, ':');
	if (!colon)
		return size * count;
	*colon = '\0';
	if (!http_headers_add(&t->res->headers, line, colon + 1, &t->err)) {
		if (t->err.code != ERR_USAGE)
			return 0;
		t->err =
		    (struct err)ERR_INIT; /* a field name that we would not send ourselves: not worth failing for */
	}
	return size * count;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct transfer *t = ctx;
	size_t len = size * count;
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (t->req->on_body && status >= 200 && status < 300) {
		t->delivered = true;
		if (!t->req->on_body(t->req->on_body_ctx, bytes, len, &t->err)) {
			if (t->err.code == ERR_NONE)
				err_set(&t->err, ERR_INTERRUPTED, "reading the answer was given up");
			return 0;
		}
		return len;
	}
	if (!buf_add(&t->res->body, bytes, len, &t->err)) {
		err_wrap(&t->err, "answer's body");
		return 0;
	}
	return len;
}

static size_t on_send(char *into, size_t size, size_t count, void *ctx)
{
	struct transfer *t = ctx;
	size_t room = size * count, left = t->req->body_len - t->sent;
	size_t len = room < left ? room : left;

	memcpy(into, (const char *)t->req->body + t->sent, len);
	t->sent += len;
	return len;
}

static int on_seek(void *ctx, curl_off_t offset, int origin)
{
	struct transfer *t = ctx;

	if (origin != SEEK_SET || offset < 0 || (size_t)offset > t->req->body_len)
		return CURL_SEEKFUNC_FAIL;
	t->sent = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* --- one attempt
 * --------------------------------------------------------------------------------------------------------------- */

static bool add_field(struct transfer *t, const char *text, struct err *err)
{
	struct curl_slist *more = curl_slist_append(t->fields, text);

	if (!more)
		return err_nomem(err);
	t->fields = more;
	return true;
}

static bool set_headers(struct transfer *t, struct err *err)
{
	if (t->req->prepare && !t->req->prepare(t->req->prepare_ctx, &t->headers, err))
		return false;
	for (size_t i = 0; i < t->headers.count; i++) {
		const struct http_header *h = &t->headers.items[i];
		BUF_CLEANUP struct buf line = BUF_INIT(HTTP_HEADERS_BYTES_MAX + 16);

		/* curl sends a field without a value only when it ends with a semicolon */
		if (!buf_printf(&line, err, *h->value ? "%s: %s" : "%s;", h->name, h->value) ||
		    !add_field(t, buf_str(&line), err))
			return false;
		explicit_bzero(line.data, line.len);
	}
	/* curl adds these by itself where the caller has not; a server that does not know "Expect" would cost a second
	 */
	if (!add_field(t, "Expect:", err) ||
	    (!http_headers_get(&t->headers, "Content-Type") && !add_field(t, "Content-Type:", err)))
		return false;
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->fields);
	return true;
}

static void set_blob(CURL *easy, CURLoption option, char *pem)
{
	struct curl_blob blob = {.data = pem, .len = strlen(pem), .flags = CURL_BLOB_NOCOPY};

	curl_easy_setopt(easy, option, &blob);
}

static void set_tls(const struct http_client *c, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, c->insecure ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, c->insecure ? 0L : 2L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (c->ca_pem) {
		set_blob(easy, CURLOPT_CAINFO_BLOB, c->ca_pem);
	} else if (c->ca_file) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, c->ca_file);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (c->cert_pem)
		set_blob(easy, CURLOPT_SSLCERT_BLOB, c->cert_pem);
	else if (c->cert_file)
		curl_easy_setopt(easy, CURLOPT_SSLCERT, c->cert_file);
	if (c->key_pem)
		set_blob(easy, CURLOPT_SSLKEY_BLOB, c->key_pem);
	else if (c->key_file)
		curl_easy_setopt(easy, CURLOPT_SSLKEY, c->key_file);
}

static void set_body(struct transfer *t)
{
	const struct http_request *req = t->req;

	if (!strcmp(req->method, "HEAD")) {
		curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
	} else if (req->body || !strcmp(req->method, "PUT")) {
		curl_easy_setopt(t->easy, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(t->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)req->body_len);
		curl_easy_setopt(t->easy, CURLOPT_READFUNCTION, on_send);
		curl_easy_setopt(t->easy, CURLOPT_READDATA, t);
		curl_easy_setopt(t->easy, CURLOPT_SEEKFUNCTION, on_seek);
		curl_easy_setopt(t->easy, CURLOPT_SEEKDATA, t);
	} else if (!strcmp(req->method, "POST")) {
		curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, "");
		curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE, 0L);
	}
	curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, req->method);
}

static void set_limits(struct transfer *t, int64_t left_ms)
{
	const struct http_request *req = t->req;
	int64_t connect_ms = req->connect_timeout_ms ? req->connect_timeout_ms : 10000;
	int64_t idle_ms = req->idle_timeout_ms ? req->idle_timeout_ms : 30000;

	if (connect_ms > 0)
		curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
	if (left_ms >= 0)
		curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)(left_ms < LONG_MAX ? left_ms : LONG_MAX));
	if (idle_ms > 0) {
		curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
		curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_TIME, (long)((idle_ms + 999) / 1000));
	}
}

/*
 * libcurl takes the name of SNI and of the certificate from the URL alone. So the URL gets the TLS name, the connection
 * goes where the caller's URL points, and so does the Host field.
 */
static bool set_url(struct transfer *t, struct err *err)
{
	const char *name = t->client->tls_server_name;
	BUF_CLEANUP struct buf text = BUF_INIT(URL_MAX + 1024);
	const char *port;
	struct url url;

	if (!url_parse(t->req->url, &url, err))
		return false;
	if (!name || !*name || !url.tls) {
		curl_easy_setopt(t->easy, CURLOPT_URL, t->req->url);
		return true;
	}
	port = strrchr(url.authority, ':');
	if (port && strchr(port, ']'))
		port = NULL;
	if (!buf_printf(&text, err, "::%s%s", url.authority, port ? "" : ":443"))
		return false;
	t->connect_to = curl_slist_append(NULL, buf_str(&text));
	buf_reset(&text);
	if (!t->connect_to)
		return err_nomem(err);
	/* libcurl takes the URL's own port for the Host field as well, which set_headers puts right */
	if (!buf_printf(&text, err, "https://%s%s%s", name, port ? port : "",
		strstr(t->req->url, "://") + 3 + strlen(url.authority)))
		return false;
	curl_easy_setopt(t->easy, CURLOPT_URL, buf_str(&text));
	curl_easy_setopt(t->easy, CURLOPT_CONNECT_TO, t->connect_to);
	return http_headers_set(&t->headers, "Host", url.authority, err);
}

static bool set_up(struct transfer *t, int64_t left_ms, struct err *err)
{
	struct http_client *c = t->client;
	CURL *easy = t->easy;

	if (t->req->headers && !http_headers_copy(&t->headers, t->req->headers, err))
		return false;
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	if (!set_url(t, err))
		return false;
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->curl_text);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, c->user_agent);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	if (c->proxy)
		curl_easy_setopt(easy, CURLOPT_PROXY, c->proxy);
	/* on a connection that was used before and turns out to be dead libcurl sends once more by itself */
	if (!http_method_is_idempotent(t->req->method) && !t->req->retry.always)
		curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	set_tls(c, easy);
	set_body(t);
	set_limits(t, left_ms);
	return set_headers(t, err);
}

static const char *hint_of(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return "check the host name and the DNS of this machine";
	case CURLE_COULDNT_RESOLVE_PROXY:
		return "check http_proxy and https_proxy in the environment";
	case CURLE_COULDNT_CONNECT:
		return "check that the server is running and that this machine can reach its address and port";
	case CURLE_PEER_FAILED_VERIFICATION:
		return "name the authority's certificate as CA file, or check that the host name is the certificate's";
	case CURLE_SSL_CONNECT_ERROR:
		return "check that the port speaks TLS and accepts TLS 1.2 or newer";
	case CURLE_SSL_CACERT_BADFILE:
		return "check that the CA file exists and holds PEM certificates";
	case CURLE_SSL_CERTPROBLEM:
		return "check that the client certificate and its key belong together";
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
		return "the server closed the connection: check its log, and http against https in the URL";
	default:
		return NULL;
	}
}

static bool curl_failed(const struct transfer *t, CURLcode code, struct err *err)
{
	const char *text = *t->curl_text ? t->curl_text : curl_easy_strerror(code);
	const char *hint = hint_of(code);

	if (t->err.code != ERR_NONE) {
		if (err)
			*err = t->err;
		return false;
	}
	if (code == CURLE_OUT_OF_MEMORY)
		return err_nomem(err);
	err_set(err, code == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_NET, "%s", text);
	if (hint)
		err_hint(err, "%s", hint);
	return false;
}

/* Not curl_easy_perform: this way a stop is seen at once, and connections outlive the request. */
static bool drive(struct transfer *t, CURLcode *ret_code, struct err *err)
{
	struct http_client *c = t->client;
	struct curl_waitfd extra = {.fd = c->stop_fd, .events = CURL_WAIT_POLLIN};
	unsigned extras = c->stop && c->stop_fd > 0;
	/* a stop without a descriptor, and whoever is called back, count on the shorter one */
	int poll_ms = extras && !t->req->on_wait ? POLL_MS_LONG : POLL_MS;
	int running = 1, queued;
	CURLMcode code;

	while ((code = curl_multi_perform(c->multi, &running)) == CURLM_OK && running) {
		/* the flag is set by a signal handler or another thread */
		if (c->stop && __atomic_load_n(c->stop, __ATOMIC_RELAXED))
			return err_set(err, ERR_INTERRUPTED, "interrupted");
		if (t->req->on_wait && !t->req->on_wait(t->req->on_wait_ctx, &t->err)) {
			if (t->err.code == ERR_NONE)
				err_set(&t->err, ERR_INTERRUPTED, "waiting for the answer was given up");
			*ret_code = CURLE_ABORTED_BY_CALLBACK;
			return true;
		}
		code = curl_multi_poll(c->multi, extras ? &extra : NULL, extras, poll_ms, NULL);
		if (code != CURLM_OK)
			break;
	}
	if (code != CURLM_OK)
		return err_set(err, ERR_NET, "%s", curl_multi_strerror(code));
	for (CURLMsg *msg; (msg = curl_multi_info_read(c->multi, &queued));)
		if (msg->msg == CURLMSG_DONE && msg->easy_handle == t->easy) {
			*ret_code = msg->data.result;
			return true;
		}
	return err_set(err, ERR_NET, "libcurl lost the request");
}

static bool never_sent(CURLcode code)
{
	return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
	       code == CURLE_COULDNT_RESOLVE_PROXY;
}

/* ret_again: worth another attempt as far as the connection goes; ret_unsent: no connection was made. */
static bool attempt(struct http_client *c, const struct http_request *req, int64_t left_ms, struct http_response *res,
    bool *ret_again, bool *ret_unsent, struct err *err)
{
	CLEANUP(easy) CURL *easy = curl_easy_init();
	struct transfer t = {.client = c, .req = req, .res = res, .easy = easy};
	CURLcode code = CURLE_OK;
	long status = 0;
	bool ok;

	*ret_again = *ret_unsent = false;
	if (!easy)
		return err_nomem(err);
	ok = set_up(&t, left_ms, err);
	if (ok) {
		curl_multi_add_handle(c->multi, easy);
		ok = drive(&t, &code, err);
		curl_multi_remove_handle(c->multi, easy);
	}
	if (ok && code != CURLE_OK) {
		ok = curl_failed(&t, code, err);
		/* a certificate does not get better by asking again; a deadline over all attempts has passed */
		*ret_again = t.err.code == ERR_NONE && !t.delivered && code != CURLE_PEER_FAILED_VERIFICATION &&
			     code != CURLE_SSL_CACERT_BADFILE && code != CURLE_SSL_CERTPROBLEM &&
			     code != CURLE_OUT_OF_MEMORY;
		*ret_unsent = never_sent(code);
	}
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	res->status = (int)status;
	for (struct curl_slist *f = t.fields; f; f = f->next)
		explicit_bzero(f->data, strlen(f->data));
	curl_slist_free_all(t.fields);
	curl_slist_free_all(t.connect_to);
	http_headers_clear(&t.headers);
	return ok;
}

/* --- attempts in a row
 * --------------------------------------------------------------------------------------------------------- */

static struct http_retry with_defaults(struct http_retry r)
{
	r.max_attempts = r.max_attempts ? r.max_attempts : 5;
	r.first_delay_ms = r.first_delay_ms ? r.first_delay_ms : 200;
	r.max_delay_ms = r.max_delay_ms ? r.max_delay_ms : 10000;
	return r;
}

/* False: no further attempt, for what the server asks or the deadline allows. */
static bool next_delay(
    struct http_client *c, const struct http_retry *retry, const struct http_response *res, int made, int64_t *ret_ms)
{
	int64_t asked;

	*ret_ms = http_backoff_ms(retry, made, c->random(c->random_ctx));
	if (!http_retry_after_ms(&res->headers, clock_wall_ms(c->clock), &asked))
		return true;
	if (asked > retry->max_delay_ms)
		return false;
	if (asked > *ret_ms)
		*ret_ms = asked;
	return true;
}

static bool explain(const struct http_request *req, int made, struct err *err)
{
	char subject[URL_SUBJECT_MAX];

	url_subject(req->url, subject);
	if (made > 1)
		return err_wrap(err, "%s %s (%d attempts)", req->method, subject, made);
	return err_wrap(err, "%s %s", req->method, subject);
}

static bool perform(struct http_client *c, const struct http_request *req, int64_t deadline_ms,
    struct http_response *res, struct err *err)
{
	struct http_retry retry = with_defaults(req->retry);
	bool may_retry = retry.always || http_method_is_idempotent(req->method);
	size_t max_body = req->max_body_bytes ? req->max_body_bytes : 4 << 20;

	for (int made = 1;; made++) {
		int64_t left = deadline_ms < 0 ? -1 : deadline_ms - clock_mono_ms(c->clock), delay;
		struct err why = ERR_INIT;
		bool again, unsent, ok;

		http_response_clear(res);
		buf_init(&res->body, max_body);
		/* at least 1: to curl a time-out of 0 is none */
		ok = attempt(c, req, left == -1 || left > 0 ? left : 1, res, &again, &unsent, &why);
		res->attempts = made;
		if (ok && !http_status_is_transient(res->status))
			return true;
		unsent = retry.unsent && (ok ? res->status == 429 : unsent);
		if ((!ok && !again) || !(may_retry || unsent) || made >= retry.max_attempts ||
		    !next_delay(c, &retry, res, made, &delay) ||
		    (deadline_ms >= 0 && clock_mono_ms(c->clock) + delay >= deadline_ms)) {
			if (!ok && err)
				*err = why;
			return ok || explain(req, made, err);
		}
		if (!clock_sleep_until(c->clock, clock_mono_ns(c->clock) + delay * 1000000, c->stop)) {
			err_set(err, ERR_INTERRUPTED, "interrupted");
			return explain(req, made, err);
		}
	}
}

bool http_perform(struct http_client *c, const struct http_request *req, struct http_response *ret, struct err *err)
{
	int64_t total_ms = req->total_timeout_ms ? req->total_timeout_ms : 60000;
	struct url url;
	bool ok;

	http_response_clear(ret);
	if (!url_parse(req->url, &url, err))
		return false;
	ok = perform(c, req, total_ms < 0 ? -1 : clock_mono_ms(c->clock) + total_ms, ret, err);
	if (!ok) {
		int attempts = ret->attempts;

		/* how often it was tried stays known */
		http_response_clear(ret);
		ret->attempts = attempts;
	}
	return ok;
}
