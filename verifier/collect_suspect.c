#include "verifier/collect_suspect.h"

#include "base/num.h"

#include <bson/bson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RANDOM_DIGITS = 32 };

static bool find_field(const void *bson, size_t len, const char *name, bson_iter_t *ret)
{
	return bson_iter_init_from_data(ret, bson, len) && bson_iter_find(ret, name);
}

/* The 32 digits of randomdata, NULL if there is no such text. */
static const char *random_of(const void *bson, size_t len)
{
	bson_iter_t it;
	const char *text;
	uint32_t digits;

	if (!find_field(bson, len, "randomdata", &it) || !BSON_ITER_HOLDS_UTF8(&it))
		return NULL;
	text = bson_iter_utf8(&it, &digits);
	return digits == RANDOM_DIGITS ? text : NULL;
}

static bool seq_is_possible(int64_t seq)
{
	return seq >= 1 && seq <= TICK_SEQ_MAX;
}

/* The tick as its stream would have written it; false if it has no such number. */
static bool rebuild(const struct tick_stream *stream, int64_t seq, int64_t created_at_ms, struct tick_view *ret,
    char random[static RANDOM_DIGITS])
{
	unsigned char bytes[TICK_BSON_BYTES];
	struct tick_stream cache = *stream;

	if (!seq_is_possible(seq))
		return false;
	tick_build(stream, seq, created_at_ms, bytes);
	tick_check(bytes, sizeof bytes, stream->ns, &cache, ret);
	memcpy(random, random_of(bytes, sizeof bytes), RANDOM_DIGITS);
	return true;
}

bool suspect_vouches(
    const void *bson, size_t len, const char *ns, const struct tick_view *view, struct tick_stream *ret)
{
	const char *random = random_of(bson, len);
	struct tick_view derived;
	struct tick_stream stream;
	char digits[RANDOM_DIGITS];

	tick_stream_init(&stream, &view->run, ns, view->writer);
	if (!rebuild(&stream, view->seq, 0, &derived, digits))
		return false;
	if (!(view->has_id && !memcmp(view->id, derived.id, sizeof view->id)) &&
	    !(random && !memcmp(random, digits, RANDOM_DIGITS)))
		return false;
	*ret = stream;
	return true;
}

/* As extended JSON without its frame: { "_id" : 5 } becomes 5. */
static char *id_as_json(const void *bson, size_t len)
{
	bson_iter_t it;
	bson_t one = BSON_INITIALIZER;
	char *json = NULL, *text = NULL;
	size_t json_len;

	if (find_field(bson, len, "_id", &it) && bson_append_iter(&one, "_id", -1, &it))
		json = bson_as_relaxed_extended_json(&one, &json_len);
	if (json && json_len > 12)
		text = strndup(json + 10, json_len - 12);
	bson_free(json);
	bson_destroy(&one);
	return text;
}

void suspect_take(
    const void *bson, size_t len, enum tick_fault fault, const struct tick_view *view, struct suspect *ret)
{
	struct suspect s = {.fault = fault, .view = *view, .size_bytes = len, .has_fields = fault != TICK_NOT_A_TICK};
	const char *random = bson ? random_of(bson, len) : NULL;

	if (random) {
		s.has_random = true;
		memcpy(s.random, random, sizeof s.random);
	}
	if (bson && !view->has_id) {
		s.id_text = id_as_json(bson, len);
		/* no more of it is ever shown */
		if (s.id_text && strlen(s.id_text) > 63)
			s.id_text[63] = '\0';
	}
	*ret = s;
}

void suspect_clear(struct suspect *s)
{
	free(s->id_text);
	s->id_text = NULL;
}

/* Rule 1 of collect_tally.h. */
static bool fields_are_confirmed(const struct suspect *s, const char *ns)
{
	struct tick_stream claimed;
	struct tick_view derived;
	char random[RANDOM_DIGITS];

	if (s->fault == TICK_INTACT)
		return true;
	if (!s->has_fields || !s->has_random)
		return false;
	tick_stream_init(&claimed, &s->view.run, ns, s->view.writer);
	return rebuild(&claimed, s->view.seq, 0, &derived, random) && !memcmp(random, s->random, sizeof random);
}

