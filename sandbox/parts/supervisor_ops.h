/* What a control request does to the parts, step by step without blocking. Pure state over part.h: no sockets. */
#ifndef PARTS_SUPERVISOR_OPS_H
#define PARTS_SUPERVISOR_OPS_H

#include "sandbox/parts/control.h"

struct op_run {
	struct control_request request;
	int64_t deadline_ms;
	bool second_stage; /* restart, wipe: what had to end has ended */
};

void op_begin(struct op_run *run, const struct control_request *request, int64_t now_ms);
/*
 * Goes on; true when the request is answered: *ret_answer says with what. *phase is the sandbox's, and a wipe of all
 * mongods changes it. STATUS, PHASE, RELEASE and SHUTDOWN are the supervisor's own and do not come here.
 */
bool op_step(
    struct op_run *run, struct part_set *set, enum sandbox_phase *phase, int64_t now_ms, struct err *ret_answer);

#endif
