#include "kube_fake.h"

#include "kube/clock.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct kube_fake f;
static struct err err;

/* Time that goes on in pauses alone. */
#define BEGUN_MS INT64_C(1795867200400)
static int64_t now_ns;

static int64_t mono(void *ctx)
{
	(void)ctx;
	return now_ns;
}

static int64_t wall(void *ctx)
{
	(void)ctx;
	return BEGUN_MS + now_ns / 1000000;
}

static bool pass(void *ctx, int64_t deadline_ns, const volatile int *stop)
{
	(void)ctx;
	(void)stop;
	now_ns = deadline_ns > now_ns ? deadline_ns : now_ns;
	return true;
}

/* Each answer has the Date of a server whose clock is so far off, in turn. */
static bool ask(const int64_t *offsets_ms, bool dated, int64_t *ret_offset_ms, int64_t *ret_error_ms)
{
	static char texts[9][400];
	const char *answers[9];
	bool known;

	for (size_t i = 0; i < 9; i++) {
		time_t at = (time_t)((BEGUN_MS + (int64_t)i * 125 + offsets_ms[i % 2]) / 1000);
		char date[64];
		struct tm tm;

		strftime(date, sizeof date, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime_r(&at, &tm));
		snprintf(texts[i], sizeof texts[i],
		    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%sConnection: close\r\n\r\n{\"major\":\"1\"}",
		    dated ? date : "");
		answers[i] = texts[i];
	}
	now_ns = 0;
	kube_fake_start(&f, answers, 9);
	f.clock = (struct clock){.mono_ns = mono, .wall_ms = wall, .sleep_until = pass, .ctx = &f};
	cr_assert(kube_clock(f.kube, &known, ret_offset_ms, ret_error_ms, &err), "%s", err.msg);
	kube_fake_stop(&f, NULL);
	return known;
}

Test(kube_clock, is_told_to_an_eighth_of_a_second_from_answers_in_whole_seconds)
{
	static const int64_t offsets_ms[] = {0, 90061000, -3600000, 437, -250, 999, 100, -100};

	for (size_t i = 0; i < COUNT(offsets_ms); i++) {
		int64_t offset_ms = 0, error_ms = 0;

		cr_assert(ask((const int64_t[]){offsets_ms[i], offsets_ms[i]}, true, &offset_ms, &error_ms));
		cr_expect(llabs(offset_ms - offsets_ms[i]) <= error_ms && error_ms <= 63, "%lld +- %lld for %lld",
		    (long long)offset_ms, (long long)error_ms, (long long)offsets_ms[i]);
	}
}

Test(kube_clock, of_servers_that_disagree_is_as_uncertain_as_they_are)
{
	int64_t offset_ms = 0, error_ms = 0;

	cr_assert(ask((const int64_t[]){0, 60000}, true, &offset_ms, &error_ms));
	cr_expect(error_ms > 29500 && llabs(offset_ms - 30000) < 1000, "%lld +- %lld", (long long)offset_ms,
	    (long long)error_ms);
}

Test(kube_clock, without_a_date_is_not_known)
{
	int64_t offset_ms = 7, error_ms = 7;

	cr_assert_not(ask((const int64_t[]){0, 0}, false, &offset_ms, &error_ms));
	cr_expect(offset_ms == 7 && error_ms == 7);
}

Test(kube_clock, of_a_date_that_is_none_is_not_known)
{
	static const char *const dates[] = {"", "yesterday", "Sat, 28 Nov", "Sat, 99 Nov 2026 12:00:00 GMT",
	    "Sat, 28 Nov 2026 12:00:00 CET", "1795867200", "Sat, 28 Nov 2026 25:61:61 GMT", "%n%s%x",
	    "Sat, 28 Nov -999999999999999999999 12:00:00 GMT"};

	for (size_t i = 0; i < COUNT(dates); i++) {
		int64_t offset_ms = 7, error_ms = 7;
		const char *answer;
		char text[400];
		bool known;

		snprintf(text, sizeof text,
		    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: %s\r\nConnection: close\r\n\r\n{}",
		    dates[i]);
		answer = text;
		kube_fake_start(&f, &answer, 1);
		cr_assert(kube_clock(f.kube, &known, &offset_ms, &error_ms, &err), "%s", err.msg);
		kube_fake_stop(&f, NULL);
		cr_expect(!known && offset_ms == 7 && error_ms == 7, "\"%s\"", dates[i]);
	}
}