void suspect_settle(
    struct suspect *s, const struct tally_stream *by_id, const struct tally_stream *by_fields, const char *ns)
{
	s->by_id = by_id && !fields_are_confirmed(s, ns);
	if (s->by_id) {
		s->stream = by_id;
		s->seq = tick_id_seq(&by_id->key, s->view.id);
	} else if (s->has_fields) {
		s->stream = by_fields;
		s->seq = seq_is_possible(s->view.seq) ? s->view.seq : 0;
	}
	s->duplicate = s->stream && s->seq && intervals_has(&s->stream->seen.intact, s->seq);
}

void suspect_id_text(const struct suspect *s, char *ret, size_t size)
{
	char hex[2 * sizeof s->view.id + 1] = "";

	if (s->view.has_id)
		hex_encode(s->view.id, sizeof s->view.id, hex);
	snprintf(ret, size, "%s", s->id_text ? s->id_text : hex);
}

/* A list in a text of fixed size; what does not fit is cut. */
struct list {
	char *text;
	size_t size, len;
};

static void __attribute__((format(printf, 2, 3))) list_add(struct list *list, const char *fmt, ...)
{
	va_list ap;
	int len;

	if (list->len && list->len + 2 < list->size) {
		memcpy(list->text + list->len, "; ", 3);
		list->len += 2;
	}
	va_start(ap, fmt);
	len = vsnprintf(list->text + list->len, list->size - list->len, fmt, ap);
	va_end(ap);
	if (len > 0)
		list->len += (size_t)len;
	if (list->len >= list->size)
		list->len = list->size - 1;
}

static void list_fields(
    struct list *list, const struct suspect *s, const struct tick_view *want, const char *want_random)
{
	char hex[2 * sizeof want->id + 1], uuid[UUID_TEXT_MAX];

	if (!s->view.has_id || memcmp(s->view.id, want->id, sizeof want->id)) {
		hex_encode(want->id, sizeof want->id, hex);
		list_add(list, "_id is not the derived %s", hex);
	}
	if (!uuid_equal(&s->view.run, &want->run))
		list_add(list, "run is %s", uuid_format(&s->view.run, uuid));
	if (s->view.writer != want->writer)
		list_add(list, "writer is %d, not %d", s->view.writer, want->writer);
	if (s->view.seq != want->seq)
		list_add(list, "seq is %lld, not %lld", (long long)s->view.seq, (long long)want->seq);
	if (!s->has_random || memcmp(s->random, want_random, RANDOM_DIGITS) != 0)
		list_add(list, "randomdata is not the derived %.32s", want_random);
}

static void list_differences(struct list *list, const struct suspect *s, const struct tick_stream *stream)
{
	struct tick_view want;
	char random[RANDOM_DIGITS];
	size_t before = list->len;

	if (!rebuild(stream, s->seq, s->view.created_at_ms, &want, random))
		return;
	list_fields(list, s, &want, random);
	if (s->fault == TICK_BAD_SHAPE)
		list_add(list, "fields, their order or types differ, %zu bytes instead of %d", s->size_bytes,
		    TICK_BSON_BYTES);
	else if (list->len == before)
		list_add(list, "createdAt or sum was changed: sum is %016llx, the bytes give %016llx",
		    (unsigned long long)s->view.sum, (unsigned long long)want.sum);
	else if (s->view.sum == want.sum)
		list_add(list, "the sum is still that of the tick before the change");
}

void suspect_detail(const struct suspect *s, const char *ns, char *ret, size_t size)
{
	struct list list = {ret, size, 0};
	struct tick_stream claimed;
	char uuid[UUID_TEXT_MAX];

	ret[0] = '\0';
	if (s->fault == TICK_INTACT) {
		list_add(&list, "a second intact document of this tick");
	} else if (s->fault == TICK_NOT_A_TICK) {
		list_add(&list, "_id is a tick's, but run, writer or seq is missing or has another type");
	} else if (s->stream) {
		list_differences(&list, s, &s->stream->key);
	} else {
		list_add(&list, "no tick of its stream is known (run %s, writer %d)", uuid_format(&s->view.run, uuid),
		    s->view.writer);
		tick_stream_init(&claimed, &s->view.run, ns, s->view.writer);
		list_differences(&list, s, &claimed);
	}
}
