/*
 * DIR/state.json: what other programs (and the next start) need to know about a sandbox. Written by its supervisor
 * alone, replaced as a whole; read by everybody. The format is "psmdb-sandbox-state", version 1, and is described in
 * docs/formats.md. It holds paths of secrets, never secrets.
 */
#ifndef PARTS_STATE_H
#define PARTS_STATE_H

#include "sandbox/parts/leftovers.h"
#include "sandbox/parts/set.h"

#define STATE_MAX_BYTES ((size_t)256 << 10)

/* What the sandbox as a whole is doing. */
#define SANDBOX_PHASES(X)                                                                                              \
	X(STARTING, "starting") /* up or create is at work */                                                          \
	X(READY, "ready")	/* replica set, users, agents and PBM's configuration are there */                     \
	X(WIPED, "wiped")	/* the disaster has happened; S3 lives */                                              \
	X(STOPPED, "stopped")	/* no supervisor */

enum sandbox_phase {
#define X(id, name) PHASE_##id,
	SANDBOX_PHASES(X)
#undef X
	    SANDBOX_PHASE_COUNT
};

const char *phase_name(enum sandbox_phase phase);
bool phase_parse(const char *name, enum sandbox_phase *ret);

/* One JSON object. set may be NULL: no parts yet. supervisor 0: none. */
bool state_format(const struct layout *l, const struct part_set *set, enum sandbox_phase phase, pid_t supervisor,
    int64_t wall_ms, struct buf *out, struct err *err);

/* A process that a state file speaks of. */
struct state_process {
	char name[PART_NAME_MAX];
	pid_t pid; /* 0: none */
	uint64_t start_ticks;
	char program[PATH_MAX];
	enum part_state state;
};

struct state {
	struct layout layout;
	enum sandbox_phase phase;
	char boot_id[BOOT_ID_MAX];
	size_t count;
	struct state_process processes[LAYOUT_PARTS_MAX];
};

/* Strict: a wrong format, version, range, number of members or path is refused. dir: where the file was found; must be
 * what it says. */
bool state_parse(const char *text, size_t len, const char *dir, struct state *ret, struct err *err);
bool state_load(const char *dir, struct state *ret, struct err *err); /* ERR_NOT_FOUND: no sandbox there */

#endif
