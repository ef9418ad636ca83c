/* Any JSON as an object of Percona's or Kasten's: read into structs, judged, and used to build requests. */
#include "kasten/actions.h"
#include "kasten/blueprint.h"
#include "psmdb/deletion.h"
#include "scenarios/signatures.h"

#include <stdlib.h>
#include <string.h>

#define WITHIN(field)                                                                                                  \
	do {                                                                                                           \
		if (strnlen(field, sizeof(field)) == sizeof(field))                                                    \
			abort();                                                                                       \
	} while (0)

static void read_psmdb(const json_node *o)
{
	const struct psmdb_deletion d = {.clusters = true, .backups = true, .namespace_ = true, .needs_pitr = true};
	struct psmdb_cluster *c = malloc(sizeof *c);
	struct psmdb_consequences list = {.count = 0};
	struct psmdb_storage storage;
	struct pbm_destination place;
	struct psmdb_job job;
	char text[64], tiny[1];

	if (!c)
		return;
	if (psmdb_cluster_read(o, c, NULL)) {
		WITHIN(c->name);
		WITHIN(c->message);
		WITHIN(c->note);
		psmdb_cluster_usable(c);
		psmdb_cluster_progress(c, text, sizeof text);
		psmdb_cluster_progress(c, tiny, sizeof tiny);
		psmdb_deletion_of_cluster(&d, c, &list);
		psmdb_owns_volume(o, c->name);
		psmdb_owns_pod(o, c->name);
	}
	if (psmdb_job_read(o, &job, NULL)) {
		WITHIN(job.error);
		WITHIN(job.destination);
		psmdb_job_place(&job, &place, NULL);
		psmdb_deletion_of_backup(&d, &job, &list);
	}
	psmdb_deletion_forbids(&list);
	psmdb_storage_of_cluster(o, NULL, &storage, NULL);
	psmdb_storage_of_cluster(o, "s", &storage, NULL);
	psmdb_storage_read(json_at(o, "status/s3"), &storage, NULL);
	psmdb_secret_text(o, "k", text, sizeof text, NULL);
	free(c);
}

static void read_kasten(const json_node *o)
{
	char text[200], why[40];

	memset(text, 0, sizeof text);
	kasten_state_final(kasten_state(o));
	kasten_state_text(o, text, sizeof text);
	WITHIN(text);
	kasten_error(o, text, sizeof text);
	WITHIN(text);
	signature_find(text);
	kasten_validation(o, text, sizeof text, why, sizeof why);
	WITHIN(why);
	kasten_policy_selects(o, "n");
	kasten_policy_profile(o, text, sizeof text);
	kasten_blueprint_has(o, "backup");
	kasten_blueprint_strays(o, why, sizeof why);
	WITHIN(why);
	kasten_blueprint_storage(o, text, sizeof text);
	WITHIN(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct json_limits limits = JSON_LIMITS_DEFAULT;
	CLEANUP(json) struct json *doc = NULL;

	if (json_parse((const char *)data, size, &limits, &doc, NULL)) {
		read_psmdb(json_root(doc));
		read_kasten(json_root(doc));
	}
	return 0;
}
