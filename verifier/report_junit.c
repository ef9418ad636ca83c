#include "verifier/report.h"
#include "verifier/report_checks.h"
#include "verifier/report_sink.h"
#include "verifier/report_words.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BAD_SHOWN 50

struct totals {
	int tests, failures, errors;
};

static void count(struct totals *t, enum check_status status)
{
	t->tests++;
	t->failures += status == CHECK_FAILED;
	t->errors += status == CHECK_INCONCLUSIVE || status == CHECK_NOT_JUDGED;
}

/* A case that was not judged is an error: what nobody asked for is none. */
static bool is_case(const struct verdict *v, enum report_check check)
{
	return check_applies(v, check) && !check_is_optional(v, check);
}

static struct totals count_all(const struct verdict *v)
{
	struct totals t = {0};

	for (int c = 0; c < CHECK_COUNT; c++)
		if (is_case(v, (enum report_check)c))
			count(&t, check_status(v, (enum report_check)c));
	for (size_t i = 0; i < v->stream_count; i++)
		count(&t, stream_status(v, &v->streams[i]));
	return t;
}

/* JUnit has seconds. Only the recovery has a duration of its own. */
static void put_time(struct sink *s, int64_t ms)
{
	sink_printf(s, " time=\"%" PRId64 ".%03" PRId64 "\"", ms / 1000, ms % 1000);
}

static int64_t recovery_ms(const struct verdict *v)
{
	return v->has_rto && v->rto_ms > 0 ? v->rto_ms : 0;
}

static void open_problem(struct sink *s, enum check_status status, const char *message, const char *type)
{
	sink_fill(s,
	    status == CHECK_FAILED ? "\n      <failure message=\"{}\" type=\"{}\">"
				   : "\n      <error message=\"{}\" type=\"{}\">",
	    message, type, NULL);
}

static void close_problem(struct sink *s, enum check_status status)
{
	sink_raw(s, status == CHECK_FAILED ? "</failure>\n    </testcase>\n" : "</error>\n    </testcase>\n");
}

/* Each problem says in its text, too, what its message says: GitLab shows the text alone, and none at all if it is
 * empty. */
static void not_judged(struct sink *s, const struct verdict *v)
{
	const char *why = v->result == VERDICT_ERROR ? "not judged: the drill ended in an error"
						     : "not judged: the evidence for it is missing or damaged";

	open_problem(s, CHECK_NOT_JUDGED, why, "NOT_JUDGED");
	sink_fill(s, "{}\n{}\n", why, v->title, NULL);
	close_problem(s, CHECK_NOT_JUDGED);
}

static void check_case(struct sink *s, const struct verdict *v, enum report_check check)
{
	enum check_status status = check_status(v, check);
	bool opened = false;

	sink_fill(s, "    <testcase classname=\"psmdb-drill.checks\" name=\"{}: {}\"", check_text(check),
	    check_asks(check), NULL);
	put_time(s, check == CHECK_RTO ? recovery_ms(v) : 0);
	if (status == CHECK_PASSED) {
		sink_raw(s, "/>\n");
		return;
	}
	sink_raw(s, ">");
	if (status == CHECK_NOT_JUDGED) {
		not_judged(s, v);
		return;
	}
	for (size_t i = 0; i < v->reason_count; i++) {
		const struct verdict_reason *r = &v->reasons[i];

		if (check_of(r->code) != check)
			continue;
		if (!opened)
			open_problem(s, status, verdict_reason_title(r->code), verdict_reason_text(r->code));
		opened = true;
		sink_fill(s, "{}: {}\n", verdict_reason_text(r->code), r->message, NULL);
		if (r->hint[0])
			sink_fill(s, "hint: {}\n", r->hint, NULL);
	}
	close_problem(s, status);
}

static void bad_list(struct sink *s, const struct verdict_stream *st)
{
	struct words w, n;

	for (size_t k = 0; k < st->bad_count && k < BAD_SHOWN; k++)
		sink_fill(s, "{} {} ({})\n", tick_class_text(st->bad[k].class), words_range(&w, &st->bad[k]),
		    words_of(&n, range_ticks(&st->bad[k]), "tick"), NULL);
	if (st->bad_count > BAD_SHOWN || st->bad_truncated)
		sink_raw(s, "... and more\n");
}

/* Without the run, a restarted ticker would give the same name twice. */
static void stream_name(const struct verdict_stream *st, char ret[static 500])
{
	char run[UUID_TEXT_MAX];

	snprintf(ret, 500, "%s writer %" PRId32 "%s%s run %s", st->ns, st->writer, st->replica_set[0] ? " on " : "",
	    st->replica_set, uuid_format(&st->run, run));
}

