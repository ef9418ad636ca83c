#include "s3/s3.h"

#include "base/digest.h"
#include "base/num.h"
#include "net/http.h"
#include "net/url.h"
#include "s3/s3_errors.h"
#include "s3/s3_xml.h"
#include "s3/sigv4.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_BODY_MAX (16 << 20)
#define FAULT_BODY_MAX (64 << 10)
#define KEY_MAX 1024
#define PATH_TEXT_MAX 2048
#define WHAT_MAX 640
#define PAGES_MAX 10000

struct s3 {
	struct s3_config config;
	char base[700]; /* "https://host:port", with the bucket's name in it if virtual_host */
	char host[URL_AUTHORITY_MAX];
	struct http_client *http;
	const struct clock *clock;
	int max_attempts;
	int64_t timeout_ms;
};

static void default_endpoint(struct s3_config *c)
{
	if (!*c->region)
		snprintf(c->region, sizeof c->region, "us-east-1");
	if (!*c->endpoint)
		snprintf(c->endpoint, sizeof c->endpoint, "https://s3.%s.amazonaws.com%s", c->region,
		    strncmp(c->region, "cn-", 3) ? "" : ".cn");
}

static bool set_base(struct s3 *s3, struct err *err)
{
	const struct s3_config *c = &s3->config;
	struct url url;
	int len;

	if (!url_parse(c->endpoint, &url, err))
		return err_wrap(err, "S3 endpoint");
	if (c->virtual_host)
		len =
		    snprintf(s3->base, sizeof s3->base, "http%s://%s.%s", url.tls ? "s" : "", c->bucket, url.authority);
	else
		len = snprintf(s3->base, sizeof s3->base, "http%s://%s", url.tls ? "s" : "", url.authority);
	if (len >= (int)sizeof s3->base || !url_parse(s3->base, &url, err))
		return err_set(err, ERR_LIMIT, "S3 endpoint and bucket make a host name that is too long");
	memcpy(s3->host, url.authority, sizeof s3->host);
	return true;
}

bool s3_new(const struct s3_config *config, const struct s3_options *options, struct s3 **ret, struct err *err)
{
	static const struct s3_options defaults = {0};
	const struct s3_options *o = options ? options : &defaults;
	CLEANUP(s3) struct s3 *s3 = calloc(1, sizeof *s3);
	struct http_client_options http = {.stop = o->stop, .stop_fd = o->stop_fd, .clock = o->clock};

	if (!s3)
		return err_nomem(err);
	if (!s3_config_check(config, err))
		return false;
	s3->config = *config;
	s3->clock = o->clock ? o->clock : clock_system();
	s3->max_attempts = o->max_attempts;
	s3->timeout_ms = o->timeout_ms;
	default_endpoint(&s3->config);
	http.ca_file = *config->ca_file ? config->ca_file : NULL;
	http.insecure = config->insecure;
	if (!set_base(s3, err) || !http_client_new(&http, &s3->http, err))
		return false;
	*ret = TAKE(s3);
	return true;
}

void s3_free(struct s3 *s3)
{
	if (!s3)
		return;
	http_client_free(s3->http);
	s3_config_clear(&s3->config);
	free(s3);
}

/* --- one request
 * --------------------------------------------------------------------------------------------------------------- */

struct call {
	struct s3 *s3;
	const char *method;
	const char *key; /* NULL: the bucket itself */
	const struct sigv4_pair *query;
	size_t query_count;
	const void *body;
	size_t body_len;
	size_t max_answer;
	char path[PATH_TEXT_MAX]; /* not encoded */
	char payload[SHA256_TEXT_MAX];
	char what[WHAT_MAX]; /* for messages */
};

/*
 * Called for each attempt: a signature is good for 15 minutes, and a retry may come later than that after a suspend.
 */
