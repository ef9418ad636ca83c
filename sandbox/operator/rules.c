#include "sandbox/operator/rules.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *text;
	bool final;
} states[JOB_STATE_COUNT] = {
#define X(id, text, final) {text, final},
    JOB_STATES(X)
#undef X
};

/* From each state to these. */
static const unsigned moves[JOB_STATE_COUNT] = {
    [JOB_NONE] = 1u << JOB_WAITING | 1u << JOB_REQUESTED | 1u << JOB_ERROR,
    [JOB_WAITING] = 1u << JOB_REQUESTED | 1u << JOB_ERROR,
    [JOB_REQUESTED] = 1u << JOB_RUNNING | 1u << JOB_READY | 1u << JOB_ERROR,
    [JOB_RUNNING] = 1u << JOB_READY | 1u << JOB_ERROR,
    /* a backup that cannot be deleted becomes one in error */
    [JOB_READY] = 1u << JOB_ERROR,
};

const char *job_state_text(enum job_state state)
{
	return states[state].text;
}

enum job_state job_state_of(const json_node *object)
{
	const char *text = json_text_at(object, "status/state");

	for (int i = 0; i < JOB_STATE_COUNT; i++)
		if (!strcmp(states[i].text, text ? text : ""))
			return (enum job_state)i;
	return JOB_ERROR;
}

bool job_state_final(enum job_state state)
{
	return states[state].final;
}

bool job_may_become(enum job_state from, enum job_state to)
{
	return from == to || moves[from] & 1u << to;
}

static const char *text_of(const json_node *node, const char *key)
{
	const char *text = json_text_at(node, key);

	return text ? text : "";
}

bool storage_read(const json_node *s3, struct storage *ret)
{
	if (!json_is_object(s3))
		return false;
	*ret = (struct storage){s3, text_of(s3, "bucket"), text_of(s3, "prefix"), text_of(s3, "region"),
	    text_of(s3, "endpointUrl"), text_of(s3, "credentialsSecret"),
	    json_bool_at(s3, "insecureSkipTLSVerify", false)};
	return true;
}

bool storage_of(const json_node *psmdb, const char *name, struct storage *ret, struct err *err)
{
	const json_node *storage = json_get(json_at(psmdb, "spec/backup/storages"), name);

	if (!storage)
		return err_set(err, ERR_NOT_FOUND, "unable to get storage '%.200s'", name);
	if (!json_is_at(storage, "type", "s3") || !storage_read(json_at(storage, "s3"), ret)) {
		err_set(err, ERR_UNSUPPORTED, "unsupported backup storage type: %.60s", text_of(storage, "type"));
		return err_hint(err, "the sandbox has an S3 server only");
	}
	return true;
}

void storage_destination(const struct storage *s, const char *pbm_name, char *ret, size_t size)
{
	int len = (int)strlen(s->prefix);

	while (len && s->prefix[len - 1] == '/')
		len--;
	snprintf(ret, size, "%.*s%s%s", len, s->prefix, len ? "/" : "", pbm_name);
}

bool destination_name(const char *destination, char ret[static ANSWER_NAME_MAX])
{
	const char *name = strrchr(destination, '/');
	int64_t when;

	name = name ? name + 1 : destination;
	if (strlen(name) >= ANSWER_NAME_MAX || !time_parse(name, &when))
		return false;
	strcpy(ret, name);
	return true;
}

const char *job_cluster(const json_node *object)
{
	const char *name = json_text_at(object, "spec/clusterName");

	if (!name || !*name)
		name = json_text_at(object, "spec/psmdbCluster");
	return name && *name ? name : NULL;
}

static bool refuse(struct err *err, const char *text)
{
	return err_set(err, ERR_STATE, "%s", text);
}

bool backup_check(const json_node *backup, const json_node *psmdb, struct err *err)
{
	const char *state = text_of(psmdb, "status/state"), *storage = text_of(backup, "spec/storageName");
	const char *type = text_of(backup, "spec/type");
	struct storage found;

	if (!*storage)
		return refuse(err, "spec storageName field is empty");
	if (!job_cluster(backup))
		return refuse(err, "spec clusterName and deprecated psmdbCluster fields are empty");
	if (!psmdb)
		return refuse(err, "cluster not found");
	if (json_bool_at(psmdb, "spec/unmanaged", false))
		return refuse(err, "failed to run backup: backups are not allowed on unmanaged clusters");
	if (strcmp(state, "ready") && !json_bool_at(psmdb, "spec/allowUnsafeConfigurations", false))
		return err_set(err, ERR_STATE,
		    "failed to run backup: allowUnsafeConfigurations must be true to run backup on cluster with status "
		    "%.60s",
		    state);
	if (!json_bool_at(psmdb, "spec/backup/enabled", false))
		return refuse(err, "failed to run backup: backups are not enabled on this cluster");
	if (*type && strcmp(type, "logical"))
		return err_set(err, ERR_UNSUPPORTED, "failed to run backup: the sandbox makes logical backups only");
	return storage_of(psmdb, storage, &found, err);
}

