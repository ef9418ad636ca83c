#include "sandbox/api/waiting.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOK_MS 250

struct visitor {
	struct visitor *next, **link;
	int socket;
	bool served;
	int64_t since_ms;
};

struct waiting {
	struct waiting_limits limits;
	pthread_t thread;
	bool runs;
	int stop_fd;
	pthread_mutex_t lock;
	struct visitor *visitors;
	size_t count;
};

static int64_t now_ms(void)
{
	return clock_mono_ms(clock_system());
}

static void cut_off_the_slow(struct waiting *w)
{
	int64_t now = now_ms();

	pthread_mutex_lock(&w->lock);
	for (struct visitor *v = w->visitors; v; v = v->next) {
		int64_t most = w->count > w->limits.crowd ? w->limits.crowd_ms : w->limits.request_ms;

		/* whoever reads from it sees its end, and closes it */
		if (!v->served && now - v->since_ms > most)
			shutdown(v->socket, SHUT_RDWR);
	}
	pthread_mutex_unlock(&w->lock);
}

static void *look_now_and_then(void *arg)
{
	struct waiting *w = arg;
	struct pollfd stop = {.fd = w->stop_fd, .events = POLLIN};

	while (poll(&stop, 1, LOOK_MS) == 0)
		cut_off_the_slow(w);
	return NULL;
}

bool waiting_new(const struct waiting_limits *limits, struct waiting **ret, struct err *err)
{
	struct waiting *w = calloc(1, sizeof *w);
	int why;

	if (!w)
		return err_nomem(err);
	w->limits = *limits;
	pthread_mutex_init(&w->lock, NULL);
	w->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->stop_fd < 0) {
		err_errno(err, ERR_IO, errno, "watch over connections");
		waiting_free(w);
		return false;
	}
	why = pthread_create(&w->thread, NULL, look_now_and_then, w);
	if (why) {
		err_errno(err, ERR_IO, why, "start a thread that watches over connections");
		waiting_free(w);
		return false;
	}
	w->runs = true;
	*ret = w;
	return true;
}

void waiting_free(struct waiting *w)
{
	if (!w)
		return;
	if (w->runs) {
		(void)eventfd_write(w->stop_fd, 1);
		pthread_join(w->thread, NULL);
	}
	if (w->stop_fd >= 0)
		close(w->stop_fd);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

struct visitor *waiting_enter(struct waiting *w, int socket)
{
	struct visitor *v = calloc(1, sizeof *v);

	if (!v)
		return NULL;
	v->socket = socket;
	v->since_ms = now_ms();
	pthread_mutex_lock(&w->lock);
	v->next = w->visitors;
	v->link = &w->visitors;
	if (v->next)
		v->next->link = &v->next;
	w->visitors = v;
	w->count++;
	pthread_mutex_unlock(&w->lock);
	return v;
}

void waiting_leave(struct waiting *w, struct visitor *v)
{
	if (!v)
		return;
	pthread_mutex_lock(&w->lock);
	*v->link = v->next;
	if (v->next)
		v->next->link = v->link;
	w->count--;
	pthread_mutex_unlock(&w->lock);
	free(v);
}

static void note(struct waiting *w, struct visitor *v, bool served)
{
	if (!v)
		return;
	pthread_mutex_lock(&w->lock);
	v->served = served;
	v->since_ms = now_ms();
	pthread_mutex_unlock(&w->lock);
}

void waiting_serve(struct waiting *w, struct visitor *v)
{
	note(w, v, true);
}

void waiting_again(struct waiting *w, struct visitor *v)
{
	note(w, v, false);
}
