/*
 * What the stories about the Kasten stand-in are told with: a cluster with its API server, the stand-in as a process, the operator that
 * this program plays, and waiting.
 */
#ifndef TESTS_KASTEN_STORY_H
#define TESTS_KASTEN_STORY_H

#include "base/file.h"
#include "base/proc.h"
#include "doc/yaml.h"
#include "kube/client.h"
#include "s3/s3.h"
#include "tests/support/kube_api_fixture.h"
#include "tests/support/tap.h"
#include "tests/support/weed_fixture.h"

#include <signal.h>
#include <string.h>

#define CLUSTER "my-cluster-name"
#define NS "mongo-ns"
#define WAIT_MS 60000
#define RECEIVE_MAX 4200

enum {
	BACKUP,
	RESTORE,
	PSMDB,
	POLICY,
	PROFILE,
	RUN,
	BACKUP_ACTION,
	RESTORE_ACTION,
	RETIRE,
	POINT,
	CONTENT,
	SECRET,
	NAMESPACE,
	CONFIGMAP,
	IMPORT,
	EXPORT,
	KINDS
};
struct story {
	struct tap tap;
	struct kube_api_fixture *api;
	struct kube *kube;
	struct kube_kind kinds[KINDS];
	char dir[200], store[256], log[256];
	struct weed_fixture *weed;
	pid_t kasten;
	const char *backup_ends; /* "ready" or "error": what the operator makes of backups */
	bool operator_works;
};

#define NEED(call)                                                                                                     \
	do {                                                                                                           \
		struct err err = ERR_INIT;                                                                             \
		if (!(call)) {                                                                                         \
			printf("Bail out! %s: %s\n", #call, err.msg);                                                  \
			exit(1);                                                                                       \
		}                                                                                                      \
	} while (0)

typedef bool condition(struct story *s, const void *arg);

/* --- kasten_story.c */
struct json *list(struct story *s, int kind);
size_t count(struct story *s, int kind);
struct json *get(struct story *s, int kind, const char *name);
const char *seen(struct story *s, int kind, const char *name, const char *path);
void set_status(struct story *s, int kind, const char *name, const char *state, const char *error);
void create(struct story *s, int kind, const json_node *object, char ret_name[static 254]);
void apply(struct story *s, const char *file);
void apply_profile(struct story *s);
size_t exported_objects(const struct story *s);
struct json *manifest(const char *file);
void delete (struct story *s, int kind, const char *name);
void operate(struct story *s);
void pause_ms(int64_t ms);
bool await(struct story *s, condition *holds, const void *arg);
bool await_value(struct story *s, int kind, const char *name, const char *path, const char *value);
const char *await_end(struct story *s, int kind, const char *name);
bool await_count(struct story *s, int kind, size_t n);
void start_kasten(struct story *s);
void kill_kasten(struct story *s);
bool open_cluster(struct story *s, struct weed_fixture *weed, char *why, size_t size);
void close_cluster(struct story *s, bool keep);

/* --- kasten_test.c: one cluster */
void make_namespaces(struct story *s);
void validation(struct story *s);
void restore(struct story *s, const char *point, const char *filters, char ret_name[static 254]);

/* --- kasten_elsewhere.c: another cluster, and a namespace that is lost */
void import_elsewhere(struct story *s, struct story *other);
void export_by_hand(struct story *s, struct story *other);
void a_namespace_is_lost(struct story *s);
void the_bucket_is_away(struct story *other);

#endif
