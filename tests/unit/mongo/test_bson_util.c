#include "mongo/bson_util.h"

#include <criterion/criterion.h>
#include <math.h>

static bson_t *sample(void)
{
	bson_t *doc = bson_new(), child;
	bson_oid_t oid;

	bson_oid_init_from_string(&oid, "0123456789abcdef01234567");
	BSON_APPEND_DOCUMENT_BEGIN(doc, "a", &child);
	BSON_APPEND_TIMESTAMP(&child, "ts", 5, 6);
	BSON_APPEND_INT32(&child, "i32", -7);
	BSON_APPEND_INT64(&child, "i64", INT64_MAX);
	BSON_APPEND_DOUBLE(&child, "one", 1.0);
	BSON_APPEND_DOUBLE(&child, "half", 0.5);
	BSON_APPEND_DOUBLE(&child, "huge", 9223372036854775808.0);
	BSON_APPEND_DOUBLE(&child, "nan", NAN);
	BSON_APPEND_BOOL(&child, "yes", true);
	BSON_APPEND_UTF8(&child, "text", "hey");
	BSON_APPEND_DATE_TIME(&child, "date", 42);
	BSON_APPEND_OID(&child, "oid", &oid);
	bson_append_document_end(doc, &child);
	BSON_APPEND_ARRAY_BEGIN(doc, "list", &child);
	BSON_APPEND_INT32(&child, "0", 11);
	bson_append_array_end(doc, &child);
	return doc;
}

Test(bson_util, values_of_the_right_type_are_read)
{
	CLEANUP(bson) bson_t *doc = sample();
	struct optime op;
	bson_oid_t oid;
	int64_t i;
	uint32_t len;
	bool yes = false;

	cr_assert(bson_path_optime(doc, "a.ts", &op) && op.t == 5 && op.i == 6);
	cr_assert(bson_path_i64(doc, "a.i32", &i) && i == -7);
	cr_assert(bson_path_i64(doc, "a.i64", &i) && i == INT64_MAX);
	cr_assert(bson_path_i64(doc, "a.one", &i) && i == 1);
	cr_assert(bson_path_i64(doc, "list.0", &i) && i == 11);
	cr_assert(bson_path_bool(doc, "a.yes", &yes) && yes);
	cr_assert_str_eq(bson_path_utf8(doc, "a.text", &len), "hey");
	cr_assert_eq(len, 3);
	cr_assert(bson_path_date_ms(doc, "a.date", &i) && i == 42);
	cr_assert(bson_path_oid(doc, "a.oid", &oid) && oid.bytes[0] == 1);
}

Test(bson_util, wrong_types_and_missing_keys_leave_the_output_alone)
{
	CLEANUP(bson) bson_t *doc = sample();
	struct optime op = {1, 2};
	bson_oid_t oid;
	int64_t i = 99;
	bool yes = true;
	bson_t view;

	cr_assert_not(bson_path_optime(doc, "a.i64", &op));
	cr_assert_not(bson_path_optime(doc, "a.no", &op));
	cr_assert(op.t == 1 && op.i == 2);
	cr_assert_not(bson_path_i64(doc, "a.half", &i));
	cr_assert_not(bson_path_i64(doc, "a.huge", &i));
	cr_assert_not(bson_path_i64(doc, "a.nan", &i));
	cr_assert_not(bson_path_i64(doc, "a.text", &i));
	cr_assert_not(bson_path_date_ms(doc, "a.i64", &i));
	cr_assert_eq(i, 99);
	cr_assert_not(bson_path_bool(doc, "a.one", &yes));
	cr_assert_null(bson_path_utf8(doc, "a.one", NULL));
	cr_assert_not(bson_path_oid(doc, "a.text", &oid));
	cr_assert_not(bson_path_doc(doc, "a.text", &view));
	cr_assert_not(bson_path_doc(doc, "a.text.deeper", &view));
}

Test(bson_util, documents_and_arrays_are_views)
{
	CLEANUP(bson) bson_t *doc = sample();
	bson_t view;
	int64_t i;

	cr_assert(bson_path_doc(doc, "a", &view) && bson_path_i64(&view, "i32", &i) && i == -7);
	cr_assert(bson_path_doc(doc, "list", &view) && bson_count_keys(&view) == 1);
}
