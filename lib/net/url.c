#include "net/url.h"

#include <stdio.h>
#include <string.h>

static bool is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~", c) != NULL);
}

bool url_encode(struct buf *out, const char *text, size_t len, bool keep_slash, struct err *err)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		char escape[3] = {'%', digits[c >> 4], digits[c & 15]};

		if (is_unreserved(text[i]) || (keep_slash && c == '/')) {
			if (!buf_add_char(out, text[i], err))
				return false;
		} else if (!buf_add(out, escape, sizeof escape, err)) {
			return false;
		}
	}
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool url_decode(struct buf *out, const char *text, size_t len, bool plus_is_blank, struct err *err)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '%') {
			int high = i + 1 < len ? hex_digit(text[i + 1]) : -1;
			int low = i + 2 < len ? hex_digit(text[i + 2]) : -1;

			if (high < 0 || low < 0 || !(high | low))
				return err_set(err, ERR_PARSE, "broken percent escape at byte %zu", i);
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && plus_is_blank) {
			c = ' ';
		}
		if (!buf_add_char(out, c, err))
			return false;
	}
	return true;
}

static bool bad_url(struct err *err, const char *fault)
{
	err_set(err, ERR_USAGE, "URL %s", fault);
	return err_hint(err, "write it as http://host:port/path or https://host/path");
}

static bool check_host(const char *host, size_t len)
{
	if (!len || len >= URL_AUTHORITY_MAX || host[0] == ':')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_unreserved(host[i]) && !strchr(":[]%", host[i]))
			return false;
	return true;
}

bool url_parse(const char *text, struct url *ret, struct err *err)
{
	bool tls = !strncmp(text, "https://", 8);
	const char *host, *path;
	size_t host_len;

	if (!tls && strncmp(text, "http://", 7) != 0)
		return bad_url(err, "does not begin with http:// or https://");
	if (strnlen(text, URL_MAX + 1) > URL_MAX)
		return err_set(err, ERR_LIMIT, "URL is longer than %d bytes", URL_MAX);
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 127 || *p == '#' || *p == '\\' || *p == '"')
			return bad_url(err, "holds a blank, a control character or one that needs escaping");
	host = text + (tls ? 8 : 7);
	host_len = strcspn(host, "/?");
	if (memchr(host, '@', host_len))
		return bad_url(err, "holds a user name");
	if (!check_host(host, host_len))
		return bad_url(err, "has no usable host name");
	path = host + host_len;
	ret->tls = tls;
	memcpy(ret->authority, host, host_len);
	ret->authority[host_len] = '\0';
	ret->path = path;
	ret->path_len = strcspn(path, "?");
	return true;
}

const char *url_subject(const char *text, char subject[static URL_SUBJECT_MAX])
{
	struct url url;
	struct err ignored = ERR_INIT;

	if (!url_parse(text, &url, &ignored))
		snprintf(subject, URL_SUBJECT_MAX, "(unusable URL)");
	else if (snprintf(subject, URL_SUBJECT_MAX, "%.120s%.*s", url.authority, (int)url.path_len, url.path) >=
		 URL_SUBJECT_MAX)
		memcpy(subject + URL_SUBJECT_MAX - 4, "...", 4);
	return subject;
}
