/*
 * The pbm command line, for whoever has the hosts and the credentials. PBM takes its connection from PBM_MONGODB_URI
 * alone: it is in the child's environment, never in an argument. The storage's credentials go through its stdin.
 */
#ifndef PARTS_PBM_H
#define PARTS_PBM_H

#include "base/clock.h"
#include "base/proc.h"
#include "sandbox/parts/spec.h"

#define PBM_OUTPUT_MAX ((size_t)1 << 20)
#define PBM_NAME_MAX 32

struct pbm {
	const char *binary;
	const char *home; /* its HOME: neither ~/.aws nor anything else of whoever runs this */
	const char *set_name;
	const char *const *hosts; /* "127.0.0.11:27017" */
	int members;
	const char *user, *password;
	const char *log_path; /* what pbm said is appended there; NULL: nowhere */
	const struct clock *clock;
	const volatile int *stop; /* NULL: cannot be interrupted */
};

/* Where backups go, and how. */
struct pbm_storage {
	const char *endpoint, *region, *bucket, *prefix; /* endpoint "": Amazon's */
	const char *access_key, *secret_key;
	bool insecure;		 /* verify no certificate */
	const char *compression; /* NULL: PBM's default */
};

/* What a child needs to run any pbm command: argv (pbm and args), environment. To be cleared by pbm_command_clear. */
struct pbm_command {
	struct strings argv, env_set, env_unset;
	struct proc_spec proc;
};
bool pbm_command_make(
    const struct pbm *pbm, const char *const *args, size_t count, struct pbm_command *ret, struct err *err);
void pbm_command_clear(struct pbm_command *command);

/* Runs it to the end; output and exit status are appended to the log, too. A failing pbm is not an error of this
 * function. */
bool pbm_run(const struct pbm *pbm, const char *const *args, size_t count, int64_t timeout_ms, struct buf *out,
    struct proc_exit *ret_exit, struct err *err);
/* The same, and a failing pbm is ERR_CHILD with PBM's own words. */
bool pbm_need(
    const struct pbm *pbm, const char *const *args, size_t count, int64_t timeout_ms, struct buf *out, struct err *err);

/*
 * A nameless file (memfd) that holds the storage and options as pbm reads them, at its beginning: to be the stdin of
 * "pbm config --file /dev/stdin". The credentials are on no disk.
 */
bool pbm_config_file(const struct pbm_storage *storage, int *ret_fd, struct err *err);
#define PBM_CONFIG_ARGS                                                                                                \
	{                                                                                                              \
		"config", "--file", "/dev/stdin"                                                                       \
	}
#define PBM_CONFIG_ARG_COUNT 3

bool pbm_configure(const struct pbm *pbm, const struct pbm_storage *storage, int64_t timeout_ms, struct err *err);
/* Each member has an agent that PBM calls good, and no operation is running. */
bool pbm_wait_idle(const struct pbm *pbm, int64_t timeout_ms, struct err *err);
/* Reads the backup list from the store again, and waits until that is done. */
bool pbm_resync(const struct pbm *pbm, int64_t timeout_ms, struct err *err);

/*
 * What "pbm status --out json" says of the agents and the running operation. ret_why: why it is not idle, one line for
 * people. A newer PBM's warnings in front of the JSON are skipped.
 */
enum pbm_readiness {
	PBM_IDLE,    /* each of the members has a good agent, and nothing runs */
	PBM_NOT_YET, /* something runs, or an agent is missing or not good */
	PBM_STORAGE, /* nothing runs and all agents are there, but they cannot use the storage */
};
#define PBM_STATUS_ARGS                                                                                                \
	{                                                                                                              \
		"status", "--out", "json", "--sections", "cluster", "--sections", "running"                            \
	}
#define PBM_STATUS_ARG_COUNT 7
enum pbm_readiness pbm_status_read(const char *output, int members, char *ret_why, size_t size);

/* The backup's name in the output of "pbm backup". */
bool pbm_backup_name(const char *output, char ret[static PBM_NAME_MAX]);
/* PBM's own outcome: its last line that says "Error" or else its last line, made harmless. */
void pbm_last_words(const char *output, char *ret, size_t size);

#endif
