#include "doc/json_flat.h"

#include "doc/json.h"

#include <criterion/criterion.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))

Test(json_flat, reads_members_of_each_kind)
{
	const char text[] = "{\"a\":\"x\",\"n\":-12,\"b\":true,\"c\":false,\"i\":\"9223372036854775807\",\"h\":"
			    "\"00000000000000ff\",\"o\":\"5,6\","
			    "\"t\":\"1970-01-01T00:00:01.5Z\",\"e\":\"\"}";
	struct json_flat flat;
	struct optime op;
	uint64_t hex;
	int64_t i;
	char copy[2];
	bool b;

	cr_assert(json_flat_parse(text, sizeof text - 1, &flat));
	cr_assert_eq(flat.count, 9);
	cr_assert(json_flat_copy(&flat, "a", copy, sizeof copy) && !strcmp(copy, "x"));
	cr_assert(!json_flat_copy(&flat, "a", copy, 1), "no room for the NUL");
	cr_assert(json_flat_copy(&flat, "e", copy, 1));
	cr_assert(json_flat_int(&flat, "n", -12, 0, &i) && i == -12);
	cr_assert(!json_flat_int(&flat, "n", -11, 0, &i));
	cr_assert(!json_flat_int(&flat, "i", 0, INT64_MAX, &i), "a string is no number");
	cr_assert(json_flat_i64(&flat, "i", &i) && i == INT64_MAX);
	cr_assert(!json_flat_i64(&flat, "n", &i), "a number is no string");
	cr_assert(json_flat_bool(&flat, "b", &b) && b);
	cr_assert(json_flat_bool(&flat, "c", &b) && !b);
	cr_assert(json_flat_u64_hex(&flat, "h", &hex) && hex == 255);
	cr_assert(json_flat_optime(&flat, "o", &op) && op.t == 5 && op.i == 6);
	cr_assert(json_flat_time(&flat, "t", &i) && i == 1500);
	cr_assert_null(json_flat_get(&flat, "z"));
}

Test(json_flat, leaves_everything_else_to_the_parser)
{
	static const char *const texts[] = {"", "{", "}", "{}", "[]", "{\"a\":1", "{\"a\":1}}", "{\"a\":1} ",
	    " {\"a\":1}", "{\"a\": 1}", "{\"a\":1,}", "{\"a\":01}", "{\"a\":-}", "{\"a\":1.5}", "{\"a\":1e3}",
	    "{\"a\":1234567890123456}", "{\"a\":null}", "{\"a\":tru}", "{\"a\":{}}", "{\"a\":[]}", "{\"a\":\"\\n\"}",
	    "{\"a\":\"\xc3\xa4\"}", "{\"a\":\"\x7f\"}", "{\"a\":1,\"a\":2}", "{\"\\u0061\":1}", "{\"a\"}", "{\"a\":}",
	    "{a:1}", "{\"a\":\"",
	    "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,"
	    "\"h\":8,\"i\":9,\"j\":1,\"k\":2,\"l\":3,\"m\":4,\"n\":5,\"o\":6,\"p\":7,\"q\":8}"};
	struct json_flat flat;

	for (size_t i = 0; i < COUNT(texts); i++)
		for (size_t len = 0; len <= strlen(texts[i]); len++)
			cr_assert(!json_flat_parse(texts[i], len, &flat) || len < strlen(texts[i]), "%.*s", (int)len,
			    texts[i]);
}

/* Whatever it accepts, the parser accepts, with the same members: tried on every damage of one byte. */
Test(json_flat, never_accepts_what_the_parser_refuses)
{
	const char whole[] = "{\"n\":7,\"type\":\"acked\",\"s\":0,\"exact\":true,\"k\":\"\"}";
	static const char bytes[] = "{}[]\":,\\ 0-9tfen.\x01\x7f\xff";
	const struct json_limits limits = {.max_bytes = 1000, .max_depth = 4, .unique_keys = true};

	for (size_t at = 0; at < sizeof whole - 1; at++) {
		for (size_t k = 0; k < sizeof bytes; k++) {
			char text[sizeof whole];
			CLEANUP(json) struct json *doc = NULL;
			struct json_flat flat;

			memcpy(text, whole, sizeof whole);
			text[at] = bytes[k];
			if (!json_flat_parse(text, sizeof whole - 1, &flat))
				continue;
			cr_assert(json_parse(text, sizeof whole - 1, &limits, &doc, NULL), "%s", text);
			cr_assert_eq(json_count(json_root(doc)), flat.count, "%s", text);
		}
	}
}
