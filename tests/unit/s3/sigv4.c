/* Against AWS's published examples: the Signature Version 4 test suite, and the examples of the S3 API reference. */
#include "s3/sigv4.h"

#include <criterion/criterion.h>
#include <string.h>

struct header {
	const char *name, *value;
};

struct vector {
	const char *name;
	const char *method, *path;
	struct header headers[6];
	struct sigv4_pair query[4];
	const char *payload;
	const char *signed_names, *signature;
};

#define SUITE_HOST                                                                                                     \
	{                                                                                                              \
		"Host", "example.amazonaws.com"                                                                        \
	}
#define SUITE_DATE                                                                                                     \
	{                                                                                                              \
		"X-Amz-Date", "20150830T123600Z"                                                                       \
	}
#define S3_HOST                                                                                                        \
	{                                                                                                              \
		"Host", "examplebucket.s3.amazonaws.com"                                                               \
	}
#define S3_DATE                                                                                                        \
	{                                                                                                              \
		"x-amz-date", "20130524T000000Z"                                                                       \
	}
#define S3_EMPTY                                                                                                       \
	{                                                                                                              \
		"x-amz-content-sha256", SIGV4_EMPTY_SHA256                                                             \
	}

static const struct sigv4_scope suite_scope = {
    "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service"};
static const struct sigv4_scope s3_scope = {
    "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1", "s3"};

