#include "doc/json_writer.h"
#include "verifier/report_checks.h"
#include "verifier/report_history.h"
#include "verifier/report_sink.h"

#include <inttypes.h>
#include <stdlib.h>

#define SERIES_MAX 200

static void put_figure(
    struct json_writer *w, const char *key, bool known, int64_t ms, int64_t error_ms, bool at_least, int64_t limit_ms)
{
	json_object(w, key);
	if (known) {
		json_put_i64(w, "valueMs", ms);
		json_put_i64(w, "errorMs", error_ms);
		json_put_bool(w, "atLeast", at_least);
	}
	if (limit_ms >= 0)
		json_put_i64(w, "limitMs", limit_ms);
	json_end_object(w);
}

static void put_run(struct json_writer *w, const struct history_run *r)
{
	json_object(w, NULL);
	json_put_string(w, "name", r->name);
	json_put_string(w, "report", r->link);
	json_put_string(w, "result", verdict_result_text(r->result));
	json_put_string(w, "title", r->title);
	json_put_string(w, "scenario", r->scenario);
	json_put_time(w, "judgedAt", r->judged_at_ms);
	put_figure(w, "rpo", r->has_rpo, r->rpo_ms, r->rpo_error_ms, r->rpo_at_least, r->max_rpo_ms);
	put_figure(w, "rto", r->has_rto, r->rto_ms, r->rto_error_ms, !r->rto_complete, r->max_rto_ms);
	json_put_i64(w, "acked", r->acked);
	json_put_i64(w, "failing", r->failing);
	json_put_i64(w, "undecided", r->undecided);
	if (r->has_removal)
		json_put_i64(w, "removalLeft", r->removal_left);
	json_array(w, "reasons");
	for (int c = 0; c < REASON_COUNT; c++)
		if (r->reasons[c])
			json_put_string(w, NULL, verdict_reason_text((enum verdict_reason_code)c));
	json_end_array(w);
	json_array(w, "versions");
	for (size_t i = 0; i < r->version_count; i++) {
		json_object(w, NULL);
		json_put_string(w, "name", r->versions[i].name);
		json_put_string(w, "value", r->versions[i].value);
		json_end_object(w);
	}
	json_end_array(w);
	json_end_object(w);
}

bool report_history_json(const struct history *h, struct buf *out, struct err *err)
{
	struct json_writer w;

	json_writer_init(&w, out);
	json_object(&w, NULL);
	json_put_string(&w, "format", HISTORY_FORMAT);
	json_put_int(&w, "version", HISTORY_VERSION);
	json_array(&w, "runs");
	for (size_t i = 0; i < h->run_count; i++)
		put_run(&w, &h->runs[i]);
	json_end_array(&w);
	json_put_int(&w, "leftOut", (int64_t)h->left_out);
	json_put_int(&w, "skippedCount", (int64_t)h->skipped_count);
	json_array(&w, "skipped");
	for (size_t i = 0; i < h->skipped_count && i < HISTORY_SKIPPED_MAX; i++) {
		json_object(&w, NULL);
		json_put_string(&w, "name", h->skipped[i].name);
		json_put_string(&w, "why", h->skipped[i].why);
		json_end_object(&w);
	}
	json_end_array(&w);
	json_end_object(&w);
	return json_writer_ok(&w, err) && buf_add_char(out, '\n', err);
}

static void family(struct sink *s, const char *name, bool seconds, const char *help)
{
	sink_fill(s, "# TYPE psmdb_drill_history_{} gauge\n", name, NULL);
	if (seconds)
		sink_fill(s, "# UNIT psmdb_drill_history_{} seconds\n", name, NULL);
	sink_fill(s, "# HELP psmdb_drill_history_{} {}\n", name, help, NULL);
}

static void sample(struct sink *s, const char *name, const char *scenario, const char *key, const char *value)
{
	sink_fill(s, "psmdb_drill_history_{}{scenario=\"{}\"", name, scenario, NULL);
	if (key)
		sink_fill(s, ",{}=\"{}\"", key, value, NULL);
	sink_raw(s, "} ");
}

