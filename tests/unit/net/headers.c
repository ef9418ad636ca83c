#include "net/headers.h"

#include <criterion/criterion.h>
#include <string.h>

Test(headers, names_are_found_without_regard_to_case)
{
	HTTP_HEADERS_CLEANUP struct http_headers h = HTTP_HEADERS_INIT;
	struct err err = ERR_INIT;

	cr_assert(http_headers_add(&h, "ETag", "  \"a\"\t", &err));
	cr_assert_str_eq(http_headers_get(&h, "etag"), "\"a\"");
	cr_assert_null(http_headers_get(&h, "eta"));
}

Test(headers, setting_replaces_every_field_of_the_name)
{
	HTTP_HEADERS_CLEANUP struct http_headers h = HTTP_HEADERS_INIT;
	struct err err = ERR_INIT;

	http_headers_add(&h, "A", "1", &err);
	http_headers_add(&h, "B", "2", &err);
	http_headers_add(&h, "a", "3", &err);
	cr_assert(http_headers_set(&h, "A", "4", &err));
	cr_assert_eq(h.count, 2);
	cr_assert_eq(h.bytes, 4);
	cr_assert_str_eq(http_headers_get(&h, "a"), "4");
}

Test(headers, line_breaks_cannot_start_a_second_header)
{
	HTTP_HEADERS_CLEANUP struct http_headers h = HTTP_HEADERS_INIT;
	struct err err = ERR_INIT;

	cr_assert_not(http_headers_add(&h, "A", "1\r\nX: 2", &err));
	cr_assert_not(http_headers_add(&h, "A: 1\r\nX", "2", &err));
	cr_assert_not(http_headers_add(&h, "", "2", &err));
	cr_assert_eq(h.count, 0);
}

Test(headers, number_and_size_have_a_bound)
{
	HTTP_HEADERS_CLEANUP struct http_headers h = HTTP_HEADERS_INIT;
	struct err err = ERR_INIT;

	for (int i = 0; i < HTTP_HEADERS_MAX; i++)
		cr_assert(http_headers_add(&h, "A", "1", &err));
	cr_assert_not(http_headers_add(&h, "A", "1", &err));
	cr_assert_eq(err.code, ERR_LIMIT);
}
