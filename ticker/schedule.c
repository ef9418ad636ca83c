#include "ticker/schedule.h"

#include "tick/digest.h"

#include <math.h>

static const double commands_per_second = 200;

void schedule_init(struct schedule *s, int64_t start_ns, double rate)
{
	*s = (struct schedule){.start_ns = start_ns, .rate = rate};
}

static int64_t due(const struct schedule *s, int64_t slot)
{
	return s->start_ns + (int64_t)((long double)slot * 1e9L / (long double)s->rate);
}

int64_t schedule_take(struct schedule *s, int64_t now_ns, int count)
{
	int64_t when;

	if (s->rate <= 0)
		return now_ns;
	if (due(s, s->next + count) <= now_ns) {
		long double passed = (long double)(now_ns - s->start_ns) * (long double)s->rate / 1e9L;
		int64_t groups = ((int64_t)passed - s->next) / count - 1;

		/* close by division, then exactly by the same formula that says when a slot is due */
		if (groups < 0)
			groups = 0;
		while (due(s, s->next + (groups + 1) * count) <= now_ns)
			groups++;
		s->next += groups * count;
		s->skipped += groups * count;
	}
	when = due(s, s->next);
	s->next += count;
	return when;
}

int schedule_batch(double rate)
{
	double batch = ceil(rate / commands_per_second);

	if (rate <= 0 || batch > TICK_BLOCK)
		return TICK_BLOCK;
	return batch < 1 ? 1 : (int)batch;
}

int schedule_batch_at(int64_t seq, int batch)
{
	int64_t room = TICK_BLOCK - (seq - 1) % TICK_BLOCK;

	return room < batch ? (int)room : batch;
}
