#include "psmdb/job.h"

#include "psmdb/object_read.h"

#include <string.h>

bool psmdb_job_read(const json_node *object, struct psmdb_job *ret, struct err *err)
{
	struct psmdb_job j = {0};
	const json_node *owner = json_at(object, "metadata/ownerReferences/0");
	const json_node *s3 = json_at(object, "status/s3");

	if (!object_identity(object, j.namespace_, j.name, sizeof j.name, j.uid, sizeof j.uid, err))
		return false;
	if (!object_name(object, json_at(object, "spec/clusterName") ? "spec/clusterName" : "spec/psmdbCluster",
		j.cluster, sizeof j.cluster, err) ||
	    !object_name(object, "spec/storageName", j.storage, sizeof j.storage, err) ||
	    !object_name(object, "spec/backupName", j.backup, sizeof j.backup, err) ||
	    !object_name(object, "status/pbmName", j.pbm_name, sizeof j.pbm_name, err))
		return err_wrap(err, "\"%s\"", j.name);
	j.deleting = json_text_at(object, "metadata/deletionTimestamp") != NULL;
	j.has_owner = owner != NULL;
	object_text(owner, "kind", j.owner_kind, sizeof j.owner_kind);
	object_text(owner, "name", j.owner_name, sizeof j.owner_name);
	j.finalizer_count = object_finalizers(object, j.finalizers, PSMDB_JOB_FINALIZERS_MAX);
	j.created_at_ms = object_time(object, "metadata/creationTimestamp");
	j.completed_at_ms = object_time(object, "status/completed");
	object_text(object, "status/state", j.state_text, sizeof j.state_text);
	j.state = psmdb_job_state(j.state_text);
	object_text(object, "status/error", j.error, sizeof j.error);
	object_text(object, "status/type", j.type, sizeof j.type);
	object_text(object,
	    json_at(object, "status/destination") ? "status/destination" : "spec/backupSource/destination",
	    j.destination, sizeof j.destination);
	if (!s3)
		s3 = json_at(object, "spec/backupSource/s3");
	/* an S3 part that cannot be read is left out: the judgement rests on the cluster's own storage then */
	j.has_s3 = s3 && psmdb_storage_read(s3, &j.s3, NULL);
	*ret = j;
	return true;
}

bool psmdb_job_place(const struct psmdb_job *backup, struct pbm_destination *ret, struct err *err)
{
	struct pbm_destination d;

	if (!*backup->destination) {
		err_set(err, ERR_STATE, "backup \"%s\" does not say where it is: %s", backup->name,
		    psmdb_job_phrase(backup->state));
		return err_hint(err, "the operator writes status.destination when it has sent the command to PBM");
	}
	if (!pbm_destination_parse(backup->destination, &d, err))
		return err_wrap(err, "backup \"%s\"", backup->name);
	if (*backup->pbm_name && strcmp(d.name, backup->pbm_name) != 0)
		return err_set(err, ERR_STATE, "backup \"%s\" is PBM's \"%s\", but its destination ends with \"%s\"",
		    backup->name, backup->pbm_name, d.name);
	if (backup->has_s3 && *d.bucket && strcmp(d.bucket, backup->s3.bucket) != 0)
		return err_set(err, ERR_STATE, "backup \"%s\": destination is in bucket \"%s\", status.s3 says \"%s\"",
		    backup->name, d.bucket, backup->s3.bucket);
	if (!*d.bucket && backup->has_s3)
		memcpy(d.bucket, backup->s3.bucket, sizeof d.bucket);
	*ret = d;
	return true;
}
