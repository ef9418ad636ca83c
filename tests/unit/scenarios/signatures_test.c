#include "scenarios/signatures.h"

#include <criterion/criterion.h>
#include <string.h>

/* Texts as operator, PBM, Kanister and Kasten write them, with what stands around them. */
Test(signatures, real_texts_find_their_cause)
{
	static const struct {
		const char *text, *code;
	} cases[] = {
	    {"check storage: storage check failed: HeadObject: api error Forbidden: StatusCode: 403", "S3_CREDENTIALS"},
	    {"upload: InvalidAccessKeyId: The AWS access key Id you provided does not exist", "S3_CREDENTIALS"},
	    {"SignatureDoesNotMatch: The request signature we calculated does not match", "S3_CREDENTIALS"},
	    {"exceeded maximum number of attempts, 3, https response error StatusCode: 0", "S3_UNREACHABLE"},
	    {"RequestError: send request failed caused by: Get \"http://minio:9000/\": dial tcp: lookup minio on "
	     "10.96.0.10:53: no such host",
		"S3_NO_ADDRESS"},
	    {"RequestError: send request failed caused by: x509: certificate signed by unknown authority",
		"S3_CERTIFICATE"},
	    {"NoSuchBucket: The specified bucket does not exist", "S3_NO_BUCKET"},
	    {"unable to get storage 'my-s3-storage'", "STORAGE_MISSING"},
	    {"get storage: unable to get storage 'X'", "STORAGE_MISSING"},
	    {"set pbm config: get s3 credentials secret name", "SECRET_MISSING"},
	    {"failed to run backup: allowUnsafeConfigurations must be true to run backup on cluster with status "
	     "initializing",
		"CLUSTER_NOT_READY"},
	    {"check for concurrent jobs: getting PBM object: create PBM connection to c-cfg-0.c-cfg.n:27017",
		"PBM_UNREACHABLE"},
	    {"create pbm object: create PBM connection to c-cfg-0.c-cfg.n:27017", "PBM_UNREACHABLE"},
	    {"create PBM connection to c-cfg-0.c-cfg.n:27017: dial tcp: lookup c-cfg-0.c-cfg.n: no such host",
		"PBM_UNREACHABLE"},
	    {"starting deadline exceeded", "STARTING_DEADLINE"},
	    {"some of pbm-agents were lost during the backup", "AGENTS_LOST"},
	    {"another backup or restore process is running", "ANOTHER_JOB"},
	    {"restore: corruption found in archive; 858927154 is neither a valid bson length nor a archive terminator",
		"BACKUP_FILES_DAMAGED"},
	    {"restore: decompress: s2: corrupt input", "BACKUP_FILES_DAMAGED"},
	    {"perconaservermongodbbackups.psmdb.percona.com \"nope\" not found", "BACKUP_UNKNOWN"},
	    {"get backup meta: not found", "BACKUP_UNKNOWN"},
	    {"prepare: backup wasn't successful: status: error, error: file \"x\" is empty", "BACKUP_NOT_GOOD"},
	    {"there is no oplogs that can cover the date/time or no oplogs at all", "PITR_RANGE"},
	    {"cluster is unmanaged", "UNMANAGED"},
	    {"failed to run backup: backups are not allowed on unmanaged clusters", "UNMANAGED"},
	    {"Malformed version: ''", "NO_VERSION"},
	    {"Error: failed to disable balancer: failed to get mongos connection: timeout", "BALANCER"},
	    {"Cannot execute action for an invalid policy", "POLICY_INVALID"},
	    {"cipher: message authentication failed", "RECEIVE_STRING"},
	    {"Failed to render template: \"pitr\" not found", "BLUEPRINT_TEMPLATE"},
	    {"Failed to wait for the condition to be met: Context done while polling: context deadline exceeded",
		"KANISTER_WAIT"},
	    /* a wait that tells what it saw last: that is the cause, the time-out is not */
	    {"unable to get storage 'x': Failed to wait for the condition to be met: context deadline exceeded",
		"STORAGE_MISSING"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct signature *s = signature_find(cases[i].text);

		cr_expect(s && !strcmp(s->code, cases[i].code), "%s: %s", cases[i].text, s ? s->code : "nothing");
	}
}

Test(signatures, other_texts_find_none)
{
	static const char *const texts[] = {"", "everything is well", "psmdb is ready",
	    "not found: perconaservermongodbbackups.psmdb.percona.com",
	    "cannot list resource perconaservermongodbbackups.psmdb.percona.com",
	    "no such host before dial tcp: lookup", "server selection: context deadline exceeded"};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		const struct signature *s = signature_find(texts[i]);

		cr_expect_null(s, "%s: %s", texts[i], s ? s->code : "");
	}
	cr_expect_null(signature_find(NULL));
}

Test(signatures, codes_are_unique_and_say_cause_and_remedy)
{
	for (const struct signature *s = signatures; s->code; s++) {
		cr_expect(*s->pattern && *s->cause && *s->remedy, "%s", s->code);
		cr_expect(!strstr(s->pattern, "||") && !strstr(s->pattern, "**"), "%s", s->code);
		for (const struct signature *other = s + 1; other->code; other++)
			cr_expect_str_neq(s->code, other->code);
	}
}
