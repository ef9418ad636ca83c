/* What a run counts for those who watch it. */
#include "ticker/metrics.h"

#include <criterion/criterion.h>
#include <string.h>

#define S INT64_C(1000000000)

static struct metrics m;
static struct journal_open open_;
static struct metrics_state state = {.metrics = &m, .open = &open_, .start_ns = 100 * S, .now_ns = 110 * S};

static const char *text(struct buf *out)
{
	struct err err = ERR_INIT;

	buf_reset(out);
	cr_assert(metrics_text(&state, out, &err), "%s", err.msg);
	return buf_str(out);
}

static bool well(const char **ret_why)
{
	static char why[512];

	why[0] = '\0';
	*ret_why = why;
	return metrics_healthy(&state, why, sizeof why);
}

Test(metrics, a_duration_is_in_each_bucket_that_is_wide_enough)
{
	BUF_CLEANUP struct buf out = BUF_INIT(65536);

	histogram_add(&m.command, 1000000);
	histogram_add(&m.command, 1000001);
	histogram_add(&m.command, 60 * S);
	histogram_add(&m.command, -5);
	text(&out);
	cr_expect(strstr(buf_str(&out), "command_seconds_bucket{le=\"0.001\"} 2\n"), "%s", buf_str(&out));
	cr_expect(strstr(buf_str(&out), "command_seconds_bucket{le=\"0.0025\"} 3\n"));
	cr_expect(strstr(buf_str(&out), "command_seconds_bucket{le=\"10.0\"} 3\n"));
	cr_expect(strstr(buf_str(&out), "command_seconds_bucket{le=\"+Inf\"} 4\n"));
	cr_expect(strstr(buf_str(&out), "command_seconds_count 4\n"));
	cr_expect(strstr(buf_str(&out), "command_seconds_sum 60.002000001\n"), "%s", buf_str(&out));
}

Test(metrics, what_the_server_calls_itself_stays_within_its_label)
{
	BUF_CLEANUP struct buf out = BUF_INIT(65536);

	strcpy(open_.set_name, "a\"} 1\nevil 2\\\x7f");
	cr_expect(strstr(text(&out), ",set=\"a?} 1?evil 2??\"} 1\n"), "%s", buf_str(&out));
}

Test(metrics, no_acknowledgement_is_no_timestamp)
{
	BUF_CLEANUP struct buf out = BUF_INIT(65536);

	cr_expect_not(strstr(text(&out), "acknowledged_timestamp"));
	metrics_acked(&m, 0, 105 * S, 1234567);
	cr_expect(strstr(text(&out), "acknowledged_timestamp_seconds 1234.567\n"), "%s", buf_str(&out));
	open_.clock_offset_ms = -1500;
	cr_expect(strstr(text(&out), "clock_offset_seconds -1.500\n"), "%s", buf_str(&out));
}

Test(metrics, each_stream_must_have_an_acknowledgement_within_ten_seconds)
{
	const char *why;

	open_.stream_count = 2;
	open_.interval_us = 1000000;
	strcpy(open_.streams[1].ns, "drill.ticker");
	cr_expect(well(&why), "since its start: %s", why);
	state.now_ns++;
	cr_expect_not(well(&why));
	metrics_acked(&m, 0, 109 * S, 1);
	cr_expect(!well(&why) && strstr(why, "drill.ticker writer 0: no tick was acknowledged for 10 s"), "%s", why);
	metrics_acked(&m, 1, 109 * S, 1);
	cr_expect(well(&why), "%s", why);
	state.stopping = true;
	cr_expect(!well(&why) && !strcmp(why, "stopping"));
}

Test(metrics, a_slow_ticker_has_five_intervals)
{
	const char *why;

	open_.stream_count = 1;
	open_.interval_us = INT64_C(3600) * 1000000;
	state.now_ns = state.start_ns + 5 * 3600 * S;
	cr_expect(well(&why), "%s", why);
	state.now_ns++;
	cr_expect_not(well(&why));
}
