#include "sandbox/parts/supervisor_ops.h"

#include <stdio.h>

#define EACH(part, set, mask)                                                                                          \
	for (struct part *part = (set)->parts; part < (set)->parts + (set)->count; part++)                             \
		if ((mask) & (part_mask)1 << (part - (set)->parts))

enum progress { WORKING, DONE, BROKEN };

static bool start_parts(struct part_set *set, part_mask mask, int64_t now_ms, struct err *err)
{
	EACH(part, set, mask)
	if (!part_start(part, now_ms, err))
		return false;
	return true;
}

void op_begin(struct op_run *run, const struct control_request *request, int64_t now_ms)
{
	*run = (struct op_run){.request = *request, .deadline_ms = now_ms + request->timeout_ms};
}

static enum progress all_ready(struct part_set *set, part_mask mask, struct err *answer)
{
	enum progress progress = DONE;

	EACH(part, set, mask)
	{
		if (part->state == PART_READY)
			continue;
		if (part->state == PART_STOPPED || part->state == PART_STOPPING) {
			err_set(answer, ERR_STATE, "part \"%s\" is %s", part->spec.name, part_state_name(part->state));
			return BROKEN;
		}
		if (part->state == PART_FAILED && part->restart_at_ms == PART_NEVER) {
			*answer = part->error;
			return BROKEN;
		}
		progress = WORKING;
	}
	return progress;
}

static enum progress step_restart(struct op_run *run, struct part_set *set, int64_t now_ms, struct err *answer)
{
	if (!run->second_stage) {
		if (!part_set_end(set, run->request.parts, false, now_ms))
			return WORKING;
		run->second_stage = true;
		if (!start_parts(set, run->request.parts, now_ms, answer))
			return BROKEN;
	}
	return all_ready(set, run->request.parts, answer);
}

static enum progress step_start(struct op_run *run, struct part_set *set, int64_t now_ms, struct err *answer)
{
	if (!run->second_stage) {
		run->second_stage = true;
		if (!start_parts(set, run->request.parts, now_ms, answer))
			return BROKEN;
	}
	return all_ready(set, run->request.parts, answer);
}

static enum progress step_wipe(
    struct op_run *run, struct part_set *set, enum sandbox_phase *phase, int64_t now_ms, struct err *answer)
{
	part_mask mongods = part_set_kind(set, "mongod");

	if (!part_set_end(set, run->request.parts, true, now_ms))
		return WORKING;
	EACH(part, set, run->request.parts)
	if (!part_wipe(part, answer))
		return BROKEN;
	if ((run->request.parts & mongods) == mongods)
		*phase = PHASE_WIPED;
	return DONE;
}

static enum progress step_signal(struct op_run *run, struct part_set *set, struct err *answer)
{
	EACH(part, set, run->request.parts)
	if (!(run->request.op == OP_FREEZE ? part_freeze : part_thaw)(part, answer))
		return BROKEN;
	return DONE;
}

static enum progress step(
    struct op_run *run, struct part_set *set, enum sandbox_phase *phase, int64_t now_ms, struct err *answer)
{
	switch (run->request.op) {
	case OP_START:
		return step_start(run, set, now_ms, answer);
	case OP_RESTART:
		return step_restart(run, set, now_ms, answer);
	case OP_STOP:
	case OP_KILL:
		return part_set_end(set, run->request.parts, run->request.op == OP_KILL, now_ms) ? DONE : WORKING;
	case OP_WIPE:
		return step_wipe(run, set, phase, now_ms, answer);
	case OP_FREEZE:
	case OP_THAW:
		return step_signal(run, set, answer);
	case OP_WAIT:
		return *phase == PHASE_STARTING ? WORKING : all_ready(set, run->request.parts, answer);
	default:
		err_set(
		    answer, ERR_UNSUPPORTED, "operation \"%s\" is not about parts", control_op_name(run->request.op));
		return BROKEN;
	}
}

static void say_late(const struct op_run *run, struct part_set *set, struct err *answer)
{
	BUF_CLEANUP struct buf list = BUF_INIT(LAYOUT_PARTS_MAX * 64);
	const struct part *culprit = NULL;

	EACH(part, set, run->request.parts)
	{
		if (part->state == PART_READY && run->request.op != OP_STOP && run->request.op != OP_KILL)
			continue;
		buf_printf(&list, NULL, "%s\"%s\" is %s%s", list.len ? ", " : "", part->spec.name,
		    part_state_name(part->state), part->frozen ? " and frozen" : "");
		if (!culprit || part->error.code != ERR_NONE)
			culprit = part;
	}
	err_set(answer, ERR_TIMEOUT, "\"%s\" took longer than %.0f s: %s", control_op_name(run->request.op),
	    (double)run->request.timeout_ms / 1000.0, list.len ? buf_str(&list) : "the sandbox is not set up yet");
	if (culprit && culprit->error.code != ERR_NONE)
		err_hint(answer, "last: %.300s; see \"%.150s\"", culprit->error.msg, culprit->spec.log_path);
	else if (culprit)
		err_hint(answer, "see its log \"%.300s\"", culprit->spec.log_path);
}

bool op_step(
    struct op_run *run, struct part_set *set, enum sandbox_phase *phase, int64_t now_ms, struct err *ret_answer)
{
	struct err answer = ERR_INIT;
	enum progress progress = step(run, set, phase, now_ms, &answer);

	if (progress == WORKING && now_ms < run->deadline_ms)
		return false;
	if (progress == WORKING)
		say_late(run, set, &answer);
	*ret_answer = answer;
	return true;
}
