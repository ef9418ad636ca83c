/*
 * The language of DIR/control.sock: one JSON object a line in each direction, answered in order, one outstanding
 * request a connection.
 *
 *   {"op":"start","parts":["mongod"],"timeout_ms":60000}   ->  {"ok":true}   or
 * {"ok":false,"code":"TIMEOUT","message":"...","hint":"..."}
 *   {"op":"status"}                                        ->  the state file's object
 */
#ifndef PARTS_CONTROL_H
#define PARTS_CONTROL_H

#include "sandbox/parts/set.h"
#include "sandbox/parts/state.h"

#define CONTROL_REQUEST_MAX ((size_t)8 << 10)
#define CONTROL_TIMEOUT_MAX_MS 3600000

/* X(id, name, takes parts, about) */
#define CONTROL_OPS(X)                                                                                                 \
	X(STATUS, "status", false, "the state")                                                                        \
	X(START, "start", true, "start, answered when ready")                                                          \
	X(STOP, "stop", true, "SIGTERM, then SIGKILL; answered when gone")                                             \
	X(KILL, "kill", true, "SIGKILL, answered when gone")                                                           \
	X(RESTART, "restart", true, "stop, then start")                                                                \
	X(FREEZE, "freeze", true, "SIGSTOP")                                                                           \
	X(THAW, "thaw", true, "SIGCONT")                                                                               \
	X(WIPE, "wipe", true, "kill, then remove the data folders")                                                    \
	X(WAIT, "wait", true, "answered when ready")                                                                   \
	X(PHASE, "phase", false, "tells the supervisor what the sandbox as a whole is doing")                          \
	X(RELEASE, "release", false, "this connection may end without ending everything")                              \
	X(SHUTDOWN, "shutdown", false, "stop everything and end; answered just before")

enum control_op {
#define X(id, name, parts, about) OP_##id,
	CONTROL_OPS(X)
#undef X
	    CONTROL_OP_COUNT
};

struct control_request {
	enum control_op op;
	part_mask parts;
	int64_t timeout_ms;
	enum sandbox_phase phase; /* OP_PHASE */
	bool at_once;		  /* OP_SHUTDOWN: SIGKILL instead of SIGTERM */
};

const char *control_op_name(enum control_op op);
bool control_op_takes_parts(enum control_op op);
/* line without its newline. Part names are resolved against the set. */
bool control_parse(
    const char *line, size_t len, const struct part_set *set, struct control_request *ret, struct err *err);
/* A request line, newline included. parts: names, kinds or "all". phase NULL: none. */
bool control_format(enum control_op op, const char *const *parts, size_t count, int64_t timeout_ms, const char *phase,
    bool at_once, struct buf *out, struct err *err);
/* An answer line, newline included. answer->code NONE: ok. */
bool control_answer(const struct err *answer, struct buf *out, struct err *err);
/* Fills ret_answer from an answer line; false (err) if it is none. */
bool control_parse_answer(const char *line, size_t len, struct err *ret_answer, struct err *err);

#endif
