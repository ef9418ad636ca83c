#include "scenarios/signatures.h"

#include <string.h>

const struct signature signatures[] = {
    /* PBM's S3 client, for a wrong key and for a wrong secret */
    {"S3_CREDENTIALS", "StatusCode: 403|Forbidden|InvalidAccessKeyId|SignatureDoesNotMatch|AccessDenied",
	"the bucket refuses the keys of the storage's secret",
	"correct the secret that spec.backup.storages names (credentialsSecret)", false},
    {"S3_UNREACHABLE",
	"exceeded maximum number of attempts|RequestError: send request failed|connection refused, HeadObject",
	"the S3 endpoint of the storage does not answer", "check endpointUrl, and whether pods may reach it", true},
    {"S3_NO_BUCKET", "NoSuchBucket", "the bucket of the storage does not exist",
	"make it, or correct spec.backup.storages", false},
    {"STORAGE_MISSING", "unable to get storage|get storage:",
	"the cluster has no storage of the name that the blueprint writes into the backup",
	"let the blueprint and spec.backup.storages use one name", false},
    {"SECRET_MISSING", "set pbm config|get s3 credentials secret name",
	"the storage's secret is missing in the namespace",
	"create it; a restore of the psmdb alone does not bring it back", true},
    {"CLUSTER_NOT_READY", "allowUnsafeConfigurations must be true to run backup|backupIfUnhealthy",
	"the cluster was not ready when the backup was asked for",
	"wait until the psmdb is ready; operators before 1.21 fail such a backup for good", true},
    {"PBM_UNREACHABLE", "create PBM connection to|getting PBM object",
	"the operator cannot reach PBM's database: the cluster is not up yet, or logins fail",
	"wait until the psmdb is ready; older operators never try such a restore again", true},
    {"ANOTHER_JOB", "another backup or restore process|check for concurrent jobs",
	"another backup or restore of the cluster is active, or has left its lock", "wait for it, or end it with pbm",
	true},
    {"AGENTS_LOST", "agents were lost during|Backup stuck at", "PBM's agents ended while they worked",
	"look at the backup-agent containers; try again", true},
    {"NO_AGENT", "no available agent(s)", "no PBM agent can do it: none runs, or none reaches the bucket",
	"look at \"pbm status\" in a backup-agent container: it says what each agent lacks", true},
    {"STARTING_DEADLINE", "starting deadline exceeded", "no PBM agent began the backup in time",
	"look at the backup-agent containers", true},
    {"BACKUP_FILES_MISSING", "no such file|file is empty|failed to ensure chunk",
	"a file of the backup is not in the bucket, or is empty", "the backup is damaged: take another restore point",
	false},
    {"BACKUP_FILES_DAMAGED", "corruption found in archive|corrupt input|crc mismatch|CRC mismatch",
	"a file of the backup is damaged", "take another restore point, and find out what writes into the bucket",
	false},
    {"BACKUP_UNKNOWN", "get backup meta: not found|perconaservermongodbbackups.psmdb.percona.com",
	"the backup object, or PBM's record of the backup, is not there",
	"restore from its destination (backupSource), or from another restore point", false},
    {"NO_METADATA", "get backup metadata|get metadata: get: context deadline exceeded",
	"PBM's agents did not answer in time: one is missing, or a resync was going on",
	"wait until every member has its agent; try again", true},
    {"POLICY_INVALID", "Cannot execute action for an invalid policy",
	"Kasten has not validated the policy, or found it invalid",
	"wait for Success in its status, or mend what its error says", true},
    {"RECEIVE_STRING", "cipher: message authentication failed", "the receive string is not the source policy's",
	"copy it again from the source cluster", false},
    {"LOGIN_DRIFT", "AuthenticationFailed|Authentication failed", "a password in a secret is not the database's",
	"compare the users secret with the one of the time of the backup", false},
    {NULL, NULL, NULL, NULL, false},
};

const struct signature *signature_find(const char *text)
{
	for (const struct signature *s = signatures; text && s->code; s++)
		for (const char *p = s->pattern; *p;) {
			size_t len = strcspn(p, "|");

			if (memmem(text, strlen(text), p, len))
				return s;
			p += len;
			p += *p == '|';
		}
	return NULL;
}