static bool read_point(const json_node *restore, struct restore_source *s, struct err *err)
{
	const json_node *pitr = json_at(restore, "spec/pitr");
	const char *type = text_of(pitr, "type"), *date = text_of(pitr, "date");
	char text[32];
	int64_t when;

	if (!json_is_object(pitr))
		return true;
	if (!strcmp(type, "latest")) {
		s->latest = true;
		return true;
	}
	if (strcmp(type, "date"))
		return err_set(err, ERR_STATE, "undefined pitr restore type: %.60s", type);
	if (!*date)
		return refuse(err, "date is required for pitr restore by date");
	/* "YYYY-MM-DD HH:MM:SS" */
	if (strlen(date) == 19 && date[10] == ' ') {
		snprintf(text, sizeof text, "%sZ", date);
		text[10] = 'T';
		if (time_parse(text, &when)) {
			snprintf(s->point, sizeof s->point, "%.19s", text);
			return true;
		}
	}
	return err_set(err, ERR_STATE, "parsing time \"%.40s\" as \"2006-01-02 15:04:05\"", date);
}

static bool check_fields(const json_node *restore, struct err *err)
{
	const json_node *source = json_at(restore, "spec/backupSource");
	const char *backup = text_of(restore, "spec/backupName"), *destination = text_of(source, "destination");

	if (!job_cluster(restore))
		return refuse(err, "spec clusterName field is empty");
	if (!*backup && !json_is_object(source))
		return refuse(err, "one of backupName or backupSource is required");
	if (*backup)
		return true;
	if (!*destination)
		return refuse(err, "backupSource destination is required");
	if (strncmp(destination, "s3://", 5))
		return refuse(err, "backupSource destination should use s3 protocol format");
	if (!*text_of(restore, "spec/storageName") && !json_is_object(json_at(source, "s3")) &&
	    !json_is_object(json_at(source, "azure")))
		return refuse(err, "one of storageName, backupSource.s3 or backupSource.azure is required");
	return true;
}

static bool source_of_object(const json_node *restore, const json_node *backup, struct restore_source *s,
    const char **ret_storage, bool *ret_later, struct err *err)
{
	if (!backup)
		return err_set(err, ERR_NOT_FOUND, "perconaservermongodbbackups.psmdb.percona.com \"%.253s\" not found",
		    text_of(restore, "spec/backupName"));
	if (job_state_of(backup) != JOB_READY) {
		*ret_later = true;
		return true;
	}
	*ret_storage = text_of(backup, "spec/storageName");
	return destination_name(text_of(backup, "status/pbmName"), s->backup) ||
	       refuse(err, "the backup does not tell its name in PBM");
}

bool restore_check(const json_node *restore, const json_node *psmdb, const json_node *backup,
    struct restore_source *ret, bool *ret_later, struct err *err)
{
	const char *cluster = job_cluster(restore), *storage = text_of(restore, "spec/storageName");
	struct restore_source s = {0};
	bool later = false;

	if (!check_fields(restore, err) || !read_point(restore, &s, err))
		return false;
	if (*text_of(restore, "spec/backupName")) {
		if (!source_of_object(restore, backup, &s, &storage, &later, err))
			return false;
	} else if (!destination_name(text_of(restore, "spec/backupSource/destination"), s.backup)) {
		return refuse(err, "backupSource destination does not end in a backup's name");
	}
	if (!psmdb)
		return err_set(err, ERR_NOT_FOUND,
		    "get cluster %.253s/%.253s: perconaservermongodbs.psmdb.percona.com "
		    "\"%.253s\" not found",
		    text_of(restore, "metadata/namespace"), cluster, cluster);
	if (json_bool_at(psmdb, "spec/unmanaged", false))
		return refuse(err, "cluster is unmanaged");
	if (!later && *storage) {
		if (!storage_of(psmdb, storage, &s.storage, err))
			return err_wrap(err, "get storage");
	} else if (!later && !storage_read(json_at(restore, "spec/backupSource/s3"), &s.storage)) {
		return err_set(err, ERR_UNSUPPORTED, "get storage: the sandbox has an S3 server only");
	}
	*ret = s;
	*ret_later = later;
	return true;
}

enum job_state job_after(enum job_state state, const struct answer *a, int64_t sent_ms_ago, const char **ret_text)
{
	*ret_text = a->text;
	switch (a->state) {
	case ANSWER_DONE:
		return JOB_READY;
	case ANSWER_ERROR:
		return JOB_ERROR;
	case ANSWER_RUNNING:
		return JOB_RUNNING;
	case ANSWER_STARTING:
	case ANSWER_NOT_FOUND:
		if (state == JOB_REQUESTED && sent_ms_ago > JOB_START_LIMIT_MS) {
			*ret_text = "starting deadline exceeded";
			return JOB_ERROR;
		}
		return state;
	default: /* nobody answers: that says nothing of the job */
		return state;
	}
}
