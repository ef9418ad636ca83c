/* Any JSON as a psmdb: refused, or made into objects that can be printed, with a status that can be made from it again. */
#include "sandbox/operator/desired.h"
#include "sandbox/operator/rules.h"
#include "sandbox/operator/status.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void drop(struct json *object)
{
	BUF_CLEANUP struct buf out = BUF_INIT(1 << 22);

	if (object && !json_print(json_root(object), false, &out, NULL))
		abort();
	json_free(object);
}

static void make_objects(const struct cr *cr)
{
	for (int i = 0; i < cr->set_count; i++) {
		struct json *set = NULL, *service = NULL, *budget = NULL;

		desired_set(cr, &cr->sets[i], cr->sets[i].size, &set, NULL);
		desired_set_service(cr, &cr->sets[i], &service, NULL);
		desired_set_budget(cr, &cr->sets[i], &budget, NULL);
		drop(set);
		drop(service);
		drop(budget);
	}
}

static void make_status(const struct cr *cr)
{
	const struct cluster_seen seen = {.mongo_version = "6.0.5", .backup_version = "2.5.0", .host = true};
	struct json *first = NULL, *second = NULL;

	if (!status_make(cr, &seen, json_get(cr->object, "status"), 0, &first, NULL))
		return;
	/* Nothing has changed, so nothing is to be written. */
	if (status_make(cr, &seen, json_root(first), 1000, &second, NULL) &&
	    !json_equal(json_root(first), json_root(second)))
		abort();
	json_free(first);
	json_free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct json_limits limits = {.max_bytes = 65536, .max_depth = 24, .unique_keys = true};
	CLEANUP(json) struct json *doc = NULL;
	struct restore_source source;
	struct err err = ERR_INIT;
	struct cr cr;
	bool later;

	if (!size || !json_parse((const char *)data + 1, size - 1, &limits, &doc, &err))
		return 0;
	if (cr_read(json_root(doc), data[0] & 1, &cr, &err)) {
		if (cr.set_count < 1 || cr_members(&cr) > CR_SETS_MAX * CR_MEMBERS_MAX)
			abort();
		make_objects(&cr);
		make_status(&cr);
	}
	backup_check(json_root(doc), json_root(doc), &err);
	restore_check(json_root(doc), json_root(doc), json_root(doc), &source, &later, &err);
	return 0;
}
