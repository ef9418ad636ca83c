#include "scenarios/signatures.h"

#include <string.h>

const struct signature signatures[] = {
    /* the first, since the same network errors stand behind it as behind those of the bucket */
    {"PBM_UNREACHABLE", "create PBM connection to|getting PBM object",
	"the operator cannot reach PBM's database: the cluster is not up yet, or logins fail",
	"wait until the psmdb is ready; older operators never try such a restore again", true},
    /* PBM's S3 client, for a wrong key and for a wrong secret */
    {"S3_CREDENTIALS", "StatusCode: 403|Forbidden|InvalidAccessKeyId|SignatureDoesNotMatch|AccessDenied",
	"the bucket refuses the keys of the storage's secret",
	"correct the secret that spec.backup.storages names (credentialsSecret)", false},
    /* before S3_UNREACHABLE: the client's own text is around both */
    {"S3_NO_ADDRESS", "dial tcp: lookup*no such host", "the name of the storage's endpoint does not resolve",
	"correct endpointUrl, or the cluster's DNS", true},
    {"S3_CERTIFICATE", "x509: certificate|x509: cannot validate|certificate signed by unknown authority",
	"the certificate of the storage's endpoint is not trusted",
	"use one that the pods trust, or insecureSkipTLSVerify in the storage", false},
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
    {"BACKUP_NOT_GOOD", "backup wasn't successful|backup is in error state|the backup is not ready:",
	"the restore was given a backup that did not end well", "take another restore point", false},
    {"PITR_RANGE", "there is no oplogs that can cover", "the oplog chunks do not reach to the wanted point in time",
	"take a point within latestRestorableTime, or restore without pitr", false},
    {"BACKUP_UNKNOWN", "get backup meta: not found|perconaservermongodbbackups.psmdb.percona.com*not found",
	"the backup object, or PBM's record of the backup, is not there",
	"restore from its destination (backupSource), or from another restore point", false},
    {"NO_METADATA", "get backup metadata|get metadata: get: context deadline exceeded",
	"PBM's agents did not answer in time: one is missing, or a resync was going on",
	"wait until every member has its agent; try again", true},
    {"UNMANAGED", "cluster is unmanaged|not allowed on unmanaged clusters",
	"the operator backs up and restores no unmanaged cluster", "set spec.unmanaged to false", false},
    /* a restore object that is made together with its cluster */
    {"NO_VERSION", "Malformed version: ''", "the restore was asked for before the operator had looked at the cluster",
	"wait until the psmdb is ready, then make the restore object again", true},
    {"BALANCER", "failed to disable balancer", "mongos cannot be reached to stop the balancer before the restore",
	"look at the mongos pods; the operator tries again", true},
    {"FCV_MISMATCH", "featureCompatibilityVersion|FCV mismatch",
	"the backup is of another feature compatibility version",
	"restore into the version that the backup was made with", false},
    {"BLUEPRINT_TEMPLATE", "Failed to render template", "a template of the blueprint names what is not there",
	"correct the blueprint; kanctl validate does not see this", false},
    {"POLICY_INVALID", "Cannot execute action for an invalid policy",
	"Kasten has not validated the policy, or found it invalid",
	"wait for Success in its status, or mend what its error says", true},
    {"RECEIVE_STRING", "cipher: message authentication failed", "the receive string is not the source policy's",
	"copy it again from the source cluster", false},
    {"LOGIN_DRIFT", "AuthenticationFailed|Authentication failed", "a password in a secret is not the database's",
	"compare the users secret with the one of the time of the backup", false},
    /* Kanister's Wait knows no failure: its time is over, and what it waited for is told in front, if at all */
    {"KANISTER_WAIT", "Failed to wait for the condition to be met|Context done while polling",
	"a Wait of the blueprint ran out of time: what it waits for did not come",
	"look at the psmdb-backup or psmdb-restore that it names; make its timeout longer if that was only slow", true},
    {NULL, NULL, NULL, NULL, false},
};

/* One alternative: its parts, in this order, wherever they stand. */
static bool fits(const char *text, const char *pattern, size_t len)
{
	while (len) {
		const char *star = memchr(pattern, '*', len);
		size_t part = star ? (size_t)(star - pattern) : len;

		text = memmem(text, strlen(text), pattern, part);
		if (!text)
			return false;
		text += part;
		part += star != NULL;
		pattern += part;
		len -= part;
	}
	return true;
}

const struct signature *signature_find(const char *text)
{
	for (const struct signature *s = signatures; text && s->code; s++)
		for (const char *p = s->pattern; *p;) {
			size_t len = strcspn(p, "|");

			if (fits(text, p, len))
				return s;
			p += len;
			p += *p == '|';
		}
	return NULL;
}
