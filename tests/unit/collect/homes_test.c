#include "finish.h"
#include "tests/support/tick_damage.h"
#include "verifier/collect_tally.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static const char ns[] = "drill.ticker";
/* not in the order of their names */
static const char names[][TALLY_HOME_MAX] = {"rs1", "rs0"};
enum { NOWHERE = -1, RS1, RS0 };

static int here; /* where the next document lives */

static int where_it_is(void *ctx, const void *bson, size_t len)
{
	return ctx == &here && len >= 5 && bson ? here : NOWHERE;
}

static struct tally *new_tally(void)
{
	struct tally_limits limits = TALLY_LIMITS_DEFAULT;
	struct err err = ERR_INIT;
	struct tally *t;

	cr_assert(tally_new(ns, "", &limits, &t, &err), "%s", err.msg);
	tally_homes(t, where_it_is, &here, names);
	return t;
}

static struct tick_stream a_stream(int32_t writer)
{
	struct uuid uuid = {{1, 0, 0, 0, 0, 0, 0x40, 0, 0x80}};
	struct tick_stream stream;

	tick_stream_init(&stream, &uuid, ns, writer);
	return stream;
}

/* how -1: intact */
static void add(struct tally *t, int home, int64_t seq, int how)
{
	struct tick_stream stream = a_stream(1);
	unsigned char bytes[TICK_BSON_BYTES];
	struct err err = ERR_INIT;
	bson_t doc;

	here = home;
	tick_build(&stream, seq, 1000 * seq, bytes);
	if (how < 0) {
		cr_assert(tally_add(t, bytes, sizeof bytes, &err), "%s", err.msg);
		return;
	}
	damage_tick((enum damage)how, bytes, &doc);
	cr_assert(tally_add(t, bson_get_data(&doc), doc.len, &err), "%s", err.msg);
	bson_destroy(&doc);
}

/* All that is written of it. */
static void tell(const struct tally *t, char *ret, size_t size)
{
	size_t len = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < tally_streams(t); i++) {
		const struct observed_stream *s = tally_stream(t, i);

		len += (size_t)snprintf(ret + len, size - len, "%s:", s->replica_set);
		for (size_t k = 0; k < s->intact.count; k++)
			len += (size_t)snprintf(ret + len, size - len, " %lld-%lld",
			    (long long)s->intact.items[k].first, (long long)s->intact.items[k].last);
		len += (size_t)snprintf(ret + len, size - len, "\n");
	}
	for (size_t i = 0; i < tally_anomalies(t); i++) {
		struct observed_anomaly a;

		tally_anomaly(t, i, 0, &a);
		len += (size_t)snprintf(ret + len, size - len, "%s %lld of stream %d: %s\n",
		    a.kind == OBSERVED_DUPLICATE ? "duplicate" : "corrupt", (long long)a.seq, (int)a.stream, a.detail);
	}
	cr_assert_lt(len, size);
}

static void expect(const struct tally *t, const char *want)
{
	char text[4096];

	tell(t, text, sizeof text);
	cr_assert_str_eq(text, want);
}

Test(homes, each_home_has_its_own_part_of_a_stream)
{
	CLEANUP(tally) struct tally *t = new_tally();

	for (int64_t seq = 1; seq <= 8; seq++)
		add(t, seq % 4 == 3 ? NOWHERE : seq % 2 ? RS1 : RS0, seq, -1);
	finish(t);
	expect(t, ": 3-3 7-7\nrs0: 2-2 4-4 6-6 8-8\nrs1: 1-1 5-5\n");
	cr_assert_eq(tally_counts(t).intact, 8);
	cr_assert_eq(tally_stream(t, 1)->blocks[0].ticks, 4);
}

Test(homes, what_is_forgotten_stays_apart)
{
	CLEANUP(tally) struct tally *t = new_tally();

	add(t, RS1, 1, -1);
	add(t, RS0, 2, -1);
	finish(t);
	tally_forget_homes(t);
	expect(t, ": 2-2\n: 1-1\n");
}

Test(homes, a_tick_at_two_homes_is_in_two_streams)
{
	CLEANUP(tally) struct tally *t = new_tally();

	add(t, RS1, 1, -1);
	add(t, RS0, 1, -1);
	finish(t);
	expect(t, "rs0: 1-1\nrs1: 1-1\n");
}

Test(homes, a_tick_twice_at_one_home_is_a_duplicate)
{
	CLEANUP(tally) struct tally *t = new_tally();

	add(t, RS0, 1, -1);
	add(t, RS1, 1, -1);
	add(t, RS1, 1, -1);
	finish(t);
	expect(t, "rs0: 1-1\nrs1: 1-1\nduplicate 1 of stream 1: a second intact document of this tick\n");
}

Test(homes, a_second_reading_leaves_nothing_of_the_first)
{
	CLEANUP(tally) struct tally *t = new_tally();

	add(t, RS0, 1, -1);
	add(t, RS1, 2, -1);
	tally_restart(t);
	add(t, RS1, 2, -1);
	/* at home in rs0 by its shard key; the stream there has left no trace */
	add(t, RS0, 3, SEQ_OF_ANOTHER_TYPE);
	finish(t);
	cr_assert_eq(tally_streams(t), 1);
	cr_assert_str_eq(tally_stream(t, 0)->replica_set, "rs1");
	cr_assert_eq(tally_anomalies(t), 1);
}

struct document {
	int home;
	int64_t seq;
	int how;
};

/* In this order and in the opposite one, and from each document on. */
static void in_any_order(const struct document *documents, size_t count, char *ret, size_t size)
{
	char text[4096];

	for (size_t turn = 0; turn < 2 * count; turn++) {
		CLEANUP(tally) struct tally *t = new_tally();

		for (size_t i = 0; i < count; i++) {
			size_t at = (turn / 2 + i) % count;
			const struct document *d = &documents[turn % 2 ? count - 1 - at : at];

			add(t, d->home, d->seq, d->how);
		}
		finish(t);
		cr_assert_eq(tally_anomalies(t), 1);
		tell(t, text, sizeof text);
		if (!turn)
			snprintf(ret, size, "%s", text);
		cr_assert_str_eq(text, ret, "damage %d", documents[0].how);
	}
}

Test(homes, a_damaged_tick_is_one_anomaly_in_any_order_and_at_any_home)
{
	char text[4096];

	for (int how = 0; how < DAMAGES; how++)
		for (int home = NOWHERE; home <= RS0; home++) {
			struct document documents[] = {
			    {home, 5, how}, {RS0, 4, -1}, {RS1, 6, -1}, {RS1, 3, -1}, {RS0, 5, -1}};

			in_any_order(documents, 4, text, sizeof text);
			cr_assert(strstr(text, "corrupt 5 of stream "), "damage %d: %s", how, text);
			cr_assert_not(strstr(text, "stream -1"), "damage %d: %s", how, text);
			/* a copy beside the intact one, wherever that is */
			in_any_order(documents, 5, text, sizeof text);
			cr_assert(strstr(text, "duplicate 5 of stream "), "damage %d at %d: %s", how, home, text);
			cr_assert(strstr(text, "rs0: 4-5\n"), "damage %d: %s", how, text);
		}
}
