/* The pbm command line, run with a sandbox's credentials. PBM takes its connection from PBM_MONGODB_URI alone: it is in
 * the child's environment, never in an argument. */
#ifndef PARTS_PBM_H
#define PARTS_PBM_H

#include "base/proc.h"
#include "sandbox/parts/layout.h"
#include "sandbox/parts/secrets.h"
#include "sandbox/parts/set.h"

#define PBM_OUTPUT_MAX ((size_t)1 << 20)
#define PBM_NAME_MAX 32

struct pbm {
	const struct layout *layout;
	const struct secrets *secrets;
	const struct clock *clock;
	const volatile int *stop; /* NULL: cannot be interrupted */
};

/* What a child needs to run any pbm command: argv (pbm and args), environment. To be cleared by pbm_command_clear. */
struct pbm_command {
	struct strings argv, env_set, env_unset;
	struct proc_spec proc;
};
bool pbm_command_make(
    const struct pbm *pbm, const char *const *args, size_t count, struct pbm_command *ret, struct err *err);
void pbm_command_clear(struct pbm_command *command);

/* Runs it to the end; output and exit status are appended to logs/pbm.log, too. A failing pbm is not an error of this
 * function. */
bool pbm_run(const struct pbm *pbm, const char *const *args, size_t count, int64_t timeout_ms, struct buf *out,
    struct proc_exit *ret_exit, struct err *err);
/* The same, and a failing pbm is ERR_CHILD with PBM's own words. */
bool pbm_need(
    const struct pbm *pbm, const char *const *args, size_t count, int64_t timeout_ms, struct buf *out, struct err *err);

/* Storage and options, through a temporary file (0600). */
bool pbm_configure(const struct pbm *pbm, int64_t timeout_ms, struct err *err);
/* Each member has an agent that PBM calls good, and no operation is running. */
bool pbm_wait_idle(const struct pbm *pbm, int64_t timeout_ms, struct err *err);
/* Reads the backup list from the store again, and waits until that is done. */
bool pbm_resync(const struct pbm *pbm, int64_t timeout_ms, struct err *err);

/* The backup's name in the output of "pbm backup". */
bool pbm_backup_name(const char *output, char ret[static PBM_NAME_MAX]);
/* PBM's own outcome: its last line that says "Error" or else its last line, made harmless. */
void pbm_last_words(const char *output, char *ret, size_t size);

#endif