static void put_seconds(struct sink *s, int64_t ms)
{
	uint64_t t = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;

	sink_printf(s, "%s%" PRIu64 ".%03" PRIu64 "\n", ms < 0 ? "-" : "", t / 1000, t % 1000);
}

static const char *scenario_of(const struct history *h, size_t series)
{
	return history_at(h, &h->series[series], 0)->scenario;
}

static size_t series_shown(const struct history *h)
{
	return h->series_count < SERIES_MAX ? h->series_count : SERIES_MAX;
}

static void run_counts(struct sink *s, const struct history *h)
{
	family(s, "runs", false, "Runs that were read, by result.");
	for (size_t k = 0; k < series_shown(h); k++)
		for (int r = VERDICT_PASS; r <= VERDICT_ERROR; r++) {
			size_t count = 0;

			for (size_t i = 0; i < h->series[k].count; i++)
				count += (int)history_at(h, &h->series[k], i)->result == r;
			sample(s, "runs", scenario_of(h, k), "result", verdict_result_text((enum verdict_result)r));
			sink_printf(s, "%zu\n", count);
		}
}

static void last_times(struct sink *s, const struct history *h)
{
	family(s, "last_judged_timestamp_seconds", true, "When the newest verdict was made.");
	for (size_t k = 0; k < series_shown(h); k++) {
		sample(s, "last_judged_timestamp_seconds", scenario_of(h, k), NULL, NULL);
		put_seconds(s, history_at(h, &h->series[k], h->series[k].count - 1)->judged_at_ms);
	}
	family(s, "last_pass_timestamp_seconds", true, "When the newest PASS was judged.");
	for (size_t k = 0; k < series_shown(h); k++)
		for (size_t i = h->series[k].count; i-- > 0;) {
			const struct history_run *r = history_at(h, &h->series[k], i);

			if (r->result != VERDICT_PASS)
				continue;
			sample(s, "last_pass_timestamp_seconds", scenario_of(h, k), NULL, NULL);
			put_seconds(s, r->judged_at_ms);
			break;
		}
}

/* Of the runs whose figure is known to its end; the newest and the greatest. */
static void figures(struct sink *s, const struct history *h, bool rto)
{
	const char *name = rto ? "rto_seconds" : "rpo_seconds";

	family(s, name, true,
	    rto ? "Recovery time of the newest run that has one, and the greatest of all."
		: "Loss of the newest run that has one, and the greatest of all.");
	for (size_t k = 0; k < series_shown(h); k++) {
		int64_t most = 0, newest = 0;
		bool any = false;

		for (size_t i = 0; i < h->series[k].count; i++) {
			const struct history_run *r = history_at(h, &h->series[k], i);
			int64_t ms = rto ? r->rto_ms : r->rpo_ms;

			if (rto ? !r->has_rto || !r->rto_complete : !r->has_rpo || r->rpo_at_least)
				continue;
			most = !any || ms > most ? ms : most;
			newest = ms;
			any = true;
		}
		if (!any)
			continue;
		sample(s, name, scenario_of(h, k), "of", "newest");
		put_seconds(s, newest);
		sample(s, name, scenario_of(h, k), "of", "greatest");
		put_seconds(s, most);
	}
}

bool report_history_metrics(const struct history *h, struct buf *out, struct err *err)
{
	struct sink s;

	sink_init(&s, out, escape_label);
	run_counts(&s, h);
	last_times(&s, h);
	figures(&s, h, false);
	figures(&s, h, true);
	family(&s, "skipped", false, "Folders and files that are no run, or could not be read.");
	sink_printf(&s, "psmdb_drill_history_skipped %zu\n", h->skipped_count);
	family(&s, "left_out", false, "Runs that were too many, the oldest.");
	sink_printf(&s, "psmdb_drill_history_left_out %zu\n", h->left_out);
	family(&s, "scenarios_left_out", false, "Scenarios that were too many, those with the fewest runs.");
	sink_printf(&s, "psmdb_drill_history_scenarios_left_out %zu\n", h->series_count - series_shown(h));
	sink_raw(&s, "# EOF\n");
	return sink_ok(&s, err) || err_wrap(err, "metrics of the history");
}
