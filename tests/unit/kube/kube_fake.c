#include "kube_fake.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>

static int64_t mono(void *ctx)
{
	return clock_mono_ns(clock_system()) + ((struct kube_fake *)ctx)->skipped_ns;
}

static int64_t wall(void *ctx)
{
	(void)ctx;
	return 1795867200000 + mono(ctx) / 1000000 % 1000;
}

static bool skip_until(void *ctx, int64_t deadline_ns, const volatile int *stop)
{
	struct kube_fake *f = ctx;
	int64_t left = deadline_ns - mono(ctx);

	if (stop && *stop)
		return false;
	f->skipped_ns += left > 0 ? left : 0;
	return true;
}

void kube_fake_start(struct kube_fake *f, const char *const *answers, size_t count)
{
	struct err err = ERR_INIT;

	signal(SIGPIPE, SIG_IGN);
	*f = (struct kube_fake){0};
	f->clock = (struct clock){.mono_ns = mono, .wall_ms = wall, .sleep_until = skip_until, .ctx = f};
	fake_server_start(&f->server, answers, count);
	snprintf(f->config.server, sizeof f->config.server, "http://127.13.1.1:%d", f->server.port);
	f->config.token = strdup("hush-hush");
	kube_kind_set(&f->pods, "", "v1", "pods", "Pod", true);
	kube_kind_set(&f->psmdb, "psmdb.percona.com", "v1", "perconaservermongodbs", "PerconaServerMongoDB", true);
	cr_assert(kube_new(&f->config, &(struct kube_options){.clock = &f->clock}, &f->kube, &err), "%s", err.msg);
}

void kube_fake_stop(struct kube_fake *f, char **ret_seen)
{
	kube_free(f->kube);
	kube_config_clear(&f->config);
	fake_server_stop(&f->server, ret_seen);
}
