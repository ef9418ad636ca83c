#include "ticker/metrics.h"

#include "base/uuid.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LEAST_SILENCE_NS INT64_C(10000000000)
#define INTERVALS 5

static const struct {
	const char *text;
	int64_t ns;
} bounds[] = {
#define X(text, ns) {text, INT64_C(ns)},
    METRICS_BOUNDS(X)
#undef X
};

void histogram_add(struct histogram *h, int64_t ns)
{
	size_t i = 0;

	if (ns < 0)
		ns = 0;
	while (i < METRICS_BUCKETS - 1 && ns > bounds[i].ns)
		i++;
	atomic_fetch_add(&h->bucket[i], 1);
	atomic_fetch_add(&h->sum_ns, ns);
}

void metrics_acked(struct metrics *m, uint32_t stream, int64_t mono_ns, int64_t wall_ms)
{
	atomic_store(&m->acked_ns[stream], mono_ns);
	atomic_store(&m->acked_wall_ms, wall_ms);
}

/* --- text --------------------------------------------------------------------------------------------------------- */

#define NAME "psmdb_ticker_"

static bool head(
    struct buf *out, const char *name, const char *type, const char *unit, const char *help, struct err *err)
{
	return buf_printf(out, err, "# TYPE " NAME "%s %s\n", name, type) &&
	       (!unit || buf_printf(out, err, "# UNIT " NAME "%s %s\n", name, unit)) &&
	       buf_printf(out, err, "# HELP " NAME "%s %s\n", name, help);
}

static bool seconds(struct buf *out, const char *name, const char *help, int64_t ms, struct err *err)
{
	return head(out, name, "gauge", "seconds", help, err) &&
	       buf_printf(out, err, NAME "%s %s%" PRId64 ".%03" PRId64 "\n", name, ms < 0 ? "-" : "",
		   (ms < 0 ? -ms : ms) / 1000, (ms < 0 ? -ms : ms) % 1000);
}

static bool histogram(struct buf *out, const char *name, const char *help, const struct histogram *h, struct err *err)
{
	int64_t sum_ns = atomic_load(&h->sum_ns);
	uint64_t count = 0;

	if (!head(out, name, "histogram", "seconds", help, err))
		return false;
	for (size_t i = 0; i < METRICS_BUCKETS; i++) {
		count += atomic_load(&h->bucket[i]);
		if (!buf_printf(out, err, NAME "%s_bucket{le=\"%s\"} %" PRIu64 "\n", name,
			i < METRICS_BUCKETS - 1 ? bounds[i].text : "+Inf", count))
			return false;
	}
	return buf_printf(out, err, NAME "%s_count %" PRIu64 "\n" NAME "%s_sum %" PRId64 ".%09" PRId64 "\n", name,
	    count, name, sum_ns / 1000000000, sum_ns % 1000000000);
}

/* A label's value; names of replica sets come from the server. */
static bool label(struct buf *out, const char *name, const char *value, struct err *err)
{
	if (!buf_printf(out, err, "%s=\"", name))
		return false;
	for (const char *p = value; *p; p++) {
		bool plain = (unsigned char)*p >= ' ' && *p != '"' && *p != '\\' && (unsigned char)*p < 0x7f;

		if (!buf_add_char(out, plain ? *p : '?', err))
			return false;
	}
	return buf_add_char(out, '"', err);
}

static bool ticks(const struct metrics_state *s, struct buf *out, struct err *err)
{
	return head(out, "ticks", "counter", NULL, "Ticks by what the journal says of them.", err) &&
	       buf_printf(out, err,
		   NAME "ticks_total{outcome=\"issued\"} %" PRId64 "\n" NAME
			"ticks_total{outcome=\"acknowledged\"} %" PRId64 "\n" NAME
			"ticks_total{outcome=\"failed\"} %" PRId64 "\n",
		   s->totals.issued, s->totals.acked, s->totals.failed) &&
	       head(out, "ticks_in_doubt", "gauge", NULL, "Ticks whose outcome is not known now.", err) &&
	       buf_printf(out, err, NAME "ticks_in_doubt %" PRId64 "\n", s->totals.unknown) &&
	       head(out, "slots_skipped", "counter", NULL, "Ticks that were due while an earlier one was outstanding.",
		   err) &&
	       buf_printf(out, err, NAME "slots_skipped_total %" PRId64 "\n", s->skipped);
}

static bool info(const struct metrics_state *s, struct buf *out, struct err *err)
{
	char run[UUID_TEXT_MAX];

	return head(out, "run", "info", NULL, "The run that the journal names, and the cluster that it writes to.",
		   err) &&
	       buf_printf(out, err, NAME "run_info{") && label(out, "run", uuid_format(&s->open->run, run), err) &&
	       buf_add_char(out, ',', err) && label(out, "cluster", s->open->cluster_id, err) &&
	       buf_add_char(out, ',', err) && label(out, "set", s->open->set_name, err) &&
	       buf_printf(out, err, "} 1\n") && head(out, "healthy", "gauge", NULL, "1 while /healthz says so.", err) &&
	       buf_printf(out, err, NAME "healthy %d\n", metrics_healthy(s, NULL, 0));
}

bool metrics_text(const struct metrics_state *s, struct buf *out, struct err *err)
{
	int64_t acked_ms = atomic_load(&s->metrics->acked_wall_ms);

	return info(s, out, err) && ticks(s, out, err) &&
	       histogram(out, "command_seconds", "From sending a command to its reply: majority, journaled.",
		   &s->metrics->command, err) &&
	       histogram(out, "schedule_error_seconds", "From when a command was due to when it was sent.",
		   &s->metrics->late, err) &&
	       (!acked_ms || seconds(out, "acknowledged_timestamp_seconds",
				 "When the newest acknowledgement came, by this clock.", acked_ms, err)) &&
	       seconds(out, "clock_offset_seconds", "The server's clock less this one, when the run began.",
		   s->open->clock_offset_ms, err) &&
	       seconds(
		   out, "clock_offset_error_seconds", "By how much that may be wrong.", s->open->clock_error_ms, err) &&
	       buf_add_str(out, "# EOF\n", err);
}

/* --- health ------------------------------------------------------------------------------------------------------- */

bool metrics_healthy(const struct metrics_state *s, char *why, size_t size)
{
	int64_t limit_ns = s->open->interval_us * INTERVALS * 1000;

	if (limit_ns < LEAST_SILENCE_NS)
		limit_ns = LEAST_SILENCE_NS;
	if (s->stopping) {
		snprintf(why, size, "stopping");
		return false;
	}
	for (size_t i = 0; i < s->open->stream_count; i++) {
		int64_t acked_ns = atomic_load(&s->metrics->acked_ns[i]);
		int64_t silent_ns = s->now_ns - (acked_ns > s->start_ns ? acked_ns : s->start_ns);

		if (silent_ns <= limit_ns)
			continue;
		snprintf(why, size,
		    "%s writer %d: no tick was acknowledged for %" PRId64 " s (limit %" PRId64 " s); %" PRId64
		    " in doubt",
		    s->open->streams[i].ns, (int)s->open->streams[i].writer, silent_ns / 1000000000,
		    limit_ns / 1000000000, s->totals.unknown);
		return false;
	}
	return true;
}
