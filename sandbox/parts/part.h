/*
 * One supervised process.
 *
 * A part is a value in the hands of one single-threaded supervisor that calls part_reap() after SIGCHLD and
 * part_tick() when part_due_ms() says so; nothing here blocks or sleeps, and time comes in as a parameter (monotonic
 * milliseconds). Each move goes through the table in lifecycle.h and is asserted. The supervisor's death kills the
 * process (base/proc.h).
 */
#ifndef PARTS_PART_H
#define PARTS_PART_H

#include "base/proc.h"
#include "sandbox/parts/lifecycle.h"
#include "sandbox/parts/spec.h"

#define PART_NEVER INT64_MAX
#define PART_BACKOFF_FIRST_MS 250
#define PART_BACKOFF_MAX_MS 8000
#define PART_SETTLED_MS 10000 /* up for this long: the back-off starts anew */

struct part {
	struct part_spec spec;
	enum part_state state;
	bool frozen;
	pid_t pid;	       /* 0: no process */
	uint64_t start_ticks;  /* the process's start time as in /proc/PID/stat: with the pid it names one process */
	int64_t since_ms;      /* in this state since */
	int64_t kill_at_ms;    /* stopping: when SIGTERM becomes SIGKILL */
	int64_t restart_at_ms; /* failed: when it is started again; PART_NEVER */
	int64_t backoff_ms;
	uint32_t restarts; /* by the restart policy */
	bool has_exit;
	struct proc_exit last_exit;
	struct err error; /* why it failed: exit status and the log line that matters */
	struct probe probe;
	int64_t log_start; /* the log's size when the present process was started */
};

/* Takes the spec's strings over. */
void part_init(struct part *part, struct part_spec *spec);
void part_clear(struct part *part);

/* Starts a stopped or failed part; a living one is left alone. ERR_STATE while it is stopping. */
bool part_start(struct part *part, int64_t now_ms, struct err *err);
/* Asks it to end: SIGTERM (SIGKILL after the spec's limit), or SIGKILL at once. A failed part becomes stopped and is
 * not restarted. */
void part_end(struct part *part, bool at_once, int64_t now_ms);
/* SIGSTOP and SIGCONT. ERR_STATE if there is no process. */
bool part_freeze(struct part *part, struct err *err);
bool part_thaw(struct part *part, struct err *err);
/* Removes the data folder. ERR_STATE while there is a process. */
bool part_wipe(struct part *part, struct err *err);

/* Both return true if the part's state changed. */
bool part_reap(struct part *part, int64_t now_ms);
bool part_tick(struct part *part, int64_t now_ms);
/* When part_tick wants to be called next; PART_NEVER. */
int64_t part_due_ms(const struct part *part, int64_t now_ms);

#endif
