#include "kube/clock.h"

#include "kube/request.h"

#define SAMPLES 9
#define PAUSE_MS 125

struct range {
	int64_t low, high;
};

/* What one answer leaves possible: the server was in [date, date + 1000) at some time between request and answer. */
static bool sample(struct kube *k, bool *ret_known, struct range *ret, struct err *err)
{
	int64_t date_ms = -1, sent_ms = clock_wall_ms(k->clock), sent_mono_ms = clock_mono_ms(k->clock), took_ms;
	const struct call call = {
	    .verb = "get", .method = "GET", .path = "/version", .max_attempts = 1, .ret_date_ms = &date_ms};

	if (!kube_call(k, &call, NULL, err))
		return false;
	took_ms = clock_mono_ms(k->clock) - sent_mono_ms;
	*ret_known = date_ms >= 0;
	*ret = (struct range){date_ms - (sent_ms + took_ms), date_ms + 1000 - sent_ms};
	return true;
}

static struct range both(struct range a, struct range b)
{
	return (struct range){a.low > b.low ? a.low : b.low, a.high < b.high ? a.high : b.high};
}

static struct range either(struct range a, struct range b)
{
	return (struct range){a.low < b.low ? a.low : b.low, a.high > b.high ? a.high : b.high};
}

bool kube_clock(struct kube *k, bool *ret_known, int64_t *ret_offset_ms, int64_t *ret_error_ms, struct err *err)
{
	struct range narrow = {INT64_MIN, INT64_MAX}, wide = {INT64_MAX, INT64_MIN}, one;
	bool known = true;

	for (int i = 0; i < SAMPLES; i++) {
		if (!sample(k, &known, &one, err))
			return false;
		if (!known)
			break;
		narrow = both(narrow, one);
		wide = either(wide, one);
		if (i + 1 < SAMPLES &&
		    !clock_sleep_until(k->clock, (clock_mono_ms(k->clock) + PAUSE_MS) * 1000000, k->stop))
			return err_set(err, ERR_INTERRUPTED, "interrupted");
	}
	*ret_known = known;
	if (!known)
		return true;
	/* no one clock explains all answers */
	if (narrow.low > narrow.high)
		narrow = wide;
	*ret_offset_ms = narrow.low + (narrow.high - narrow.low) / 2;
	*ret_error_ms = (narrow.high - narrow.low + 1) / 2;
	return true;
}