static bool sign(void *ctx, struct http_headers *headers, struct err *err)
{
	const struct call *call = ctx;
	const struct s3_config *c = &call->s3->config;
	const struct sigv4_scope scope = {c->access_key, c->secret_key, c->region, "s3"};
	const struct sigv4_request req = {
	    .method = call->method,
	    .path = call->path,
	    .query = call->query,
	    .query_count = call->query_count,
	    .headers = headers,
	    .payload_sha256 = call->payload,
	};
	BUF_CLEANUP struct buf value = BUF_INIT(16384);
	char date[SIGV4_DATE_TEXT_MAX];

	return http_headers_set(headers, "Host", call->s3->host, err) &&
	       http_headers_set(headers, "x-amz-content-sha256", call->payload, err) &&
	       http_headers_set(headers, "x-amz-date", sigv4_date(clock_wall_ms(call->s3->clock), date), err) &&
	       (!*c->session_token || http_headers_set(headers, "x-amz-security-token", c->session_token, err)) &&
	       sigv4_authorization(&req, &scope, &value, err) &&
	       http_headers_set(headers, "Authorization", buf_str(&value), err);
}

static bool set_path(struct call *call, struct err *err)
{
	const struct s3_config *c = &call->s3->config;
	int len;

	if (call->key && (!*call->key || strlen(call->key) > KEY_MAX))
		return err_set(err, ERR_LIMIT, "key is empty or longer than %d bytes", KEY_MAX);
	if (c->virtual_host)
		len = snprintf(call->path, sizeof call->path, "/%s", call->key ? call->key : "");
	else
		len = snprintf(call->path, sizeof call->path, "/%s%s%s", c->bucket, call->key ? "/" : "",
		    call->key ? call->key : "");
	return len < (int)sizeof call->path || err_set(err, ERR_LIMIT, "path is longer than %d bytes", PATH_TEXT_MAX);
}

static bool make_url(const struct call *call, struct buf *url, struct err *err)
{
	return buf_add_str(url, call->s3->base, err) && url_encode(url, call->path, strlen(call->path), true, err) &&
	       (!call->query_count ||
		   (buf_add_char(url, '?', err) && sigv4_query(call->query, call->query_count, url, err)));
}

/* True for a 2xx; everything else has become an error. */
static bool perform(struct call *call, struct http_response *res, struct err *err)
{
	struct s3 *s3 = call->s3;
	BUF_CLEANUP struct buf url = BUF_INIT(URL_MAX);
	struct http_request req = {
	    .method = call->method,
	    .body = call->body,
	    .body_len = call->body_len,
	    .total_timeout_ms = s3->timeout_ms,
	    .max_body_bytes = call->max_answer > FAULT_BODY_MAX ? call->max_answer : FAULT_BODY_MAX,
	    .retry.max_attempts = s3->max_attempts,
	    .prepare = sign,
	    .prepare_ctx = call,
	};

	if (!set_path(call, err) || !make_url(call, &url, err))
		return err_wrap(err, "%s", call->what);
	sha256_text(call->body ? call->body : "", call->body_len, call->payload);
	req.url = buf_str(&url);
	if (!http_perform(s3->http, &req, res, err))
		return err_wrap(err, "%s", call->what);
	if (res->status >= 200 && res->status < 300)
		return true;
	return s3_refused(&s3->config, call->what, res, err);
}

static void say_what(struct call *call, const char *verb, const char *preposition)
{
	snprintf(call->what, sizeof call->what, "%s \"%.300s\" %s bucket \"%s\"", verb, call->key, preposition,
	    call->s3->config.bucket);
}

static bool describe(const struct http_response *res, uint64_t size, struct s3_object *ret)
{
	const char *etag = http_headers_get(&res->headers, "ETag");
	size_t len = etag ? strlen(etag) : 0;

	*ret = (struct s3_object){.size_bytes = size};
	if (len >= 2 && etag[0] == '"' && etag[len - 1] == '"') {
		etag++;
		len -= 2;
	}
	if (len && len < sizeof ret->etag)
		memcpy(ret->etag, etag, len);
	return true;
}

/* --- the operations
 * ------------------------------------------------------------------------------------------------------------ */

bool s3_get(struct s3 *s3, const char *key, struct buf *body, struct s3_object *ret, struct err *err)
{
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	struct call call = {.s3 = s3, .method = "GET", .key = key, .max_answer = body->max};

	say_what(&call, "get", "from");
	if (!perform(&call, &res, err))
		return false;
	if (!buf_add(body, buf_str(&res.body), res.body.len, err))
		return err_wrap(err, "%s", call.what);
	return !ret || describe(&res, res.body.len, ret);
}

