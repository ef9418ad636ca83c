/*
 * Inside of this room: kubeconfig files as documents. Several of them are looked at as one: the first that has a name
 * in a list wins.
 */
#ifndef KUBE_CONFIG_FILE_H
#define KUBE_CONFIG_FILE_H

#include "doc/json.h"
#include "doc/yaml.h"
#include "kube/config.h"

#define KUBE_CONFIG_FILES_MAX 16
#define KUBE_PEM_MAX (1 << 20)

struct config_file {
	struct yaml_docs docs;
	char path[PATH_MAX]; /* for messages */
	char dir[PATH_MAX];  /* what relative paths are relative to */
};

struct config_files {
	struct config_file items[KUBE_CONFIG_FILES_MAX];
	size_t count;
};
void config_files_clear(struct config_files *files);
#define CONFIG_FILES_CLEANUP __attribute__((cleanup(config_files_clear)))

/* missing_ok: a file that is not there counts as empty. */
bool config_files_read(struct config_files *files, const char *path, bool missing_ok, struct err *err);
/* From a text; the path is for messages, and its folder for relative paths. */
bool config_files_parse(struct config_files *files, const char *path, const char *text, size_t len, struct err *err);

/* The context (NULL or "": current-context) with its cluster and user, as a configuration. */
bool config_files_resolve(
    const struct config_files *files, const char *context, struct kube_config *ret, struct err *err);

/* A relative path is made absolute by its file's folder. */
bool config_file_path(const struct config_file *file, const char *path, char ret[static PATH_MAX], struct err *err);
/* The user's exec section. */
bool config_exec(const struct config_file *file, const json_node *exec, const json_node *cluster,
    const struct kube_config *so_far, struct kube_exec **ret, struct err *err);

#endif
