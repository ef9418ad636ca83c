#include "mongo/bson_util.h"

bool bson_path(const bson_t *doc, const char *path, bson_iter_t *ret)
{
	bson_iter_t it, found;

	if (!bson_iter_init(&it, doc) || !bson_iter_find_descendant(&it, path, &found))
		return false;
	*ret = found;
	return true;
}

bool bson_path_optime(const bson_t *doc, const char *path, struct optime *ret)
{
	bson_iter_t it;

	if (!bson_path(doc, path, &it) || !BSON_ITER_HOLDS_TIMESTAMP(&it))
		return false;
	bson_iter_timestamp(&it, &ret->t, &ret->i);
	return true;
}

bool bson_path_i64(const bson_t *doc, const char *path, int64_t *ret)
{
	bson_iter_t it;
	double d;

	if (!bson_path(doc, path, &it))
		return false;
	if (BSON_ITER_HOLDS_INT32(&it)) {
		*ret = bson_iter_int32(&it);
		return true;
	}
	if (BSON_ITER_HOLDS_INT64(&it)) {
		*ret = bson_iter_int64(&it);
		return true;
	}
	if (!BSON_ITER_HOLDS_DOUBLE(&it))
		return false;
	d = bson_iter_double(&it);
	/* 2^63 itself does not fit; NaN fails both compares */
	if (!(d >= -0x1p63 && d < 0x1p63) || d != (double)(int64_t)d)
		return false;
	*ret = (int64_t)d;
	return true;
}

bool bson_path_bool(const bson_t *doc, const char *path, bool *ret)
{
	bson_iter_t it;

	if (!bson_path(doc, path, &it) || !BSON_ITER_HOLDS_BOOL(&it))
		return false;
	*ret = bson_iter_bool(&it);
	return true;
}

const char *bson_path_utf8(const bson_t *doc, const char *path, uint32_t *ret_len)
{
	bson_iter_t it;
	const char *text;
	uint32_t len;

	if (!bson_path(doc, path, &it) || !BSON_ITER_HOLDS_UTF8(&it))
		return NULL;
	text = bson_iter_utf8(&it, &len);
	if (text && ret_len)
		*ret_len = len;
	return text;
}

bool bson_path_date_ms(const bson_t *doc, const char *path, int64_t *ret)
{
	bson_iter_t it;

	if (!bson_path(doc, path, &it) || !BSON_ITER_HOLDS_DATE_TIME(&it))
		return false;
	*ret = bson_iter_date_time(&it);
	return true;
}

bool bson_path_oid(const bson_t *doc, const char *path, bson_oid_t *ret)
{
	bson_iter_t it;

	if (!bson_path(doc, path, &it) || !BSON_ITER_HOLDS_OID(&it))
		return false;
	bson_oid_copy(bson_iter_oid(&it), ret);
	return true;
}

bool bson_path_doc(const bson_t *doc, const char *path, bson_t *ret_view)
{
	bson_iter_t it;
	const uint8_t *data = NULL;
	uint32_t len = 0;

	if (!bson_path(doc, path, &it))
		return false;
	if (BSON_ITER_HOLDS_DOCUMENT(&it))
		bson_iter_document(&it, &len, &data);
	else if (BSON_ITER_HOLDS_ARRAY(&it))
		bson_iter_array(&it, &len, &data);
	return data && bson_init_static(ret_view, data, len);
}
