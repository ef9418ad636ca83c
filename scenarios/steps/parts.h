/* What several steps look at: the cluster under test, its backups and volumes, Kasten's objects. */
#ifndef SCENARIOS_STEPS_PARTS_H
#define SCENARIOS_STEPS_PARTS_H

#include "doc/yaml.h"
#include "psmdb/cluster.h"
#include "psmdb/deletion.h"
#include "psmdb/job.h"
#include "s3/s3.h"
#include "scenarios/drill_run.h"
#include "scenarios/steps/steps.h"

extern const struct step_def step_wait_cluster, step_check_blueprint, step_shard, step_start_ticker, step_tick,
    step_run_policy, step_find_restore_point, step_pin_bound, step_prove_restorable, step_disaster, step_restore,
    step_collect, step_describe, step_recheck_bucket, step_judge, step_fault, step_create_namespace, step_secret,
    step_release_backups, step_lose_namespace, step_recreate_namespace, step_keep_import, step_import_point,
    step_install_operator, step_leave_cluster, step_restore_secrets, step_restore_cluster, step_find_destination,
    step_restore_data, step_remove_operator, step_remove_namespace, step_remove_records, step_prove_removed,
    step_check_target;

/* Of a list; none where there is no list. */
#define EACH_ITEM(o, doc)                                                                                              \
	for (const json_node *o = (doc) ? json_first(json_at(json_root(doc), "items")) : NULL; o; o = json_next(o))

void kind_clusters(struct kube_kind *ret);
void kind_backups(struct kube_kind *ret);
void kind_restores(struct kube_kind *ret);
void kind_pods(struct kube_kind *ret);
void kind_volumes(struct kube_kind *ret);      /* PersistentVolumeClaims */
void kind_real_volumes(struct kube_kind *ret); /* PersistentVolumes */
void kind_secrets(struct kube_kind *ret);
void kind_namespaces(struct kube_kind *ret);
void kind_kasten(struct kube_kind *ret, const char *group, const char *plural, const char *kind);
void kind_blueprints(struct kube_kind *ret);

/* The psmdb's name: the argument "cluster", else the parameter. The policy's: likewise. */
const char *part_cluster(struct drill *d, const json_node *args);
const char *part_policy(struct drill *d, const json_node *args);
bool part_read_cluster(
    struct drill *d, const char *name, struct json **ret_doc, struct psmdb_cluster *ret, struct err *err);

/*
 * An error with its known cause: sets err (ERR_STATE, what, text), the hint and the run's failure if a signature fits the text.
 * Returns false.
 */
bool part_fail(struct drill *d, struct err *err, const char *what, const char *text);
/* What of a kind is in the namespace, by name, as " a b c ": to know what is new later. */
bool part_names(struct drill *d, const struct kube_kind *kind, struct buf *out, struct err *err);
bool part_is_named(const char *names, const char *name); /* names may be NULL */
/* A short sleep while something is asked again; false (ERR_INTERRUPTED) if the run is stopped. */
bool part_pause(struct drill *d, int64_t ms, struct err *err);
/*
 * The same with a pause that doubles from 25 ms up to most_ms, and begins anew when drill_saw has seen a change: one change often
 * comes soon after another.
 */
struct part_pace {
	uint64_t changes;
	int64_t ms;
};
bool part_pause_pace(struct drill *d, struct part_pace *pace, int64_t most_ms, struct err *err);
int64_t part_now_ms(struct drill *d); /* monotonic */

/* A map of texts (or null): what labels and annotations are. YAML makes booleans and numbers of words without quotes. */
bool part_texts(const json_node *map, const char *what, struct err *err);
/* What is there; *ret NULL: nothing of this name. */
bool part_look(struct drill *d, const struct kube_kind *kind, const char *namespace_, const char *name,
    struct json **ret, struct err *err);

/*
 * Refuses (ERR_STATE) unless the backup is ready, was pinned by this run, survives what is going to be deleted, and the
 * evidence is enough for a verdict.
 */
bool part_prove(struct drill *d, const struct psmdb_deletion *deletion, struct err *err);
/* Refuses unless this backup (NULL: every one in the namespace) keeps its files through the deletion. */
bool part_backups_survive(struct drill *d, const struct psmdb_deletion *deletion, const char *name, struct err *err);
/*
 * Keeps where the backup is, for when its object is gone: values "destination" (s3://BUCKET/PREFIX/NAME), "backup-s3" (as JSON, in
 * the shape of spec.backupSource.s3), "backup-type" and "storage-secret".
 */
bool part_keep_place(struct drill *d, const struct psmdb_job *backup, struct err *err);

/*
 * May these PVCs of the namespace be lost (name: one; select: those; neither: all)? A psmdb's own may, others only with
 * --confirm-pvc. Once the run has begun with the disaster, what was agreed then stays agreed (value PART_CLAIMS): whose
 * a PVC is cannot be seen without its psmdb. ret (may be NULL): the list that was judged; what is deleted is what it holds.
 */
#define PART_CLAIMS "claims"
bool part_volumes_agreed(
    struct drill *d, const char *name, const struct kube_select *select, struct json **ret, struct err *err);
/* Before a psmdb is deleted: which PVCs are a psmdb's, for later. */
bool part_keep_claims(struct drill *d, struct err *err);
/* Deletes this very object (by uid). One that is gone, or being deleted already, is no error. */
bool part_delete(struct drill *d, const struct kube_kind *kind, const json_node *object, struct err *err);

