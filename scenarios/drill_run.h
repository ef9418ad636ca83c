/* The inside of a run: what the commands run, explain and cleanup share. Steps see scenarios/drill.h alone. */
#ifndef SCENARIOS_DRILL_RUN_H
#define SCENARIOS_DRILL_RUN_H

#include "base/opt.h"
#include "scenarios/drill.h"
#include "scenarios/run_state.h"
#include "scenarios/scenario.h"
#include "scenarios/show.h"

#include <sys/types.h>

#define DRILL_PATHS_MAX 16

struct drill_options {
	const char *kubeconfig, *context;
	const char *to_kubeconfig, *to_context; /* of another cluster, into which is restored; both NULL: none */
	const char *confirm_destroy;
	const char *max_rpo, *max_rto;
	const char *operator_file; /* the manifest that step install-operator applies */
	const char *namespace_;	   /* the parameter of that name */
	struct opt_list set, confirm_pvc, confirm_delete, secret_env;
	bool allow_faults, allow_cluster_changes;
};

struct drill {
	char dir[PATH_MAX];    /* "" while there is none (explain) */
	char folder[PATH_MAX]; /* the scenario's */
	char share[PATH_MAX];  /* "" if there is none */
	char namespace_[KUBE_NAME_MAX];
	const struct drill_options *options;
	const struct clock *clock;
	const volatile int *stop;
	int stop_fd;
	struct scenario scenario;
	struct run_state state;	       /* doc NULL while there is none */
	struct json *parameters;       /* from the scenario and --set */
	struct kube *kube, *elsewhere; /* elsewhere: NULL without --to-context */
	struct show show;
	struct json *unconfirmed; /* what --confirm-delete must name, "KIND/NAME" each; NULL: nothing so far */
	uint64_t changes;	  /* that drill_saw has seen */
	int64_t signed_ms;	  /* the newest sign of life, monotonic */
	int64_t compared_ms;	  /* when the clocks were compared last, monotonic; 0: not yet */
	int64_t rested_ms;	  /* a run that is taken up again: so long; -1: not known */
	struct json *going;	  /* what the steps checked so far are going to delete of Kasten's; likewise */
	int lock_fd;		  /* held while the run's directory is at work; 0: none */
	size_t step;		  /* the one that runs; it says to which cluster drill_kube leads */
	struct err failure;	  /* the first known failure behind an error: message and hint */
	char failure_code[64];
	struct {
		char name[64];
		char path[PATH_MAX];
	} paths[DRILL_PATHS_MAX];
	size_t path_count;
	struct { /* the follower */
		bool wanted;
		pid_t pid;
		int64_t started_ms;
		unsigned restarts;
		char namespace_[KUBE_NAME_MAX], pod[KUBE_NAME_MAX], container[KUBE_NAME_MAX];
	} follow;
};

/* Reads the scenario and settles the parameters: ERR_USAGE for a --set that names none. */
bool drill_open(struct drill *d, const char *scenario_path, struct buf *text, struct err *err);
bool drill_connect(struct drill *d, struct err *err);
void drill_close(struct drill *d);
/* The step's arguments, filled in. */
bool drill_args(struct drill *d, size_t step, bool strict, struct json **ret, struct err *err);
/* Its title: the file's, or what describe says. */
bool drill_title(struct drill *d, size_t step, const json_node *args, struct buf *out, struct err *err);
const char *drill_kasten(struct drill *d); /* Kasten's namespace */
/* Locks and check() of every step from this one on. */
bool drill_check(struct drill *d, size_t from, struct err *err);
/* Runs all steps from the state's next one on. *ret_status: the verdict's, if a step has judged. */
bool drill_run(struct drill *d, int *ret_status, struct err *err);
struct verdict;
/* verdict.json, and the reports; show: the text one as lines of the story. When, by whom and of which drill is filled in. */
bool drill_write_verdict(struct drill *d, struct verdict *v, bool show, struct err *err);
/* One with the result ERROR. */
bool drill_write_error(struct drill *d, const struct err *why, struct err *err);
/* Ends the follower's child if it runs; looks after it otherwise. */
void drill_mind_follower(struct drill *d);

#endif
