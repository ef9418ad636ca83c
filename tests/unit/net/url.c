#include "net/url.h"

#include <criterion/criterion.h>
#include <string.h>

Test(url, encoding_is_strict_and_in_capitals)
{
	BUF_CLEANUP struct buf out = BUF_INIT(256);
	struct err err = ERR_INIT;

	cr_assert(url_encode(&out, "aZ09-._~/:+% \xff", 14, true, &err));
	cr_assert_str_eq(buf_str(&out), "aZ09-._~/%3A%2B%25%20%FF");
	buf_reset(&out);
	cr_assert(url_encode(&out, "a/b", 3, false, &err));
	cr_assert_str_eq(buf_str(&out), "a%2Fb");
}

Test(url, decoding_undoes_encoding_of_every_byte)
{
	BUF_CLEANUP struct buf coded = BUF_INIT(2048), plain = BUF_INIT(2048);
	struct err err = ERR_INIT;
	char all[255];

	for (int i = 0; i < 255; i++)
		all[i] = (char)(i + 1);
	cr_assert(url_encode(&coded, all, sizeof all, false, &err));
	cr_assert(url_decode(&plain, buf_str(&coded), coded.len, true, &err));
	cr_assert_eq(plain.len, sizeof all);
	cr_assert_arr_eq(plain.data, all, sizeof all);
}

Test(url, broken_escapes_are_refused)
{
	static const char *const cases[] = {"%", "%1", "%zz", "a%2", "%00"};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		BUF_CLEANUP struct buf out = BUF_INIT(256);
		struct err err = ERR_INIT;

		cr_expect_not(url_decode(&out, cases[i], strlen(cases[i]), false, &err), "%s", cases[i]);
	}
}

Test(url, parts_are_found)
{
	struct url url;
	struct err err = ERR_INIT;

	cr_assert(url_parse("https://[::1]:6443/api/v1?x=1", &url, &err), "%s", err.msg);
	cr_assert(url.tls);
	cr_assert_str_eq(url.authority, "[::1]:6443");
	cr_assert_eq(url.path_len, 7);
	cr_assert(url_parse("http://h", &url, &err));
	cr_assert_eq(url.path_len, 0);
}

Test(url, what_cannot_be_sent_is_refused)
{
	static const char *const cases[] = {"", "h/x", "ftp://h", "http://", "http:///x", "http://u:p@h/",
	    "http://h/a b", "http://h/a#b", "http://h/\r\nX: 1", "http://h/\xc3\xa9", "http://h h/",
	    "file:///etc/passwd", "http://:80/"};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct url url;
		struct err err = ERR_INIT;

		cr_expect_not(url_parse(cases[i], &url, &err), "%s", cases[i]);
		cr_expect_eq(err.code, ERR_USAGE);
	}
}

Test(url, subject_for_messages_leaves_the_query_out_and_is_cut)
{
	char subject[URL_SUBJECT_MAX], long_url[1000];

	cr_assert_str_eq(url_subject("https://h:1/a/b?token=secret", subject), "h:1/a/b");
	cr_assert_str_eq(url_subject("http://user:secret@h/", subject), "(unusable URL)");
	memset(long_url, 'a', sizeof long_url);
	memcpy(long_url, "http://h/", 9);
	long_url[999] = '\0';
	url_subject(long_url, subject);
	cr_assert_str_eq(subject + URL_SUBJECT_MAX - 4, "...");
}