static const struct vector suite[] = {
    {"get-vanilla", "GET", "/", {SUITE_HOST, SUITE_DATE}, {{0}}, SIGV4_EMPTY_SHA256, "host;x-amz-date",
	"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-vanilla-query-order-key-case", "GET", "/", {SUITE_HOST, SUITE_DATE},
	{{"Param2", "value2"}, {"Param1", "value1"}}, SIGV4_EMPTY_SHA256, "host;x-amz-date",
	"b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"get-utf8", "GET", "/\u1234", {SUITE_HOST, SUITE_DATE}, {{0}}, SIGV4_EMPTY_SHA256, "host;x-amz-date",
	"8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {"get-header-value-trim", "GET", "/",
	{SUITE_HOST, {"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}, SUITE_DATE}, {{0}},
	SIGV4_EMPTY_SHA256, "host;my-header1;my-header2;x-amz-date",
	"acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    {"get-header-value-order", "GET", "/",
	{SUITE_HOST, {"My-Header1", "value4"}, {"My-Header1", "value1"}, {"My-Header1", "value3"},
	    {"My-Header1", "value2"}, SUITE_DATE},
	{{0}}, SIGV4_EMPTY_SHA256, "host;my-header1;x-amz-date",
	"08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
    {"post-vanilla", "POST", "/", {SUITE_HOST, SUITE_DATE}, {{0}}, SIGV4_EMPTY_SHA256, "host;x-amz-date",
	"5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"post-x-www-form-urlencoded", "POST", "/",
	{{"Content-Type", "application/x-www-form-urlencoded"}, SUITE_HOST, SUITE_DATE}, {{0}},
	"9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e", "content-type;host;x-amz-date",
	"ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
    {"post-sts-header-before", "POST", "/",
	{SUITE_HOST, SUITE_DATE,
	    {"X-Amz-Security-Token",
		"AQoDYXdzEPT//////////"
		"wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/"
		"qkPpKPi/"
		"kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6"
		"d+xo0rKwT38xVqr"
		"7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="}},
	{{0}}, SIGV4_EMPTY_SHA256, "host;x-amz-date;x-amz-security-token",
	"85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
};

static const struct vector s3_examples[] = {
    {"GET object with Range", "GET", "/test.txt", {S3_HOST, {"Range", "bytes=0-9"}, S3_EMPTY, S3_DATE}, {{0}},
	SIGV4_EMPTY_SHA256, "host;range;x-amz-content-sha256;x-amz-date",
	"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {"PUT object", "PUT", "/test$file.text",
	{{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, S3_HOST, S3_DATE, {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
	    {"x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"}},
	{{0}}, "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
	"date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
	"98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
    {"GET bucket lifecycle", "GET", "/", {S3_HOST, S3_EMPTY, S3_DATE}, {{"lifecycle", ""}}, SIGV4_EMPTY_SHA256,
	"host;x-amz-content-sha256;x-amz-date", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {"list objects", "GET", "/", {S3_HOST, S3_EMPTY, S3_DATE}, {{"prefix", "J"}, {"max-keys", "2"}}, SIGV4_EMPTY_SHA256,
	"host;x-amz-content-sha256;x-amz-date", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
};

static void check(const struct vector *v, const struct sigv4_scope *scope, const char *credential)
{
	HTTP_HEADERS_CLEANUP struct http_headers headers = HTTP_HEADERS_INIT;
	BUF_CLEANUP struct buf got = BUF_INIT(8192), want = BUF_INIT(8192);
	struct sigv4_request req = {
	    .method = v->method, .path = v->path, .query = v->query, .headers = &headers, .payload_sha256 = v->payload};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < 6 && v->headers[i].name; i++)
		cr_assert(http_headers_add(&headers, v->headers[i].name, v->headers[i].value, &err), "%s", err.msg);
	while (req.query_count < 4 && v->query[req.query_count].name)
		req.query_count++;
	cr_assert(sigv4_authorization(&req, scope, &got, &err), "%s: %s", v->name, err.msg);
	buf_printf(&want, &err, "AWS4-HMAC-SHA256 Credential=%s, SignedHeaders=%s, Signature=%s", credential,
	    v->signed_names, v->signature);
	cr_expect_str_eq(buf_str(&got), buf_str(&want), "%s:\n%s\n%s", v->name, buf_str(&got), buf_str(&want));
}

Test(sigv4, agrees_with_the_published_test_suite)
{
	for (size_t i = 0; i < sizeof suite / sizeof suite[0]; i++)
		check(&suite[i], &suite_scope, "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request");
}

Test(sigv4, agrees_with_the_examples_of_the_s3_reference)
{
	for (size_t i = 0; i < sizeof s3_examples / sizeof s3_examples[0]; i++)
		check(&s3_examples[i], &s3_scope, "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request");
}

Test(sigv4, canonical_request_is_the_one_of_the_reference)
{
	HTTP_HEADERS_CLEANUP struct http_headers headers = HTTP_HEADERS_INIT;
	BUF_CLEANUP struct buf got = BUF_INIT(8192);
	struct sigv4_request req = {
	    .method = "GET", .path = "/test.txt", .headers = &headers, .payload_sha256 = SIGV4_EMPTY_SHA256};
	struct err err = ERR_INIT;

	http_headers_add(&headers, "x-amz-date", "20130524T000000Z", &err);
	http_headers_add(&headers, "Host", "examplebucket.s3.amazonaws.com", &err);
	http_headers_add(&headers, "Range", "bytes=0-9", &err);
	http_headers_add(&headers, "x-amz-content-sha256", SIGV4_EMPTY_SHA256, &err);
	cr_assert(sigv4_canonical_request(&req, &got, &err));
	cr_assert_str_eq(buf_str(&got),
	    "GET\n/"
	    "test.txt\n\nhost:examplebucket.s3.amazonaws.com\nrange:bytes=0-9\nx-amz-content-sha256:" SIGV4_EMPTY_SHA256
	    "\nx-amz-date:20130524T000000Z\n\nhost;range;x-amz-content-sha256;x-amz-date\n" SIGV4_EMPTY_SHA256);
}

Test(sigv4, query_is_encoded_then_sorted_and_every_name_gets_an_equals_sign)
{
	const struct sigv4_pair query[] = {
	    {"prefix", "a b+c/\u00e9%:"}, {"location", ""}, {"list-type", "2"}, {"a-", "1"}, {"a", "2"}, {"a", "1"}};
	BUF_CLEANUP struct buf got = BUF_INIT(8192);
	struct err err = ERR_INIT;

	cr_assert(sigv4_query(query, 6, &got, &err));
	cr_assert_str_eq(buf_str(&got), "a=1&a=2&a-=1&list-type=2&location=&prefix=a%20b%2Bc%2F%C3%A9%25%3A");
}

Test(sigv4, path_keeps_dots_and_double_slashes_and_escapes_colons)
{
	HTTP_HEADERS_CLEANUP struct http_headers headers = HTTP_HEADERS_INIT;
	BUF_CLEANUP struct buf got = BUF_INIT(8192);
	struct sigv4_request req = {.method = "GET",
	    .path = "/b/../a//2023-04-03T07:46:17Z~ *",
	    .headers = &headers,
	    .payload_sha256 = SIGV4_EMPTY_SHA256};
	struct err err = ERR_INIT;

	http_headers_add(&headers, "X-Amz-Date", "20130524T000000Z", &err);
	cr_assert(sigv4_canonical_request(&req, &got, &err));
	cr_assert(strstr(buf_str(&got), "GET\n/b/../a//2023-04-03T07%3A46%3A17Z~%20%2A\n"));
}

Test(sigv4, date_is_in_utc_without_punctuation)
{
	char text[SIGV4_DATE_TEXT_MAX];

	cr_assert_str_eq(sigv4_date(1440938160000, text), "20150830T123600Z");
}

Test(sigv4, request_without_a_date_is_refused)
{
	struct http_headers headers = HTTP_HEADERS_INIT;
	BUF_CLEANUP struct buf got = BUF_INIT(8192);
	struct sigv4_request req = {
	    .method = "GET", .path = "/", .headers = &headers, .payload_sha256 = SIGV4_EMPTY_SHA256};
	struct err err = ERR_INIT;

	cr_assert_not(sigv4_authorization(&req, &s3_scope, &got, &err));
	cr_assert_eq(err.code, ERR_USAGE);
}
