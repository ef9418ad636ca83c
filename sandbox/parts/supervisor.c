#include "sandbox/parts/supervisor.h"

#include "base/file.h"
#include "sandbox/parts/supervisor_ops.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct peer {
	int fd;
	struct buf in, out;
	bool busy; /* a request is under way */
	bool lease;
	bool ending; /* waits for the end of everything */
	bool gone;
	struct op_run run;
};

struct supervisor {
	const struct supervisor_config *config;
	struct part_set *set;
	enum sandbox_phase phase;
	int signal_fd;
	struct peer peers[SUPERVISOR_CONNECTIONS_MAX];
	size_t peer_count;
	bool ending, at_once, gone; /* gone: no part has a process any more */
	bool dirty, setup_running;
	struct supervisor_result result;
};

static int64_t now_of(const struct supervisor *s)
{
	return clock_mono_ms(s->config->clock);
}

static void begin_end(struct supervisor *s, enum supervisor_end why, bool at_once)
{
	if (!s->ending) {
		s->result.end = why;
		s->result.phase = s->phase;
		if (s->setup_running)
			kill(s->config->setup_pid, SIGTERM);
	}
	s->ending = true;
	s->at_once |= at_once;
	s->gone = part_set_end(s->set, part_set_all(s->set), s->at_once, now_of(s));
	s->dirty = true;
}

static void write_state(struct supervisor *s, bool last)
{
	const struct layout *l = s->set->layout;
	BUF_CLEANUP struct buf text = BUF_INIT(STATE_MAX_BYTES);
	struct err err = ERR_INIT;

	if (!state_format(l, s->set, last ? PHASE_STOPPED : s->phase, last ? 0 : getpid(),
		clock_wall_ms(s->config->clock), &text, &err) ||
	    !buf_add_char(&text, '\n', &err) ||
	    !file_write_atomic(layout_file(l, "state.json").text, text.data, text.len, 0600, &err))
		log_line(s->config->log, LOG_ERROR, "state not written", "error", err.msg, NULL);
	s->dirty = false;
}

/* Control connections */

