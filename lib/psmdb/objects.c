#include "psmdb/objects.h"

#include "psmdb/backup.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *text, *phrase;
} cluster_states[] = {
#define X(name, text, phrase) {text, phrase},
    PSMDB_CLUSTER_STATES(X)
#undef X
};

static const struct {
	const char *text, *phrase;
	bool final, good;
} job_states[] = {
#define X(name, text, final, good, phrase) {text, phrase, final, good},
    PSMDB_JOB_STATES(X)
#undef X
};

enum psmdb_cluster_state psmdb_cluster_state(const char *text)
{
	for (int i = 0; i < PSMDB_CLUSTER_OTHER; i++)
		if (!strcmp(text ? text : "", cluster_states[i].text))
			return (enum psmdb_cluster_state)i;
	return PSMDB_CLUSTER_OTHER;
}

const char *psmdb_cluster_phrase(enum psmdb_cluster_state state)
{
	return cluster_states[state].phrase;
}

enum psmdb_job_state psmdb_job_state(const char *text)
{
	for (int i = 0; i < PSMDB_JOB_OTHER; i++)
		if (!strcmp(text ? text : "", job_states[i].text))
			return (enum psmdb_job_state)i;
	return PSMDB_JOB_OTHER;
}

bool psmdb_job_final(enum psmdb_job_state state)
{
	return job_states[state].final;
}

bool psmdb_job_good(enum psmdb_job_state state)
{
	return job_states[state].good;
}

const char *psmdb_job_phrase(enum psmdb_job_state state)
{
	return job_states[state].phrase;
}

bool psmdb_job_stuck(enum psmdb_job_state state, int64_t in_state_ms, int64_t limit_ms)
{
	return (state == PSMDB_JOB_NONE || state == PSMDB_JOB_REQUESTED) && in_state_ms > limit_ms;
}

void psmdb_mongos_service(const char *cluster, char ret[static PSMDB_NAME_MAX])
{
	snprintf(ret, PSMDB_NAME_MAX, "%s-mongos", cluster);
}

void psmdb_internal_users(const char *cluster, char ret[static PSMDB_NAME_MAX])
{
	snprintf(ret, PSMDB_NAME_MAX, "internal-%s-users", cluster);
}

bool psmdb_version_before(const char *version, unsigned major, unsigned minor)
{
	return pbm_version_before(version, major, minor);
}
