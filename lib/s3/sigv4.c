#include "s3/sigv4.h"

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/num.h"
#include "net/url.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define QUERY_MAX 32
#define TEXT_MAX (512 * 1024)

const char *sigv4_date(int64_t wall_ms, char text[static SIGV4_DATE_TEXT_MAX])
{
	time_t t = (time_t)(wall_ms / 1000);
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(text, SIGV4_DATE_TEXT_MAX, "%Y%m%dT%H%M%SZ", &tm))
		text[0] = '\0';
	return text;
}

/* By the encoded bytes, as AWS wants it: "%3A" sorts where '%' does, not where ':' does. */
static int compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool encode_pair(const struct sigv4_pair *pair, char **ret, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(TEXT_MAX);

	/* 0x01 stands for '=' while sorting: a name that is the beginning of another one comes first */
	if (!url_encode(&text, pair->name, strlen(pair->name), false, err) || !buf_add_char(&text, '\x01', err) ||
	    !url_encode(&text, pair->value, strlen(pair->value), false, err))
		return false;
	*ret = TAKE(text.data);
	text.len = text.cap = 0;
	return true;
}

bool sigv4_query(const struct sigv4_pair *query, size_t count, struct buf *out, struct err *err)
{
	char *pairs[QUERY_MAX] = {0};
	bool ok = true;

	if (count > QUERY_MAX)
		return err_set(err, ERR_LIMIT, "more than %d query parameters", QUERY_MAX);
	for (size_t i = 0; i < count && ok; i++)
		ok = encode_pair(&query[i], &pairs[i], err);
	if (ok)
		qsort(pairs, count, sizeof pairs[0], compare_text);
	for (size_t i = 0; i < count && ok; i++) {
		*strchr(pairs[i], '\x01') = '=';
		ok = (!i || buf_add_char(out, '&', err)) && buf_add_str(out, pairs[i], err);
	}
	for (size_t i = 0; i < count; i++)
		free(pairs[i]);
	return ok;
}

static int compare_header(const void *a, const void *b)
{
	const struct http_header *const *x = a, *const *y = b;
	int order = strcasecmp((*x)->name, (*y)->name);

	/* the list's own order among fields of one name: both point into one array */
	return order ? order : (*x > *y) - (*x < *y);
}

static size_t sort_headers(const struct http_headers *h, const struct http_header *sorted[HTTP_HEADERS_MAX])
{
	for (size_t i = 0; i < h->count; i++)
		sorted[i] = &h->items[i];
	qsort(sorted, h->count, sizeof sorted[0], compare_header);
	return h->count;
}

static bool same_name(const struct http_header *const *sorted, size_t i)
{
	return i && !strcasecmp(sorted[i]->name, sorted[i - 1]->name);
}

static bool add_lower(struct buf *out, const char *text, struct err *err)
{
	for (const char *p = text; *p; p++)
		if (!buf_add_char(out, (char)tolower((unsigned char)*p), err))
			return false;
	return true;
}

/* Runs of blanks inside a value count as one; those around it are gone already. */
static bool add_value(struct buf *out, const char *value, struct err *err)
{
	for (const char *p = value; *p; p++) {
		bool blank = *p == ' ' || *p == '\t';

		if (blank && (p[1] == ' ' || p[1] == '\t'))
			continue;
		if (!buf_add_char(out, blank ? ' ' : *p, err))
			return false;
	}
	return true;
}

static bool add_headers(const struct http_headers *headers, struct buf *out, struct err *err)
{
	const struct http_header *sorted[HTTP_HEADERS_MAX];
	size_t count = sort_headers(headers, sorted);

	for (size_t i = 0; i < count; i++) {
		if (same_name(sorted, i)) {
			if (!buf_add_char(out, ',', err))
				return false;
		} else if ((i && !buf_add_char(out, '\n', err)) || !add_lower(out, sorted[i]->name, err) ||
			   !buf_add_char(out, ':', err)) {
			return false;
		}
		if (!add_value(out, sorted[i]->value, err))
			return false;
	}
	return buf_add_char(out, '\n', err);
}

static bool add_signed_names(const struct http_headers *headers, struct buf *out, struct err *err)
{
	const struct http_header *sorted[HTTP_HEADERS_MAX];
	size_t count = sort_headers(headers, sorted);

	for (size_t i = 0; i < count; i++)
		if (!same_name(sorted, i) &&
		    ((i && !buf_add_char(out, ';', err)) || !add_lower(out, sorted[i]->name, err)))
			return false;
	return true;
}

bool sigv4_canonical_request(const struct sigv4_request *req, struct buf *out, struct err *err)
{
	return buf_printf(out, err, "%s\n", req->method) && url_encode(out, req->path, strlen(req->path), true, err) &&
	       buf_add_char(out, '\n', err) && sigv4_query(req->query, req->query_count, out, err) &&
	       buf_add_char(out, '\n', err) && add_headers(req->headers, out, err) && buf_add_char(out, '\n', err) &&
	       add_signed_names(req->headers, out, err) && buf_printf(out, err, "\n%s", req->payload_sha256);
}

static void chain(const unsigned char key[SHA256_BYTES], const char *text, unsigned char ret[SHA256_BYTES])
{
	hmac_sha256(key, SHA256_BYTES, text, strlen(text), ret);
}

static bool signing_key(
    const struct sigv4_scope *scope, const char *day, unsigned char ret[SHA256_BYTES], struct err *err)
{
	BUF_CLEANUP struct buf secret = BUF_INIT(8192);
	unsigned char a[SHA256_BYTES], b[SHA256_BYTES];

	if (!buf_printf(&secret, err, "AWS4%s", scope->secret_key))
		return false;
	hmac_sha256(secret.data, secret.len, day, strlen(day), a);
	chain(a, scope->region, b);
	chain(b, scope->service, a);
	chain(a, "aws4_request", ret);
	explicit_bzero(secret.data, secret.len);
	explicit_bzero(a, sizeof a);
	explicit_bzero(b, sizeof b);
	return true;
}

bool sigv4_authorization(
    const struct sigv4_request *req, const struct sigv4_scope *scope, struct buf *out, struct err *err)
{
	BUF_CLEANUP struct buf text = BUF_INIT(TEXT_MAX), to_sign = BUF_INIT(TEXT_MAX);
	const char *date = http_headers_get(req->headers, "X-Amz-Date");
	unsigned char key[SHA256_BYTES], mac[SHA256_BYTES];
	char hash[SHA256_TEXT_MAX], day[9], signature[SHA256_TEXT_MAX];

	if (!date || strlen(date) != SIGV4_DATE_TEXT_MAX - 1)
		return err_set(err, ERR_USAGE, "a signed request needs an X-Amz-Date header");
	snprintf(day, sizeof day, "%.8s", date);
	if (!sigv4_canonical_request(req, &text, err) || !signing_key(scope, day, key, err) ||
	    !buf_printf(&to_sign, err, "AWS4-HMAC-SHA256\n%s\n%s/%s/%s/aws4_request\n%s", date, day, scope->region,
		scope->service, sha256_text(text.data, text.len, hash)))
		return false;
	hmac_sha256(key, sizeof key, to_sign.data, to_sign.len, mac);
	explicit_bzero(key, sizeof key);
	hex_encode(mac, sizeof mac, signature);
	return buf_printf(out, err,
		   "AWS4-HMAC-SHA256 Credential=%s/%s/%s/%s/aws4_request, SignedHeaders=", scope->access_key, day,
		   scope->region, scope->service) &&
	       add_signed_names(req->headers, out, err) && buf_printf(out, err, ", Signature=%s", signature);
}