static void peer_flush(struct peer *p)
{
	while (p->out.len) {
		ssize_t put = send(p->fd, p->out.data, p->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (put < 0) {
			p->gone |= errno != EAGAIN && errno != EINTR;
			return;
		}
		buf_consume(&p->out, (size_t)put);
	}
}

static void peer_answer(struct peer *p, const struct err *answer)
{
	p->busy = false;
	if (!control_answer(answer, &p->out, NULL))
		p->gone = true;
	peer_flush(p);
}

static void peer_status(struct supervisor *s, struct peer *p)
{
	p->busy = false;
	if (!state_format(s->set->layout, s->set, s->phase, getpid(), clock_wall_ms(s->config->clock), &p->out, NULL) ||
	    !buf_add_char(&p->out, '\n', NULL))
		p->gone = true;
	peer_flush(p);
}

static void peer_request(struct supervisor *s, struct peer *p, const char *line, size_t len)
{
	struct control_request request;
	struct err answer = ERR_INIT;

	if (!control_parse(line, len, s->set, &request, &answer)) {
		peer_answer(p, &answer);
		return;
	}
	if (request.op == OP_STATUS) {
		peer_status(s, p);
		return;
	}
	if (request.op == OP_SHUTDOWN) {
		p->busy = p->ending = true;
		begin_end(s, END_SHUTDOWN, request.at_once);
		return;
	}
	if (s->ending) {
		err_set(&answer, ERR_STATE, "the sandbox is shutting down");
	} else if (request.op == OP_PHASE) {
		s->phase = request.phase;
		s->dirty = true;
	} else if (request.op == OP_RELEASE) {
		p->lease = false;
	} else {
		p->busy = true;
		op_begin(&p->run, &request, now_of(s));
		s->dirty = true;
		return;
	}
	if (s->dirty)
		write_state(s, false);
	peer_answer(p, &answer);
}

static void peer_lines(struct supervisor *s, struct peer *p)
{
	char *newline;

	while (!p->busy && !p->gone && p->in.len && (newline = memchr(p->in.data, '\n', p->in.len))) {
		size_t len = (size_t)(newline - p->in.data);

		peer_request(s, p, p->in.data, len);
		buf_consume(&p->in, len + 1);
	}
}

static void peer_read(struct supervisor *s, struct peer *p)
{
	char chunk[4096];
	ssize_t got = recv(p->fd, chunk, sizeof chunk, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* More than a request's maximum without a newline is no client of ours. */
	if (got <= 0 || !buf_add(&p->in, chunk, (size_t)got, NULL)) {
		p->gone = true;
		return;
	}
	peer_lines(s, p);
}

static void drop_gone(struct supervisor *s)
{
	for (size_t i = 0; i < s->peer_count;) {
		struct peer *p = &s->peers[i];

		if (!p->gone) {
			i++;
			continue;
		}
		if (p->lease && !s->ending) {
			log_line(s->config->log, LOG_WARN, "whoever was setting up went away", NULL);
			begin_end(s, END_LEASE, true);
		}
		close(p->fd);
		buf_clear(&p->in);
		buf_clear(&p->out);
		*p = s->peers[--s->peer_count];
	}
}

static void add_peer(struct supervisor *s, int fd, bool lease)
{
	s->peers[s->peer_count++] = (struct peer){
	    .fd = fd, .in = BUF_INIT(CONTROL_REQUEST_MAX), .out = BUF_INIT(2 * STATE_MAX_BYTES), .lease = lease};
}

static void accept_peer(struct supervisor *s)
{
	int fd = accept4(s->config->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (s->peer_count == SUPERVISOR_CONNECTIONS_MAX) {
		log_line(s->config->log, LOG_WARN, "connection refused: too many", NULL);
		close(fd);
		return;
	}
	add_peer(s, fd, false);
}

/* Children */

static void reap_setup(struct supervisor *s)
{
	if (!s->setup_running || !proc_reap(s->config->setup_pid, &s->result.setup))
		return;
	s->setup_running = false;
	s->result.setup_ended = true;
	if (s->result.setup.signaled || s->result.setup.status)
		begin_end(s, END_LEASE, true);
}

static void log_part(struct supervisor *s, const struct part *part)
{
	char pid[24];

	snprintf(pid, sizeof pid, "%d", (int)part->pid);
	log_line(s->config->log, part->state == PART_FAILED ? LOG_WARN : LOG_INFO, "part", "name", part->spec.name,
	    "state", part_state_name(part->state), "pid", pid, part->state == PART_FAILED ? "error" : NULL,
	    part->error.msg, NULL);
}

static void step_parts(struct supervisor *s)
{
	int64_t now = now_of(s);

	for (size_t i = 0; i < s->set->count; i++) {
		struct part *part = &s->set->parts[i];
		bool ended = part_reap(part, now), moved = part_tick(part, now);

		if (ended || moved) {
			s->dirty = true;
			log_part(s, part);
		}
	}
}

static void step_peers(struct supervisor *s)
{
	for (size_t i = 0; i < s->peer_count; i++) {
		struct peer *p = &s->peers[i];
		struct err answer = ERR_INIT;

		if (!p->busy || p->ending)
			continue;
		if (s->ending)
			err_set(&answer, ERR_STATE, "the sandbox is shutting down");
		else if (!op_step(&p->run, s->set, &s->phase, now_of(s), &answer))
			continue;
		/* Who was answered must find in the state file what he was told. */
		write_state(s, false);
		peer_answer(p, &answer);
		peer_lines(s, p);
	}
}

static void take_signals(struct supervisor *s)
{
	struct signalfd_siginfo info;

	while (read(s->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
		if (info.ssi_signo != SIGCHLD)
			begin_end(s, END_SIGNAL, s->ending);
}

/* The loop */

static int wait_ms(const struct supervisor *s)
{
	int64_t now = now_of(s), due = now + 3600000;

	for (size_t i = 0; i < s->set->count; i++) {
		int64_t part = part_due_ms(&s->set->parts[i], now);

		due = part < due ? part : due;
	}
	for (size_t i = 0; i < s->peer_count; i++)
		if (s->peers[i].busy && !s->peers[i].ending && s->peers[i].run.deadline_ms < due)
			due = s->peers[i].run.deadline_ms;
	return due <= now ? 0 : (int)(due - now);
}

static bool turn(struct supervisor *s, struct err *err)
{
	struct pollfd fds[2 + SUPERVISOR_CONNECTIONS_MAX] = {
	    {.fd = s->signal_fd, .events = POLLIN}, {.fd = s->config->listen_fd, .events = POLLIN}};
	size_t count = s->peer_count;

	for (size_t i = 0; i < count; i++)
		fds[2 + i] = (struct pollfd){
		    .fd = s->peers[i].fd, .events = (short)(POLLIN | (s->peers[i].out.len ? POLLOUT : 0))};
	if (poll(fds, 2 + count, wait_ms(s)) < 0 && errno != EINTR)
		return err_errno(err, ERR_IO, errno, "poll");
	if (fds[0].revents)
		take_signals(s);
	for (size_t i = 0; i < count; i++) {
		if (fds[2 + i].revents & POLLOUT)
			peer_flush(&s->peers[i]);
		if (fds[2 + i].revents & (POLLIN | POLLHUP | POLLERR))
			peer_read(s, &s->peers[i]);
	}
	if (fds[1].revents)
		accept_peer(s);
	reap_setup(s);
	step_parts(s);
	if (s->ending)
		s->gone = part_set_end(s->set, part_set_all(s->set), s->at_once, now_of(s));
	step_peers(s);
	drop_gone(s);
	if (s->dirty)
		write_state(s, false);
	return true;
}

static void finish(struct supervisor *s)
{
	struct err ok = ERR_INIT;

	write_state(s, true);
	unlink(layout_file(s->set->layout, "control.sock").text);
	close(s->config->listen_fd);
	for (size_t i = 0; i < s->peer_count; i++) {
		if (s->peers[i].ending)
			peer_answer(&s->peers[i], &ok);
		close(s->peers[i].fd);
		buf_clear(&s->peers[i].in);
		buf_clear(&s->peers[i].out);
	}
	close(s->signal_fd);
}

bool supervisor_run(const struct supervisor_config *config, struct supervisor_result *ret, struct err *err)
{
	CLEANUP(free) struct supervisor *s = calloc(1, sizeof *s);
	sigset_t mask;
	bool ok = true;

	if (!s)
		return err_nomem(err);
	s->config = config;
	s->set = config->set;
	s->phase = PHASE_STARTING;
	s->setup_running = config->setup_pid > 0;
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGHUP);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	s->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signal_fd < 0)
		return err_errno(err, ERR_IO, errno, "watch signals");
	add_peer(s, config->lease_fd, true);
	write_state(s, false);
	while (ok && !s->gone)
		ok = turn(s, err);
	if (s->setup_running && proc_reap(config->setup_pid, &s->result.setup))
		s->result.setup_ended = true;
	finish(s);
	*ret = s->result;
	return ok;
}