bool s3_put(struct s3 *s3, const char *key, const void *bytes, size_t len, struct err *err)
{
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	struct call call = {.s3 = s3, .method = "PUT", .key = key, .body = bytes, .body_len = len};

	say_what(&call, "put", "into");
	return perform(&call, &res, err);
}

bool s3_delete(struct s3 *s3, const char *key, struct err *err)
{
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	struct call call = {.s3 = s3, .method = "DELETE", .key = key};

	say_what(&call, "delete", "from");
	return perform(&call, &res, err);
}

bool s3_head(struct s3 *s3, const char *key, struct s3_object *ret, struct err *err)
{
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	struct call call = {.s3 = s3, .method = "HEAD", .key = key};
	const char *length;
	uint64_t size;

	say_what(&call, "look up", "in");
	if (!perform(&call, &res, err))
		return false;
	length = http_headers_get(&res.headers, "Content-Length");
	if (!length || !num_parse_u64(length, strlen(length), INT64_MAX, &size))
		return err_set(err, ERR_PARSE, "%s: the answer has no usable Content-Length", call.what);
	return describe(&res, size, ret);
}

struct counted {
	s3_on_object on_object;
	void *ctx;
	size_t left, max;
	const char *prefix;
	bool folder;
};

static bool count_object(void *ctx, const struct s3_object *object, struct err *err)
{
	struct counted *c = ctx;

	/* a server that ignores the prefix would otherwise make us judge somebody else's files */
	if (strncmp(object->key, c->prefix, strlen(c->prefix)) != 0)
		return err_set(err, ERR_PARSE, "the listing holds a key without the prefix that was asked for");
	if (!c->left)
		return err_set(err, ERR_LIMIT, "more than %zu objects", c->max);
	c->left--;
	return c->on_object(c->ctx, object, err);
}

static bool list_page(struct s3 *s3, const char *token, struct counted *counted, struct s3_page *ret, struct err *err)
{
	HTTP_RESPONSE_CLEANUP struct http_response res = HTTP_RESPONSE_INIT;
	struct sigv4_pair query[5] = {
	    {"list-type", "2"},
	    {"encoding-type", "url"}, /* or a key with a control character breaks the XML */
	    {"prefix", counted->prefix},
	};
	struct call call = {
	    .s3 = s3,
	    .method = "GET",
	    .query = query,
	    .query_count = 3,
	    .max_answer = LIST_BODY_MAX,
	};

	if (*token)
		query[call.query_count++] = (struct sigv4_pair){"continuation-token", token};
	if (counted->folder)
		query[call.query_count++] = (struct sigv4_pair){"delimiter", "/"};
	snprintf(call.what, sizeof call.what, "list \"%.300s\" in bucket \"%s\"", counted->prefix, s3->config.bucket);
	if (!perform(&call, &res, err))
		return false;
	if (!s3_parse_list(buf_str(&res.body), res.body.len, count_object, counted, ret, err))
		return err_wrap(err, "%s", call.what);
	return true;
}

static bool list(struct s3 *s3, struct counted *counted, struct err *err)
{
	char token[S3_TOKEN_MAX] = "";

	for (int pages = 1;; pages++) {
		struct s3_page page;

		if (!list_page(s3, token, counted, &page, err))
			return false;
		if (!page.truncated)
			return true;
		if (!strcmp(page.next_token, token) || pages == PAGES_MAX)
			return err_set(err, ERR_PARSE, "list \"%.300s\" in bucket \"%s\": the listing does not get on",
			    counted->prefix, s3->config.bucket);
		memcpy(token, page.next_token, sizeof token);
	}
}

bool s3_list(struct s3 *s3, const char *prefix, size_t max_objects, s3_on_object on_object, void *ctx, struct err *err)
{
	struct counted counted = {
	    .on_object = on_object, .ctx = ctx, .left = max_objects, .max = max_objects, .prefix = prefix};

	return list(s3, &counted, err);
}

bool s3_list_folder(
    struct s3 *s3, const char *prefix, size_t max_objects, s3_on_object on_object, void *ctx, struct err *err)
{
	struct counted counted = {.on_object = on_object,
	    .ctx = ctx,
	    .left = max_objects,
	    .max = max_objects,
	    .prefix = prefix,
	    .folder = true};

	return list(s3, &counted, err);
}