/*
 * What a step "delete" selects, a list. *ret NULL: the server does not know the kind, and need not (required: false). An error says if
 * the step may not select it at all.
 */
bool part_selected(
    struct drill *d, const json_node *args, struct kube_kind *ret_kind, struct json **ret, struct err *err);
/*
 * May this object be deleted? In the namespace under test, yes. Elsewhere only if this run has made it, or if it is named by
 * --confirm-delete and nobody else uses it. The first is for check(): what would have to be named is kept (drill.h). name: its own, or
 * "*" for one of several.
 */
bool part_ask_delete(
    struct drill *d, const struct kube_kind *kind, const json_node *object, const char *name, struct err *err);
bool part_may_delete(
    struct drill *d, const struct kube_kind *kind, const json_node *object, const char *name, struct err *err);
/* Does somebody outside of the namespace under test use it: a policy, a psmdb, a profile, an object of the kind? Then ERR_STATE. */
bool part_unused(struct drill *d, const struct kube_kind *kind, const json_node *object, struct err *err);
/* Does an operator in the namespace under test watch others, too, in which there are psmdbs? Then ERR_STATE. */
bool part_operator_unused(struct drill *d, struct err *err);
/* Deletes this very one, and waits until it is gone (limit_ms 0: does not wait). */
bool part_remove(
    struct drill *d, const struct kube_kind *kind, const json_node *object, int64_t limit_ms, struct err *err);
/* The operator's manifest: the argument "file", else the option --operator. */
bool part_read_operator(struct drill *d, const json_node *args, struct yaml_docs *ret, struct err *err);
/* One object of it as it is in the cluster; *ret NULL: it is not there, or goes with the namespace under test. */
bool part_installed(
    struct drill *d, const json_node *object, struct kube_kind *ret_kind, struct json **ret, struct err *err);
/*
 * Is this a record of Kasten's that step "remove-records" with these arguments is about? *ret_policy: --confirm-delete must name it
 * for that; NULL: the namespace is reason enough.
 */
bool part_is_record(struct drill *d, const json_node *args, const json_node *o, const char **ret_policy);
/* Deletes the namespace under test, which must have no psmdb any more, and waits until it is gone. */
bool part_end_namespace(struct drill *d, int64_t limit_ms, struct err *err);
/* The list, or *ret NULL: the server does not know the kind (any more). */
bool part_list_known(
    struct drill *d, const struct kube_kind *kind, const char *namespace_, struct json **ret, struct err *err);

/*
 * May this object be applied, by the locks of a scenario? leave_shared: what belongs to the whole cluster and is there already is
 * nobody's to change, and no error (PART_LEAVE).
 */
enum part_apply { PART_MAKE, PART_CHANGE, PART_LEAVE };
bool part_may_apply(struct drill *d, const json_node *object, bool leave_shared, struct kube_kind *ret_kind,
    enum part_apply *ret, struct err *err);

/* err: what applying an object of it has failed with. Names the cause if another field manager is in the way. Returns false. */
bool part_operator_refused(struct drill *d, struct err *err);

/*
 * Credentials of the storage's bucket as environment for psmdb-verify, and its options. The environment is wiped by
 * part_bucket_clear.
 */
struct part_bucket {
	char access[300], secret[600];
	const char *env[3];
	struct psmdb_storage storage;
};
bool part_bucket_open(struct drill *d, struct part_bucket *ret, struct err *err);
/* Runs "psmdb-verify bound" on that bucket: its options, then these (ended by NULL). */
bool part_bucket_bound(struct drill *d, const struct part_bucket *b, const char *const *options, int *ret_status,
    struct buf *out, struct err *err);
/* A client of that bucket. */
bool part_bucket_client(struct drill *d, const struct part_bucket *b, struct s3 **ret, struct err *err);
/* Asks the bucket itself, with the storage's keys: is it what is behind a failed backup? Then the run's failure says so. */
void part_bucket_blame(struct drill *d);
void part_bucket_clear(struct part_bucket *b);
#define PART_BUCKET_CLEANUP __attribute__((cleanup(part_bucket_clear)))

/*
 * Events clock (the cluster under test, until it is left) and clock.target (the other one, if there is one): their wall clocks less
 * the drill's. What cannot be compared is left out. Within ten seconds, and before the cluster is left, they are not compared again; one that did not answer is asked again.
 * Takes PART_CLOCKS_MS at most where the servers answer quickly.
 */
#define PART_CLOCKS_MS 2500
bool part_note_clocks(struct drill *d, struct err *err);

/* A pod of this project from a manifest, fitted to the run: address, secret, names. */
bool part_pod(struct drill *d, const json_node *args, struct json **ret, struct err *err);
/* ERR_EXISTS if a pod of the manifest's name is there that this run has not made: another drill may be running. */
bool part_pod_free(struct drill *d, const json_node *args, struct err *err);
/*
 * Runs a pod of this project (arguments file, image, cluster, timeout; without the last, limit_ms) to its end and hands its log to keep(); then removes it. flag (may be
 * NULL): one more argument. A pod that fails stays, its log in the run's file log_name; err is its last line.
 */
typedef bool (*part_pod_log)(struct drill *d, const struct buf *log, const void *ctx, struct err *err);
bool part_run_pod(struct drill *d, const json_node *args, const char *flag, const char *log_name, int64_t limit_ms,
    part_pod_log keep, const void *ctx, struct err *err);
/* Replaces the word behind an option of the first container; adds both if the option is not there. value NULL: a flag. */
bool part_pod_option(json_node *pod, const char *option, const char *value, struct err *err);

#endif
