#include "sandbox/kubelet/volumes.h"

#include "base/file.h"
#include "sandbox/kubelet/mounts.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool mounts_claim(const json_node *pod, const char *claim)
{
	for (const json_node *v = json_first(json_at(pod, "spec/volumes")); v; v = json_next(v))
		if (json_is_at(v, "persistentVolumeClaim/claimName", claim))
			return true;
	return false;
}

const json_node *claim_user(const struct world *w, const json_node *claim, const struct claim_users *users)
{
	for (const json_node *p = world_first(w, WORLD_PODS); p; p = json_next(p)) {
		bool runs = users && users->runs(users->ctx, object_uid(p));

		if (strcmp(object_namespace(p), object_namespace(claim)) != 0 || !mounts_claim(p, object_name(claim)))
			continue;
		if (runs || (json_text_at(p, "status/podIP") && !pod_finished(p)))
			return p;
	}
	return NULL;
}

static void volume_name(const json_node *claim, char ret[static 128])
{
	snprintf(ret, 128, "pvc-%s", object_uid(claim));
}

bool volume_make(const json_node *claim, struct json **ret, struct err *err)
{
	const char *class = json_text_at(claim, "spec/storageClassName");
	CLEANUP(json) struct json *doc = NULL;
	char name[128];

	volume_name(claim, name);
	if (!json_format(&doc, err,
		"{'apiVersion':'v1','kind':'PersistentVolume','metadata':{'name':%s,"
		"'annotations':{'pv.kubernetes.io/provisioned-by':'psmdb-sandbox'}},"
		"'spec':{'accessModes':%j,'capacity':%j,'persistentVolumeReclaimPolicy':'Delete','storageClassName':%s,"
		"'volumeMode':'Filesystem','hostPath':{'path':%s},"
		"'claimRef':{'apiVersion':'v1','kind':'PersistentVolumeClaim','namespace':%s,'name':%s,'uid':%s}}}",
		name, json_at(claim, "spec/accessModes"), json_at(claim, "spec/resources/requests"),
		class ? class : STORAGE_CLASS, name, object_namespace(claim), object_name(claim), object_uid(claim)))
		return false;
	*ret = TAKE(doc);
	return true;
}

/* --- a claim that lives ------------------------------------------------------------------------------------------ */

static bool make_volume(struct remote *r, const struct world *w, const json_node *claim, const char *name)
{
	CLEANUP(json) struct json *volume = NULL;
	CLEANUP(json) struct json *status = NULL;
	struct err err = ERR_INIT;
	bool ok;

	if (world_find(w, WORLD_VOLUMES, NULL, name))
		return true;
	if (!volume_make(claim, &volume, &err))
		return remote_result(r, false, "volume", &err);
	ok = json_format(&status, &err, "{'status':{'phase':'Bound'}}");
	if (!ok || !remote_create(r, WORLD_VOLUMES, json_root(volume)))
		return false;
	remote_patch(r, WORLD_VOLUMES, json_root(volume), "status", json_root(status));
	return true;
}

/* The directory is there before the claim says that it is bound. */
static bool make_directory(struct remote *r, const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct err err = ERR_INIT;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return remote_result(r, file_make_dirs(path, 0700, &err), "volume directory", &err);
}

static void bind(struct remote *r, const struct world *w, const json_node *claim, const char *dir)
{
	CLEANUP(json) struct json *patch = NULL;
	CLEANUP(json) struct json *status = NULL;
	struct err err = ERR_INIT;
	char name[128];

	volume_name(claim, name);
	if (!is_file_name(name) || !make_volume(r, w, claim, name) || !make_directory(r, dir, name))
		return;
	if (!json_text_at(claim, "spec/volumeName")) {
		if (!json_format(&patch, &err,
			"{'metadata':{'annotations':{'pv.kubernetes.io/bind-completed':'yes',"
			"'pv.kubernetes.io/bound-by-controller':'yes'}},'spec':{'volumeName':%s}}",
			name) ||
		    !remote_patch(r, WORLD_CLAIMS, claim, NULL, json_root(patch)))
			return;
	}
	if (json_format(&status, &err, "{'status':{'phase':'Bound','accessModes':%j,'capacity':%j}}",
		json_at(claim, "spec/accessModes"), json_at(claim, "spec/resources/requests")) &&
	    remote_patch(r, WORLD_CLAIMS, claim, "status", json_root(status)))
		log_line(r->log, LOG_INFO, "claim bound", "ns", object_namespace(claim), "claim", object_name(claim),
		    "volume", name, NULL);
}

