#include "psmdb/destination.h"

#include <criterion/criterion.h>
#include <string.h>

#define NAME "2023-04-03T07:46:17Z"

Test(pbm_destination, texts_of_every_operator_version_are_read)
{
	static const struct {
		const char *text, *bucket, *prefix;
	} cases[] = {
	    {NAME, "", ""},
	    {"one/" NAME, "", "one"},
	    {"demo/mcourcy/percona/mongodb/c/" NAME, "", "demo/mcourcy/percona/mongodb/c"},
	    {"s3://drill/" NAME, "drill", ""},
	    {"s3://drill/one/two/" NAME, "drill", "one/two"},
	    {"s3://drill//one//" NAME, "drill", "one"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct pbm_destination d;
		struct err err = ERR_INIT;

		cr_assert(pbm_destination_parse(cases[i].text, &d, &err), "%s: %s", cases[i].text, err.msg);
		cr_expect_str_eq(d.bucket, cases[i].bucket, "%s", cases[i].text);
		cr_expect_str_eq(d.prefix, cases[i].prefix, "%s", cases[i].text);
		cr_expect_str_eq(d.name, NAME);
	}
}

Test(pbm_destination, other_texts_are_refused)
{
	static const struct {
		const char *text;
		enum err_code code;
	} cases[] = {
	    {"", ERR_PARSE},
	    {"one/", ERR_PARSE},
	    {"one/two", ERR_PARSE},
	    {"s3://drill", ERR_PARSE},
	    {"s3:///" NAME, ERR_PARSE},
	    {"azure://c/" NAME, ERR_UNSUPPORTED},
	    {"/srv/backups/" NAME, ERR_UNSUPPORTED},
	    {"one\n/" NAME, ERR_PARSE},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct pbm_destination d;
		struct err err = ERR_INIT;

		cr_expect_not(pbm_destination_parse(cases[i].text, &d, &err), "%s", cases[i].text);
		cr_expect_eq(err.code, cases[i].code, "%s: %s", cases[i].text, err.msg);
	}
}

Test(pbm_destination, bucket_is_added_where_it_is_missing_and_never_doubled)
{
	static const struct {
		const char *text, *bucket, *url;
	} cases[] = {
	    {"one/" NAME, "drill", "s3://drill/one/" NAME},
	    {NAME, "drill", "s3://drill/" NAME},
	    {"s3://drill/one/" NAME, "drill", "s3://drill/one/" NAME},
	    {"s3://drill/one/" NAME, NULL, "s3://drill/one/" NAME},
	    {"s3://drill/one/" NAME, "other", NULL},
	    {"one/" NAME, "", NULL},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		BUF_CLEANUP struct buf url = BUF_INIT(4096);
		struct pbm_destination d;
		struct err err = ERR_INIT;

		cr_assert(pbm_destination_parse(cases[i].text, &d, &err));
		cr_expect_eq(pbm_destination_url(&d, cases[i].bucket, &url, &err), cases[i].url != NULL, "case %zu", i);
		if (cases[i].url)
			cr_expect_str_eq(buf_str(&url), cases[i].url);
		else
			cr_expect_eq(err.code, ERR_STATE);
	}
}
