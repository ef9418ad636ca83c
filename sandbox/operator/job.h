/*
 * One operation of PBM for one cluster, step by step, by its command line: nothing here waits. Steps can be taken again;
 * what was sent before this process lived is looked for first (adopt).
 *
 *   backup:  [adopt] → config → agents → send → poll → end
 *   restore: [adopt] → config → agents → resync → agents again → known → send → poll → end
 *   delete:  agents → send → end
 */
#ifndef OPERATOR_JOB_H
#define OPERATOR_JOB_H

#include "sandbox/operator/answer.h"
#include "sandbox/operator/child.h"
#include "sandbox/operator/cr.h"
#include "sandbox/parts/pbm.h"

enum job_kind { JOB_FREE, JOB_BACKUP, JOB_RESTORE, JOB_DELETE };

/* X(id, text) */
#define JOB_STEPS(X)                                                                                                   \
	X(ADOPT, "adopt")                                                                                              \
	X(CONFIG, "config")                                                                                            \
	X(AGENTS, "agents")                                                                                            \
	X(RESYNC, "resync")                                                                                            \
	X(AGENTS_AGAIN, "agents again")                                                                                \
	X(KNOWN, "known")                                                                                              \
	X(SEND, "send")                                                                                                \
	X(POLL, "poll")                                                                                                \
	X(END, "end")
enum job_step {
#define X(id, text) STEP_##id,
	JOB_STEPS(X)
#undef X
	    STEP_COUNT
};
const char *pbm_job_step_text(enum job_step step);

/* What a job is to do; copied. */
struct pbm_order {
	enum job_kind kind;
	char uid[64]; /* of the object that it is for */
	char endpoint[512], region[64], bucket[256], prefix[1024], access_key[256], secret_key[512];
	bool insecure;
	char compression[16];
	int64_t level;		      /* -1: PBM's default */
	char backup[ANSWER_NAME_MAX]; /* to restore or delete */
	char point[24];		      /* restore to this time; "": the backup alone */
	char name[ANSWER_NAME_MAX];   /* sent before: go on polling */
	int64_t adopt_since_ms;	      /* 0, or: sent at about that time, name not known */
};

struct pbm_job {
	struct pbm_order order;
	enum job_step step;
	struct child child;
	int64_t due_ms, limit_ms; /* when the step is taken next; when it is given up */
	int polls;
	char doubt[410]; /* what may explain a refusal; "" */
	bool may_send;	 /* the object says that something is going to be sent */

	/* what came of it */
	char name[ANSWER_NAME_MAX]; /* PBM's; "": not known yet */
	bool answered;		    /* answer is about name */
	struct answer answer;
	bool unknown; /* PBM does not know order.backup */
	bool failed;
	char error[ANSWER_TEXT_MAX + 500];
};

#define JOB_INIT                                                                                                       \
	{                                                                                                              \
		.child = CHILD_INIT                                                                                    \
	}

void pbm_job_begin(struct pbm_job *j, const struct pbm_order *order, const struct clock *clock);
/* Kills what runs; what PBM's agents do goes on. The job is free. */
void pbm_job_free(struct pbm_job *j);
/* Takes what can be taken now. agents: how many there must be. True: something changed. */
bool pbm_job_tick(struct pbm_job *j, const struct pbm *pbm, int agents, struct err *err);
/* When to call pbm_job_tick again at the latest, beside when child.fd is readable; INT64_MAX: never. */
int64_t pbm_job_due_ms(const struct pbm_job *j);
bool pbm_job_is_for(const struct pbm_job *j, enum job_kind kind, const char *uid);

/* The arguments of pbm for the job's step: pure, for tests. At most JOB_ARGS_MAX. */
#define JOB_ARGS_MAX 10
struct pbm_job_args {
	const char *items[JOB_ARGS_MAX];
	size_t count;
	char text[2][64]; /* composed ones */
};
void pbm_job_step_args(const struct pbm_job *j, struct pbm_job_args *ret);

#endif
