#include "verifier/control.h"

#include <stdio.h>
#include <string.h>

/* Its first range of this class; 0: it has none. The last number: it lies nearest to the restore point where the class is ok. */
static int64_t pick(const struct verdict_stream *s, enum tick_class class)
{
	for (size_t i = 0; i < s->range_count; i++)
		if (s->ranges[i].class == class)
			return class == CLASS_OK ? s->ranges[i].last : s->ranges[i].first;
	return 0;
}

static bool is_of(const struct observed_stream *o, const struct verdict_stream *s)
{
	return o->writer == s->writer && uuid_equal(&o->run, &s->run) && !strcmp(o->ns, s->ns);
}

static struct observed_block *block_of(struct observed_stream *o, int64_t seq)
{
	for (size_t i = 0; i < o->block_count; i++)
		if (o->blocks[i].block == tick_block(seq))
			return &o->blocks[i];
	return NULL;
}

static void note_change(struct control_change *c, struct observed_stream *o, int64_t seq)
{
	*c = (struct control_change){.stream = o, .block = block_of(o, seq), .seq = seq};
	if (c->block) {
		c->block_ticks = c->block->ticks;
		c->block->ticks = -1;
	}
}

static bool take_one(const struct verdict_stream *s, struct observed *o, struct control *c, struct err *err)
{
	int64_t seq = pick(s, CLASS_OK);

	for (size_t i = 0; seq && !c->removed.stream && i < o->stream_count; i++) {
		if (!is_of(&o->streams[i], s) || !intervals_has(&o->streams[i].intact, seq))
			continue;
		if (!intervals_remove(&o->streams[i].intact, seq, err))
			return false;
		note_change(&c->removed, &o->streams[i], seq);
	}
	return true;
}

static bool put_one(const struct verdict_stream *s, struct observed *o, struct control *c, struct err *err)
{
	int64_t seq = pick(s, CLASS_EXPECTED_LOSS);

	for (size_t i = 0; seq && !c->added.stream && i < o->stream_count; i++) {
		if (!is_of(&o->streams[i], s))
			continue;
		if (!intervals_add(&o->streams[i].intact, seq, NULL, err))
			return false;
		note_change(&c->added, &o->streams[i], seq);
	}
	return true;
}

bool control_spoil(const struct verdict *pass, struct observed *observed, struct control *ret, struct err *err)
{
	*ret = (struct control){0};
	for (size_t i = 0; i < pass->stream_count; i++)
		if (!take_one(&pass->streams[i], observed, ret, err) || !put_one(&pass->streams[i], observed, ret, err))
			return false;
	return true;
}

static void mend_block(struct control_change *c)
{
	if (c->block)
		c->block->ticks = c->block_ticks;
}

/* The last change first: both may be of one block. */
bool control_mend(struct control *c, struct err *err)
{
	if (c->added.stream && !intervals_remove(&c->added.stream->intact, c->added.seq, err))
		return false;
	if (c->removed.stream && !intervals_add(&c->removed.stream->intact, c->removed.seq, NULL, err))
		return false;
	mend_block(&c->added);
	mend_block(&c->removed);
	return true;
}

void control_move_bound(struct bound *b)
{
	const struct optime end = {UINT32_MAX - 1, UINT32_MAX};

	b->b0 = end;
	for (size_t i = 0; i < b->set_count; i++)
		b->sets[i].b0 = b->sets[i].b1 = end;
}

/* Is this very tick in this class, and no other? */
static bool found_alone(const struct verdict *v, const struct control_change *c, enum tick_class class)
{
	if (!c->stream || v->count[class] != 1)
		return false;
	for (size_t i = 0; i < v->stream_count; i++) {
		const struct verdict_stream *s = &v->streams[i];

		for (size_t k = 0; is_of(c->stream, s) && k < s->bad_count; k++)
			if (s->bad[k].class == class && s->bad[k].first == c->seq && s->bad[k].last == c->seq)
				return true;
	}
	return false;
}

static void add(struct verdict *v, const char *name, const char *detail, bool found)
{
	struct verdict_control *c = &v->controls[v->control_count++];

	snprintf(c->name, sizeof c->name, "%s", name);
	snprintf(c->detail, sizeof c->detail, "%s", detail);
	c->found = found;
}

static void add_change(struct verdict *v, const char *name, const struct control_change *c, const struct verdict *of,
    enum tick_class class)
{
	char detail[256] = "there is no such tick in the evidence";

	if (c->stream)
		snprintf(detail, sizeof detail, "%.128s writer %d tick %lld must be %s, and nothing else is",
		    c->stream->ns, (int)c->stream->writer, (long long)c->seq, tick_class_text(class));
	add(v, name, detail, of->result == VERDICT_FAIL && found_alone(of, c, class));
}

static bool not_found(struct verdict *v, struct err *err)
{
	char names[256] = "";

	for (size_t i = 0; i < v->control_count; i++)
		if (!v->controls[i].found)
			snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s: %s", *names ? "; " : "",
			    v->controls[i].name, v->controls[i].detail);
	if (!*names)
		return true;
	if (!verdict_add_reason(v, REASON_CONTROL_PASSED,
		"trust no PASS of this judge; keep the run's folder, and report it as a fault of psmdb-drill", err,
		"%s", names))
		return false;
	verdict_settle(v);
	snprintf(v->title, sizeof v->title, "%s: %s", verdict_result_text(v->result),
	    verdict_reason_title(REASON_CONTROL_PASSED));
	return true;
}

bool control_judge(struct verdict *v, const struct control *c, const struct verdict *of_observation,
    const struct verdict *of_bound, struct err *err)
{
	char detail[256];
	int64_t gone = v->count[CLASS_EXPECTED_LOSS];

	v->control_count = 0;
	add_change(v, "a tick taken out", &c->removed, of_observation, CLASS_LOST);
	add_change(v, "a tick put in", &c->added, of_observation, CLASS_LATE);
	snprintf(detail, sizeof detail, "%lld ticks of the expected loss must be lost", (long long)gone);
	add(v, "a later restore point", detail,
	    of_bound->result == VERDICT_FAIL && gone && of_bound->count[CLASS_LOST] >= gone);
	return not_found(v, err);
}
