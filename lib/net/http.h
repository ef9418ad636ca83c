/*
 * HTTP requests on libcurl: nothing else in this project talks HTTP.
 *
 * Guarantees: every request has a deadline or an idle limit; every body has a maximum; no redirect is followed (a 3xx
 * is an answer like any other); certificates are verified unless the caller says otherwise; only http and https are
 * spoken; paths are sent as given ("..", "//" stay). Error messages name method, host, port and path, never a query,
 * a header or a body.
 *
 * An HTTP status is an answer, not an error: http_perform returns true for a 500. What is retried: requests of
 * idempotent methods (GET, HEAD, OPTIONS, PUT, DELETE) after a connection error or a 408, 429, 500, 502, 503 or 504,
 * with exponential back-off and jitter, honouring Retry-After. Nothing is sent again once a byte of a body has gone
 * to on_body. What may not be sent twice goes over a connection of its own, because libcurl repeats by itself what fails
 * on one that was kept.
 *
 * A client keeps connections for the next request. It belongs to one thread at a time; programs ignore SIGPIPE
 * (base/stop.h does).
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "net/headers.h"

#include <stdint.h>

struct http_client;

/* Strings are copied. Everything may be left zero. A PEM text wins over the file of the same purpose. */
struct http_client_options {
	const char *ca_file; /* PEM; NULL: the system's authorities */
	const char *ca_pem;
	const char *cert_file; /* client certificate and key, PEM */
	const char *key_file;
	const char *cert_pem;
	const char *key_pem;
	bool insecure; /* verify neither certificate nor host name */
	/* the name to ask for and to verify in place of the URL's host (https only); NULL: the URL's host */
	const char *tls_server_name;
	const char *proxy;	   /* URL; NULL: http_proxy, https_proxy and no_proxy as curl reads them; "": none */
	const char *user_agent;	   /* NULL: "psmdb-drill/VERSION" */
	const struct clock *clock; /* NULL: the system's */
	uint32_t (*random)(void *ctx); /* for jitter; NULL: the kernel's */
	void *random_ctx;
	const volatile int *stop; /* non-zero aborts whatever is under way with ERR_INTERRUPTED; may be NULL */
	int stop_fd; /* becomes readable when stop is set (base/stop.h); 0 or -1: none, then stop is seen within 100 ms
		      */
};

bool http_client_new(const struct http_client_options *options, struct http_client **ret, struct err *err);
void http_client_free(struct http_client *c);
CLEANUP_PTR(http_client, struct http_client, http_client_free)

/* Retries. Zero fields take the default in brackets. */
struct http_retry {
	int max_attempts;	/* [5] 1: no retry */
	int64_t first_delay_ms; /* [200] doubled each time, half of it jitter */
	int64_t
	    max_delay_ms; /* [10000] also the longest Retry-After that is waited for; a longer one ends the retries */
	bool always;	  /* the caller knows that sending this POST or PATCH again is harmless */
	/* whatever the method: again if no connection was made, or if a 429 says that the request was not even read */
	bool unsent;
};

/* More of the answer's body. Returning false aborts the request with the error it set. */
typedef bool (*http_on_body)(void *ctx, const char *bytes, size_t len, struct err *err);
/* While waiting for an answer or more of it, about every 100 ms, outside of libcurl: it may use other clients. Returning
 * false aborts the request with the error it set. */
typedef bool (*http_on_wait)(void *ctx, struct err *err);
/* Called before each attempt to add headers to those of the request: signatures with a date, tokens that rotate. */
typedef bool (*http_prepare)(void *ctx, struct http_headers *headers, struct err *err);

struct http_request {
	const char *method;
	const char *url;
	const struct http_headers *headers; /* may be NULL */
	const void *body;		    /* may be NULL: no body */
	size_t body_len;
	/* Limits in ms; zero takes the default in brackets, -1 is "none" (idle or total must stay). */
	int64_t connect_timeout_ms; /* [10000] */
	int64_t total_timeout_ms;   /* [60000] over all attempts; -1 for a watch or a followed log */
	int64_t idle_timeout_ms;    /* [30000] no byte either way for so long; rounded up to seconds */
	size_t max_body_bytes;	    /* [4 MiB] of what is collected in response.body */
	struct http_retry retry;
	http_on_body on_body; /* a 2xx answer's body goes here instead; others are still collected */
	void *on_body_ctx;
	http_on_wait on_wait; /* may be NULL */
	void *on_wait_ctx;
	http_prepare prepare; /* may be NULL */
	void *prepare_ctx;
};

struct http_response {
	int status;
	struct http_headers headers;
	struct buf body;
	int attempts;
};

#define HTTP_RESPONSE_INIT                                                                                             \
	{                                                                                                              \
		0                                                                                                      \
	}
void http_response_clear(struct http_response *r);
#define HTTP_RESPONSE_CLEANUP __attribute__((cleanup(http_response_clear)))

/*
 * Sends a request and waits for its answer. ret is cleared first and is only meaningful on true. Errors: ERR_NET
 * (with a hint), ERR_TIMEOUT, ERR_LIMIT, ERR_INTERRUPTED, ERR_USAGE for a URL or header that cannot be sent, and
 * whatever on_body or prepare set.
 */
bool http_perform(struct http_client *c, const struct http_request *req, struct http_response *ret, struct err *err);

/* --- the pieces of retrying, for tests
 * ------------------------------------------------------------------------------------------ */

bool http_method_is_idempotent(const char *method);
bool http_status_is_transient(int status);
/* Retry-After: seconds, or an HTTP date against now. False if absent or unreadable; never negative. */
bool http_retry_after_ms(const struct http_headers *headers, int64_t now_wall_ms, int64_t *ret_ms);
/* Before attempt number `attempt` + 1 (attempt counts from 1): between half and all of min(max, first * 2^(attempt-1)).
 */
int64_t http_backoff_ms(const struct http_retry *retry, int attempt, uint32_t random);

#endif
