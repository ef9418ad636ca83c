#include "verifier/report.h"
#include "verifier/report_sink.h"

#include <inttypes.h>

/* A family's head: TYPE, UNIT (the name must end in it) and HELP, in the order of the OpenMetrics text. */
static void family(struct sink *s, const char *name, const char *unit, const char *help)
{
	sink_fill(s, "# TYPE psmdb_drill_{} gauge\n", name, NULL);
	if (unit)
		sink_fill(s, "# UNIT psmdb_drill_{} {}\n", name, unit, NULL);
	sink_fill(s, "# HELP psmdb_drill_{} {}\n", name, help, NULL);
}

static void labels(struct sink *s, const struct verdict *v, const char *name, const char *key, const char *value)
{
	sink_fill(s, "psmdb_drill_{}{scenario=\"{}\"", name, v->scenario, NULL);
	if (key)
		sink_fill(s, ",{}=\"{}\"", key, value, NULL);
	sink_raw(s, "} ");
}

static void whole(struct sink *s, const struct verdict *v, const char *name, const char *help, int64_t value)
{
	family(s, name, NULL, help);
	labels(s, v, name, NULL, NULL);
	sink_printf(s, "%" PRId64 "\n", value);
}

static void put_seconds(struct sink *s, int64_t ms)
{
	uint64_t t = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;

	sink_printf(s, "%s%" PRIu64 ".%03" PRIu64 "\n", ms < 0 ? "-" : "", t / 1000, t % 1000);
}

static void seconds(struct sink *s, const struct verdict *v, const char *name, const char *help, int64_t ms)
{
	family(s, name, "seconds", help);
	labels(s, v, name, NULL, NULL);
	put_seconds(s, ms);
}

static void classes(struct sink *s, const struct verdict *v)
{
	family(s, "ticks", NULL, "Ticks of the drill by class; every tick is in exactly one.");
	for (int c = 0; c < CLASS_COUNT; c++) {
		labels(s, v, "ticks", "class", tick_class_text((enum tick_class)c));
		sink_printf(s, "%" PRId64 "\n", v->count[c]);
	}
	whole(s, v, "ticks_issued", "Ticks that the journal says were sent.", v->issued);
	whole(s, v, "ticks_acknowledged", "Ticks that the journal says were acknowledged.", v->acked);
	whole(s, v, "ticks_undecided", "Ticks that may be there or not.", v->undecided);
}

static void result(struct sink *s, const struct verdict *v)
{
	family(s, "verdict", NULL, "The verdict of the drill: 1 for the result that holds.");
	for (int r = VERDICT_PASS; r <= VERDICT_ERROR; r++) {
		labels(s, v, "verdict", "result", verdict_result_text((enum verdict_result)r));
		sink_printf(s, "%d\n", r == (int)v->result);
	}
}

static void reasons(struct sink *s, const struct verdict *v)
{
	int64_t count[REASON_COUNT] = {0};

	for (size_t i = 0; i < v->reason_count; i++)
		count[v->reasons[i].code]++;
	family(s, "reasons", NULL, "Reasons of the verdict by code.");
	for (int c = 0; c < REASON_COUNT; c++) {
		if (!count[c])
			continue;
		sink_fill(s, "psmdb_drill_reasons{scenario=\"{}\",code=\"{}\",severity=\"{}\"} ", v->scenario,
		    verdict_reason_text((enum verdict_reason_code)c),
		    verdict_severity_text(verdict_reason_severity((enum verdict_reason_code)c)), NULL);
		sink_printf(s, "%" PRId64 "\n", count[c]);
	}
}

/* A figure that is not known is left out: 0 would be a good one. */
static void figures(struct sink *s, const struct verdict *v)
{
	if (v->has_rpo) {
		seconds(
		    s, v, "rpo_seconds", "The disaster's instant less the restore point, in cluster time.", v->rpo_ms);
		seconds(s, v, "rpo_error_seconds", "Half the width of the RPO's interval.", v->rpo_error_ms);
		whole(s, v, "rpo_at_least", "1 if the journal was open, so that the loss is at least this.",
		    v->rpo_at_least);
		whole(s, v, "rpo_operations", "Acknowledged operations that are gone.", v->rpo_ops);
	}
	if (v->max_rpo_ms >= 0)
		seconds(s, v, "rpo_limit_seconds", "Threshold of the RPO.", v->max_rpo_ms);
	if (v->has_rto) {
		seconds(s, v, "rto_seconds", "From the disaster to the first majority write.", v->rto_ms);
		whole(s, v, "rto_complete", "1 if the recovery was seen to its end.", v->rto_complete);
	}
	if (v->max_rto_ms >= 0)
		seconds(s, v, "rto_limit_seconds", "Threshold of the RTO.", v->max_rto_ms);
	if (v->has_bound)
		seconds(s, v, "restore_point_timestamp_seconds", "The restore point in cluster time, to the second.",
		    (int64_t)v->b0.t * 1000);
}

static void removal(struct sink *s, const struct verdict *v)
{
	whole(s, v, "removal_left", "Objects of the removed installation that are still there.", v->removal_left);
	whole(s, v, "removal_objects", "Objects that were looked at after the removal.", v->removal_objects);
	whole(s, v, "removal_kinds_unread", "Kinds of objects that could not be listed.", v->removal_kinds_unread);
}

static void members(struct sink *s, const struct verdict *v)
{
	whole(s, v, "members_asked", "Members beside the primaries that were to be compared with them.",
	    v->members_asked);
	whole(s, v, "members_read", "Of these, those that could be read.", v->members_read);
	whole(s, v, "members_equal", "Of these, those that hold what their primary holds.", v->members_equal);
}

static void phases(struct sink *s, const struct verdict *v)
{
	if (!v->phase_count)
		return;
	family(s, "rto_phase_seconds", "seconds", "Duration of each phase of the recovery.");
	for (size_t i = 0; i < v->phase_count; i++) {
		sink_fill(s, "psmdb_drill_rto_phase_seconds{scenario=\"{}\",phase=\"{}\",", v->scenario,
		    v->phases[i].name, NULL);
		sink_printf(s, "position=\"%zu\"} ", i + 1);
		put_seconds(s, v->phases[i].to_ms - v->phases[i].from_ms);
	}
}

bool report_metrics(const struct verdict *v, struct buf *out, struct err *err)
{
	struct sink s;

	sink_init(&s, out, escape_label);
	result(&s, v);
	seconds(&s, v, "judged_timestamp_seconds", "When the verdict was made.", v->judged_at_ms);
	if (v->has_removal)
		removal(&s, v);
	else
		classes(&s, v);
	if (v->has_members)
		members(&s, v);
	figures(&s, v);
	phases(&s, v);
	reasons(&s, v);
	sink_raw(&s, "# EOF\n");
	return sink_ok(&s, err) || err_wrap(err, "metrics");
}
