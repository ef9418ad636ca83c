#include "verifier/collect_owner.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static bson_t *read_json(const char *json)
{
	bson_error_t error;
	bson_t *doc = bson_new_from_json((const uint8_t *)json, -1, &error);

	cr_assert_not_null(doc, "%s: %s", json, error.message);
	return doc;
}

static struct owner *make(const char *key, const char *const *bounds)
{
	struct owner *o = NULL;
	bson_t *doc = read_json(key);
	char why[200];

	cr_assert(owner_new(doc, &o, why, sizeof why), "%s", why);
	bson_destroy(doc);
	for (; *bounds; bounds += 2) {
		bson_t *min = read_json(bounds[0]), *max = read_json(bounds[1]);

		cr_assert(owner_add(o, min, max), "%s", bounds[0]);
		bson_destroy(min);
		bson_destroy(max);
	}
	return o;
}
#define BOUNDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static bool owns(struct owner *o, const char *json)
{
	bson_t *doc = read_json(json);
	/* exactly as long as it is, so that a sanitizer sees a read past its end */
	uint8_t *copy = malloc(doc->len);
	bool owned;

	memcpy(copy, bson_get_data(doc), doc->len);
	owned = owner_owns(o, copy, doc->len);
	free(copy);
	bson_destroy(doc);
	return owned;
}

Test(owner, from_the_minimum_up_to_and_without_the_maximum)
{
	struct owner *o = make(
	    "{\"seq\": 1}", BOUNDS("{\"seq\": 10}", "{\"seq\": 20}", "{\"seq\": 30}", "{\"seq\": {\"$maxKey\": 1}}"));

	cr_expect_not(owns(o, "{\"seq\": 9}"));
	cr_expect(owns(o, "{\"seq\": 10}"));
	cr_expect(owns(o, "{\"seq\": 19.9}"));
	cr_expect_not(owns(o, "{\"seq\": 20}"));
	cr_expect_not(owns(o, "{\"seq\": 29}"));
	cr_expect(owns(o, "{\"seq\": 30}"));
	cr_expect(owns(o, "{\"seq\": \"text is more than any number\"}"));
	cr_expect_not(owns(o, "{\"other\": 15}"), "a missing field is null, less than any number");
	cr_expect_eq(owner_untold(o), 0);
	owner_free(o);
}

Test(owner, neighbouring_chunks_are_one_range)
{
	struct owner *o =
	    make("{\"a\": 1}", BOUNDS("{\"a\": {\"$minKey\": 1}}", "{\"a\": 5}", "{\"a\": 5}", "{\"a\": 9}"));

	cr_expect(owns(o, "{\"a\": 5}"));
	cr_expect(owns(o, "{}"));
	cr_expect_not(owns(o, "{\"a\": 9}"));
	owner_free(o);
}

Test(owner, a_key_of_several_fields_is_compared_field_by_field)
{
	struct owner *o = make(
	    "{\"a.b\": 1, \"c\": 1}", BOUNDS("{\"a.b\": 1, \"c\": \"m\"}", "{\"a.b\": 2, \"c\": {\"$minKey\": 1}}"));

	cr_expect_not(owns(o, "{\"a\": {\"b\": 1}, \"c\": \"l\"}"));
	cr_expect(owns(o, "{\"a\": {\"b\": 1}, \"c\": \"ma\"}"));
	cr_expect_not(owns(o, "{\"a\": {\"b\": 2}, \"c\": null}"));
	owner_free(o);
}

Test(owner, every_type_has_its_place)
{
	/* ascending, as https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/ has it */
	static const char *const values[] = {"null", "{\"$numberDouble\": \"NaN\"}", "-3",
	    "{\"$numberLong\": \"9007199254740992\"}", "{\"$numberLong\": \"9007199254740993\"}", "1e300", "\"\"",
	    "\"a\"", "\"a\\u0000\"", "\"b\"", "{\"$binary\": {\"base64\": \"/w==\", \"subType\": \"00\"}}",
	    "{\"$binary\": {\"base64\": \"AAA=\", \"subType\": \"00\"}}",
	    "{\"$binary\": {\"base64\": \"AAA=\", \"subType\": \"04\"}}", "{\"$oid\": \"65f0a1b2c3d4e5f601234567\"}",
	    "{\"$oid\": \"65f0a1b2c3d4e5f601234568\"}", "false", "true", "{\"$date\": {\"$numberLong\": \"-5\"}}",
	    "{\"$date\": {\"$numberLong\": \"5\"}}", "{\"$timestamp\": {\"t\": 1, \"i\": 9}}",
	    "{\"$timestamp\": {\"t\": 2, \"i\": 1}}"};
	enum { COUNT = sizeof values / sizeof *values };

	for (size_t i = 0; i < COUNT; i++) {
		char low[200], doc[200];
		struct owner *o;

		snprintf(low, sizeof low, "{\"k\": %s}", values[i]);
		o = make("{\"k\": 1}", BOUNDS(low, "{\"k\": {\"$maxKey\": 1}}"));
		for (size_t k = 0; k < COUNT; k++) {
			snprintf(doc, sizeof doc, "{\"k\": %s}", values[k]);
			cr_expect_eq(owns(o, doc), k >= i, "%s from %s", values[k], values[i]);
		}
		owner_free(o);
	}
}

Test(owner, what_cannot_be_told_is_owned_and_counted)
{
	struct owner *o = make("{\"k\": 1}", BOUNDS("{\"k\": 1}", "{\"k\": 2}"));

	cr_expect(owns(o, "{\"k\": {\"x\": 1}}"));
	cr_expect(owns(o, "{\"k\": {\"$numberDecimal\": \"7\"}}"));
	cr_expect(owner_owns(o, "\x05\0\0\0\1", 5));
	cr_expect_eq(owner_untold(o), 3);
	owner_free(o);
}