/* With the version that was looked at: somebody else's finalizer must not get lost. */
static bool set_finalizers(struct remote *r, const json_node *claim, bool with)
{
	CLEANUP(json) struct json *patch = NULL;
	struct err err = ERR_INIT;
	bool ok = json_format(&patch, &err, "{'metadata':{'resourceVersion':%s,'finalizers':[]}}",
	    json_text_at(claim, "metadata/resourceVersion"));

	for (const json_node *f = json_first(json_at(claim, "metadata/finalizers")); ok && f; f = json_next(f))
		if (json_string(f) && strcmp(json_string(f), CLAIM_FINALIZER) != 0)
			ok = json_set_text(json_edit(patch), "metadata/finalizers/-", json_string(f), &err);
	if (ok && with)
		ok = json_set_text(json_edit(patch), "metadata/finalizers/-", CLAIM_FINALIZER, &err);
	return ok ? remote_patch(r, WORLD_CLAIMS, claim, NULL, json_root(patch))
		  : remote_result(r, false, "finalizers", &err);
}

static void sync_claim(
    struct remote *r, const struct world *w, const json_node *claim, const char *dir, const struct claim_users *users)
{
	bool protected = object_has_finalizer(claim, CLAIM_FINALIZER);

	if (object_deleting(claim)) {
		if (protected && !claim_user(w, claim, users) && set_finalizers(r, claim, false))
			log_line(r->log, LOG_INFO, "claim released", "ns", object_namespace(claim), "claim",
			    object_name(claim), NULL);
		return;
	}
	if (!protected && !set_finalizers(r, claim, true))
		return;
	if (!json_is_at(claim, "status/phase", "Bound") || !json_text_at(claim, "spec/volumeName"))
		bind(r, w, claim, dir);
}

/* --- a volume whose claim is gone -------------------------------------------------------------------------------- */

static void sync_volume(struct remote *r, const struct world *w, const json_node *volume, const char *dir)
{
	const char *ns = json_text_at(volume, "spec/claimRef/namespace"),
		   *uid = json_text_at(volume, "spec/claimRef/uid");
	const char *claim_name = json_text_at(volume, "spec/claimRef/name"), *name = object_name(volume);
	const json_node *claim;
	struct err err = ERR_INIT;
	char path[PATH_MAX];

	if (!ns || !uid || !claim_name || !is_file_name(name) ||
	    !json_is_at(volume, "spec/persistentVolumeReclaimPolicy", "Delete") ||
	    !json_is_at(volume, "metadata/annotations/pv.kubernetes.io~1provisioned-by", "psmdb-sandbox"))
		return;
	claim = world_find(w, WORLD_CLAIMS, ns, claim_name);
	if (claim && !strcmp(object_uid(claim), uid))
		return;
	/* There is no way back from here, so a cache is not believed. */
	if (!remote_is_gone(r, WORLD_CLAIMS, ns, claim_name, uid))
		return;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	if (remote_result(r, file_remove_tree(path, &err), "volume directory", &err) &&
	    remote_delete(r, WORLD_VOLUMES, volume, -1))
		log_line(r->log, LOG_INFO, "volume removed with its data", "volume", name, "claim", claim_name, NULL);
}

void volumes_sync(struct remote *r, const struct world *w, const char *dir, const struct claim_users *users)
{
	for (const json_node *c = world_first(w, WORLD_CLAIMS); c; c = json_next(c))
		sync_claim(r, w, c, dir, users);
	for (const json_node *v = world_first(w, WORLD_VOLUMES); v; v = json_next(v))
		sync_volume(r, w, v, dir);
}

void volumes_sweep(struct remote *r, const struct world *w, const char *dir)
{
	DIR *folder = opendir(dir);
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		char path[PATH_MAX];
		struct err err = ERR_INIT;

		if (strncmp(entry->d_name, "pvc-", 4) != 0 || world_find(w, WORLD_VOLUMES, NULL, entry->d_name) ||
		    snprintf(path, sizeof path, "%s/%s", dir, entry->d_name) >= (int)sizeof path ||
		    !remote_is_gone(r, WORLD_VOLUMES, NULL, entry->d_name, ""))
			continue;
		log_line(r->log, LOG_INFO, "volume removed", "volume", entry->d_name, "why",
		    "no PersistentVolume of this name", NULL);
		if (!file_remove_tree(path, &err))
			log_line(r->log, LOG_WARN, "volume not removed", "error", err.msg, NULL);
	}
	if (folder)
		closedir(folder);
}
