/*
 * A document that is not an intact tick, or is one too many, remembered until all streams are known
 * (collect_tally.h).
 * Part of the tally; not for others.
 */
#ifndef VERIFIER_COLLECT_SUSPECT_H
#define VERIFIER_COLLECT_SUSPECT_H

#include "evidence/observed.h"

struct tally_stream {
	struct observed_stream seen;
	struct tick_stream key;
	int home;
	bool vouched;	/* a damaged tick of it was met */
	int32_t number; /* within the namespace, given at the end; -1: left out */
};

struct suspect {
	enum tick_fault fault; /* TICK_INTACT: a second one of the same tick */
	struct tick_view view;
	int home;
	bool has_fields; /* run, writer and seq are there */
	bool has_random;
	char random[32];
	size_t size_bytes;
	char *id_text; /* of an _id that is no ObjectId; NULL otherwise */
	/* settled at the end */
	const struct tally_stream *stream; /* NULL: none known */
	int64_t seq;			   /* 0: unknown */
	bool by_id;			   /* seq and stream are those of its _id */
	bool duplicate;
};

/* bson NULL: only view->id and created_at_ms are known. */
void suspect_take(
    const void *bson, size_t len, enum tick_fault fault, const struct tick_view *view, struct suspect *ret);
void suspect_clear(struct suspect *s);

/*
 * Do its fields agree with its _id or its randomdata? Then *ret is their stream. For documents that have the fields.
 */
bool suspect_vouches(
    const void *bson, size_t len, const char *ns, const struct tick_view *view, struct tick_stream *ret);

/* by_id and by_fields: the streams that its _id and its fields name, NULL where not known. */
void suspect_settle(
    struct suspect *s, const struct tally_stream *by_id, const struct tally_stream *by_fields, const char *ns);

void suspect_id_text(const struct suspect *s, char *ret, size_t size);
/* What differs from the tick that should be there, for people. */
void suspect_detail(const struct suspect *s, const char *ns, char *ret, size_t size);

#endif
