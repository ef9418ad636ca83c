#include "s3/s3_xml.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
#define NS " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

static bool collect(void *ctx, const struct s3_object *o, struct err *err)
{
	return buf_printf(ctx, err, "[%s %" PRIu64 " %s %" PRId64 "]", o->key, o->size_bytes, o->etag, o->modified_ms);
}

static bool parse(const char *text, struct buf *seen, struct s3_page *page, struct err *err)
{
	return s3_parse_list(text, strlen(text), collect, seen, page, err);
}

Test(s3_xml, list_page_of_amazon_is_read)
{
	BUF_CLEANUP struct buf seen = BUF_INIT(4096);
	struct s3_page page;
	struct err err = ERR_INIT;

	cr_assert(
	    parse(HEAD
		"<ListBucketResult" NS
		"><Name>b</Name><Prefix/><KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>true</IsTruncated>"
		"<NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken>"
		"<Contents><Key>a/2023-04-03T07:46:17Z.pbm.json</Key><LastModified>2009-10-12T17:50:30.000Z</"
		"LastModified>"
		"<ETag>\"fba9dede5f27731c9771645a39863328\"</ETag><Size>434234</Size><StorageClass>STANDARD</"
		"StorageClass>"
		"<Owner><ID>8a6925ce4a7f21c32aa379004fef</ID><DisplayName>x</DisplayName></Owner></Contents>"
		"<Contents><Key>x &amp; "
		"&lt;y&gt;</Key><ETag>&quot;e-2&quot;</ETag><Size>0</Size></Contents></ListBucketResult>",
		&seen, &page, &err),
	    "%s", err.msg);
	cr_assert(page.truncated);
	cr_assert_str_eq(page.next_token, "1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=");
	cr_assert_eq(page.count, 2);
	cr_assert_str_eq(buf_str(&seen),
	    "[a/2023-04-03T07:46:17Z.pbm.json 434234 fba9dede5f27731c9771645a39863328 1255369830000][x & <y> 0 e-2 0]");
}

Test(s3_xml, url_encoded_keys_are_decoded_even_when_the_server_says_so_at_the_end)
{
	BUF_CLEANUP struct buf seen = BUF_INIT(4096);
	struct s3_page page;
	struct err err = ERR_INIT;

	cr_assert(parse("<ListBucketResult><Contents><Key>a+b%2Bc%25%0Ad/%C3%A9</Key><Size>1</Size></"
			"Contents><EncodingType>url</EncodingType></ListBucketResult>",
		      &seen, &page, &err),
	    "%s", err.msg);
	cr_assert_not(page.truncated);
	cr_assert_str_eq(buf_str(&seen), "[a b+c%\nd/\u00e9 1  0]");
}

Test(s3_xml, keys_stay_as_they_are_without_an_encoding)
{
	BUF_CLEANUP struct buf seen = BUF_INIT(4096);
	struct s3_page page;
	struct err err = ERR_INIT;

	cr_assert(parse("<ListBucketResult><Contents><Key>a+b%2Bc</Key><Size>1</Size></Contents></ListBucketResult>",
	    &seen, &page, &err));
	cr_assert_str_eq(buf_str(&seen), "[a+b%2Bc 1  0]");
}

Test(s3_xml, what_is_not_a_listing_is_refused)
{
	static const struct {
		const char *text;
		const char *message;
	} cases[] = {
	    {"", "malformed"},
	    {"<html><body>Bad gateway</body></html>", "not a ListBucketResult"},
	    {"<ListBucketResult><Contents><Key>a</Key><Size>1</Size></Contents>", "malformed"},
	    {"<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>", "without key or size"},
	    {"<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>", "without key or size"},
	    {"<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>", "size"},
	    {"<ListBucketResult><Contents><Key>a</Key><Size>99999999999999999999</Size></Contents></ListBucketResult>",
		"size"},
	    {"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>", "continuation token"},
	    {"<!DOCTYPE l><ListBucketResult/>", "document type"},
	    {"<!DOCTYPE l [<!ENTITY a \"b\">]><ListBucketResult/>", "document type"},
	    {"<ListBucketResult><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></ListBucketResult>", "deeper"},
	    {"<ListBucketResult>\xff</ListBucketResult>", "UTF-8"},
	    {"<ListBucketResult><Contents><Key>%zz</Key><Size>1</Size></Contents><EncodingType>url</EncodingType></"
	     "ListBucketResult>",
		"percent"},
	    {"<ListBucketResult><Contents><Key>%00</Key><Size>1</Size></Contents><EncodingType>url</EncodingType></"
	     "ListBucketResult>",
		"percent"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		BUF_CLEANUP struct buf seen = BUF_INIT(4096);
		struct s3_page page;
		struct err err = ERR_INIT;

		cr_expect_not(parse(cases[i].text, &seen, &page, &err), "case %zu", i);
		cr_expect(strstr(err.msg, cases[i].message), "case %zu: %s", i, err.msg);
	}
}

Test(s3_xml, callback_ends_the_listing_with_its_own_error)
{
	BUF_CLEANUP struct buf seen = BUF_INIT(20);
	struct s3_page page;
	struct err err = ERR_INIT;

	cr_assert_not(parse("<ListBucketResult><Contents><Key>aaaaaaaaaaaaaaaaaaaaaaaaaa</Key><Size>1</Size></"
			    "Contents></ListBucketResult>",
	    &seen, &page, &err));
	cr_assert_eq(err.code, ERR_LIMIT);
}

Test(s3_xml, error_body_is_read_and_made_harmless)
{
	static const char text[] =
	    HEAD "<Error><Code>NoSuchBucket</Code><Message>no "
		 "&#x1b;[31m\u202ebucket&#10;::error::x</Message><Region>eu-west-3</Region></Error>";
	struct s3_fault fault = {0};

	cr_assert_not(s3_parse_error(text, sizeof text - 1, &fault), "a control character is not XML 1.0");
	static const char mild[] = HEAD "<Error><Code>NoSuchBucket</Code><Message>no "
					"\u202ebucket&#10;x</Message><Region>eu-west-3</Region></Error>";
	cr_assert(s3_parse_error(mild, sizeof mild - 1, &fault));
	cr_assert_str_eq(fault.code, "NoSuchBucket");
	cr_assert_str_eq(fault.region, "eu-west-3");
	cr_assert_str_eq(fault.message, "no \ufffdbucket\ufffdx");
}

Test(s3_xml, page_of_a_proxy_is_no_error_body)
{
	struct s3_fault fault = {0};

	cr_assert_not(s3_parse_error("<html/>", 7, &fault));
	cr_assert_not(s3_parse_error("Forbidden", 9, &fault));
	cr_assert_not(s3_parse_error("", 0, &fault));
}