static void stream_case(struct sink *s, const struct verdict *v, size_t at)
{
	const struct verdict_stream *st = &v->streams[at];
	enum check_status status = stream_status(v, st);
	char name[500], other[500], message[400];
	int twin = 1;
	struct words n;

	/* readers drop a case whose name was there before */
	stream_name(st, name);
	for (size_t i = 0; i < at; i++) {
		stream_name(&v->streams[i], other);
		twin += !strcmp(name, other);
	}
	sink_fill(s, "    <testcase classname=\"psmdb-drill.integrity\" name=\"{}", name, NULL);
	if (twin > 1)
		sink_printf(s, " (%d)", twin);
	sink_raw(s, "\"");
	put_time(s, 0);
	if (status == CHECK_PASSED) {
		sink_raw(s, "/>\n");
		return;
	}
	sink_raw(s, ">");
	if (status == CHECK_NOT_JUDGED) {
		not_judged(s, v);
		return;
	}
	snprintf(message, sizeof message, "%s",
	    words_of(&n, status == CHECK_FAILED ? stream_failing(st) : st->count[CLASS_UNJOURNALED],
		status == CHECK_FAILED ? "failing tick" : "unjournaled tick"));
	open_problem(s, status, message, status == CHECK_FAILED ? "INTEGRITY" : "UNJOURNALED");
	sink_fill(s, "{}\n", message, NULL);
	bad_list(s, st);
	close_problem(s, status);
}

static void property(struct sink *s, const char *name, const char *value)
{
	if (value[0])
		sink_fill(s, "      <property name=\"{}\" value=\"{}\"/>\n", name, value, NULL);
}

static void properties(struct sink *s, const struct verdict *v)
{
	char text[OPTIME_TEXT_MAX], uuid[UUID_TEXT_MAX];
	struct words w;

	sink_raw(s, "    <properties>\n");
	property(s, "verdict", verdict_result_text(v->result));
	property(s, "title", v->title);
	property(s, "scenario", v->scenario);
	property(s, "drill", v->has_drill ? uuid_format(&v->drill, uuid) : "");
	property(s, "judge", v->judge);
	property(s, "backup", v->has_bound ? v->backup_name : "");
	property(s, "restore point", v->has_bound ? optime_format(v->b0, text) : "");
	property(s, "RPO", v->has_removal ? "" : words_rpo(&w, v));
	property(s, "RTO", v->has_removal ? "" : words_rto(&w, v));
	for (size_t i = 0; i < v->version_count; i++)
		property(s, v->versions[i].name, v->versions[i].value);
	sink_raw(s, "    </properties>\n");
}

static void put_totals(struct sink *s, const struct verdict *v, struct totals t)
{
	sink_printf(s, " tests=\"%d\" failures=\"%d\" errors=\"%d\"", t.tests, t.failures, t.errors);
	put_time(s, check_applies(v, CHECK_RTO) ? recovery_ms(v) : 0);
}

bool report_junit(const struct verdict *v, struct buf *out, struct err *err)
{
	struct totals t = count_all(v);
	char at[TIME_TEXT_MAX];
	int64_t again;
	struct sink s;

	/* the dialects know whole seconds without a zone only */
	if (!time_parse(time_format(v->judged_at_ms, at), &again))
		time_format(0, at);
	at[19] = '\0';
	sink_init(&s, out, escape_xml);
	sink_raw(&s, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"psmdb-drill\"");
	put_totals(&s, v, t);
	sink_fill(&s,
	    ">\n  <testsuite name=\"psmdb-drill{}{}\" id=\"0\" package=\"psmdb-drill\" hostname=\"localhost\" "
	    "timestamp=\"{}\" skipped=\"0\"",
	    v->scenario[0] ? " " : "", v->scenario, at, NULL);
	put_totals(&s, v, t);
	sink_raw(&s, ">\n");
	properties(&s, v);
	for (int c = 0; c < CHECK_COUNT; c++)
		if (is_case(v, (enum report_check)c))
			check_case(&s, v, (enum report_check)c);
	for (size_t i = 0; i < v->stream_count; i++)
		stream_case(&s, v, i);
	sink_raw(&s, "    <system-out>");
	sink_text(&s, v->title);
	sink_raw(&s, "</system-out>\n    <system-err/>\n  </testsuite>\n</testsuites>\n");
	return sink_ok(&s, err) || err_wrap(err, "JUnit report");
}