Test(owner, a_hashed_field_is_placed_by_the_servers_hash)
{
	/* convertShardKeyToHashed(1) of mongosh */
	struct owner *o = make("{\"k\": \"hashed\"}", BOUNDS("{\"k\": {\"$numberLong\": \"5902408780260971510\"}}",
							  "{\"k\": {\"$numberLong\": \"5902408780260971511\"}}"));

	cr_expect(owns(o, "{\"k\": 1}"));
	cr_expect(owns(o, "{\"k\": {\"$numberLong\": \"1\"}}"));
	cr_expect(owns(o, "{\"k\": 1.9}"), "numbers are cut before they are hashed");
	cr_expect_not(owns(o, "{\"k\": 2}"));
	cr_expect_not(owns(o, "{\"k\": \"1\"}"));
	cr_expect_not(owns(o, "{}"));
	cr_expect_eq(owner_untold(o), 0);
	cr_expect(owns(o, "{\"k\": true}"));
	cr_expect(owns(o, "{\"k\": 1e300}"));
	cr_expect_eq(owner_untold(o), 2);
	owner_free(o);
}

Test(owner, a_key_may_be_hashed_in_one_of_its_fields)
{
	struct owner *o =
	    make("{\"a\": 1, \"k\": \"hashed\"}", BOUNDS("{\"a\": 3, \"k\": {\"$minKey\": 1}}",
						      "{\"a\": 3, \"k\": {\"$numberLong\": \"5902408780260971511\"}}"));

	cr_expect(owns(o, "{\"a\": 3, \"k\": 1}"));
	cr_expect_not(owns(o, "{\"a\": 2, \"k\": 1}"));
	cr_expect_not(owns(o, "{\"a\": 4, \"k\": 1}"));
	owner_free(o);
}

Test(owner, a_shard_without_a_chunk_owns_nothing)
{
	struct owner *o = make("{\"k\": 1}", (const char *const[]){NULL});

	cr_expect_not(owns(o, "{\"k\": 1}"));
	owner_free(o);
}

Test(owner, keys_and_bounds_that_cannot_be_evaluated_are_refused)
{
	static const char *const keys[] = {
	    "{}", "{\"_id\": \"2d\"}", "{\"a\": \"hashed\", \"b\": \"hashed\"}", "{\"a\": 1, \"b\": -1}"};
	static const char *const bounds[] = {"{}", "{\"x\": 1}", "{\"k\": 1, \"l\": 2}", "{\"k\": {\"x\": 1}}"};
	struct owner *o = NULL;
	char why[200];

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		bson_t *key = read_json(keys[i]);

		why[0] = '\0';
		cr_expect_not(owner_new(key, &o, why, sizeof why), "%s", keys[i]);
		cr_expect(why[0]);
		bson_destroy(key);
	}
	o = make("{\"k\": 1}", (const char *const[]){NULL});
	for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
		bson_t *bound = read_json(bounds[i]), *good = read_json("{\"k\": 5}");

		cr_expect_not(owner_add(o, bound, good), "%s", bounds[i]);
		cr_expect_not(owner_add(o, good, bound), "%s", bounds[i]);
		bson_destroy(bound);
		bson_destroy(good);
	}
	owner_free(o);
}

static struct owner *with_homes(const char *key, int first, int second)
{
	struct owner *o = make(key, (const char *const[]){NULL});
	bson_t *low = read_json("{\"k\": 1}"), *mid = read_json("{\"k\": 5}"), *high = read_json("{\"k\": 9}");

	cr_assert(owner_add_home(o, low, mid, first) && owner_add_home(o, mid, high, second));
	bson_destroy(low);
	bson_destroy(mid);
	bson_destroy(high);
	return o;
}

static int home(const struct owner *o, const char *json)
{
	bson_t *doc = read_json(json);
	int found = owner_home(o, bson_get_data(doc), doc->len);

	bson_destroy(doc);
	return found;
}

Test(owner, neighbouring_ranges_of_two_homes_stay_apart)
{
	struct owner *o = with_homes("{\"k\": 1}", 3, 7);

	cr_expect_eq(home(o, "{\"k\": 1}"), 3);
	cr_expect_eq(home(o, "{\"k\": 4}"), 3);
	cr_expect_eq(home(o, "{\"k\": 5}"), 7);
	cr_expect_eq(home(o, "{\"k\": 9}"), -1, "in none");
	cr_expect_eq(home(o, "{\"k\": {\"x\": 1}}"), -1, "not told");
	cr_expect_eq(owner_untold(o), 0);
	owner_free(o);
}

Test(owner, a_home_that_is_not_known_is_none)
{
	struct owner *o = with_homes("{\"k\": 1}", -1, 7);

	cr_expect_eq(home(o, "{\"k\": 1}"), -1);
	owner_free(o);
}

Test(owner, owners_are_equal_if_ranges_and_homes_are)
{
	struct owner *all[] = {with_homes("{\"k\": 1}", 0, 1), with_homes("{\"k\": 1}", 0, 1),
	    with_homes("{\"k\": 1}", 0, 2), with_homes("{\"k\": 1}", 0, 0), with_homes("{\"k\": \"hashed\"}", 0, 1)};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		cr_expect_eq(owner_equal(all[0], all[i]), i < 2, "%zu", i);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		owner_free(all[i]);
}
