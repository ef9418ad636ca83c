#include "sandbox/parts/setup.h"

#include "sandbox/parts/wiring.h"

#include <stdio.h>

struct run {
	const struct setup *setup;
	struct connection *connection;
	int64_t begun_ms;
	struct wiring wiring;
};

static int64_t elapsed_ms(const struct run *r)
{
	return clock_mono_ms(r->setup->clock) - r->begun_ms;
}

static int64_t left_ms(const struct run *r)
{
	int64_t left = r->setup->timeout_ms - elapsed_ms(r);

	return left > 1 ? left : 1;
}

/* Tells, and looks whether to go on. */
static bool told(struct run *r, const char *what, struct err *err)
{
	if (r->setup->progress)
		r->setup->progress(r->setup->progress_arg, what, elapsed_ms(r));
	if (r->setup->stop && *r->setup->stop)
		return err_set(err, ERR_INTERRUPTED, "interrupted after: %s", what);
	if (elapsed_ms(r) > r->setup->timeout_ms) {
		err_set(err, ERR_TIMEOUT, "not ready within %.0f s; the last step done was: %s",
		    (double)r->setup->timeout_ms / 1000.0, what);
		return err_hint(err, "give a longer --timeout, or see the logs in \"%s\"",
		    layout_file(r->setup->layout, "logs").text);
	}
	r->wiring.cluster.timeout_ms = left_ms(r);
	return true;
}

static bool start(struct run *r, const char *const *kinds, size_t count, struct err *err)
{
	return connection_request(r->connection, OP_START, kinds, count, left_ms(r), err);
}

static void begin(struct run *r, const struct setup *setup, struct connection *c)
{
	*r = (struct run){.setup = setup, .connection = c, .begun_ms = clock_mono_ms(setup->clock)};
	wiring_init(&r->wiring, setup->layout, setup->secrets, setup->clock, setup->stop);
	r->wiring.cluster.timeout_ms = setup->timeout_ms;
}

/* An election in the middle is no failure: a step that was taken counts as done, so all are taken again at the new
 * primary. */
static bool make_users(struct run *r, int primary, struct err *err)
{
	const int most = 5;

	for (int tries = 1;; tries++) {
		struct err each = ERR_INIT;

		if (cluster_calm(&r->wiring.cluster, primary, &each) &&
		    cluster_make_users(&r->wiring.cluster, primary, &r->wiring.users, &each))
			return true;
		if (tries == most || (each.code != ERR_REMOTE && each.code != ERR_NET && each.code != ERR_TIMEOUT)) {
			*err = each;
			return false;
		}
		if (!cluster_wait_primary(&r->wiring.cluster, &primary, err))
			return false;
	}
}

static bool make_set(struct run *r, struct err *err)
{
	char what[64];
	int primary;

	snprintf(what, sizeof what, "S3 server and %d mongods run", r->setup->layout->members);
	if (!start(r, (const char *const[]){"s3", "mongod"}, 2, err) || !told(r, what, err))
		return false;
	if (!cluster_initiate(&r->wiring.cluster, err) || !cluster_wait_primary(&r->wiring.cluster, &primary, err) ||
	    !told(r, "replica set \"" LAYOUT_SET_NAME "\" has a primary", err))
		return false;
	return make_users(r, primary, err) && told(r, "users are known to every member", err);
}

static bool make_pbm(struct run *r, struct err *err)
{
	/* The configuration goes first: an agent that finds one at its start has not to be told later. */
	return pbm_configure(&r->wiring.pbm, &r->wiring.storage, left_ms(r), err) &&
	       told(r, "PBM is configured", err) && start(r, (const char *const[]){"pbm-agent"}, 1, err) &&
	       pbm_wait_idle(&r->wiring.pbm, left_ms(r), err) && told(r, "PBM agents are ready", err) &&
	       pbm_resync(&r->wiring.pbm, left_ms(r), err) && told(r, "backup list is read from the bucket", err);
}

bool setup_run(const struct setup *setup, struct connection *c, struct err *err)
{
	struct run r;

	begin(&r, setup, c);
	if (connection_phase(c, PHASE_STARTING, err) && make_set(&r, err) && make_pbm(&r, err) &&
	    connection_phase(c, PHASE_READY, err))
		return true;
	/* Ctrl-C reaches the real processes' connections too: what broke then is not the news. */
	if (setup->stop && *setup->stop)
		err_set(err, ERR_INTERRUPTED, "interrupted");
	return false;
}

bool setup_wipe(const struct setup *setup, struct connection *c, struct err *err)
{
	struct run r;

	begin(&r, setup, c);
	/* Agents before the databases they would complain about, in one request: the kills are microseconds apart. */
	return connection_request(c, OP_WIPE, (const char *const[]){"pbm-agent", "mongod"}, 2, left_ms(&r), err) &&
	       told(&r, "mongods and agents are gone, and their data", err);
}
