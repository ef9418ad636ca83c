#include "sandbox/parts/wiring.h"

#include <stdio.h>

#define STEP_LIMIT_MS 60000

static const char *const roles[] = {
    /* What PBM's documentation asks for. */
    "{\"createRole\": \"pbmAnyAction\", \"privileges\": [{\"resource\": {\"anyResource\": true}, \"actions\": "
    "[\"anyAction\"]}], \"roles\": []}",
    /* Its two namespaces, and the cluster's identity for the head of its journal. */
    "{\"createRole\": \"drillTicker\", \"privileges\": ["
    "{\"resource\": {\"db\": \"admin\", \"collection\": \"ticker\"}, \"actions\": [\"insert\", \"find\"]},"
    "{\"resource\": {\"db\": \"drill\", \"collection\": \"ticker\"}, \"actions\": [\"insert\", \"find\"]},"
    "{\"resource\": {\"cluster\": true}, \"actions\": [\"replSetGetConfig\"]}], \"roles\": []}",
    /* Reads everything; what it may write are its probes. */
    "{\"createRole\": \"drillVerifier\", \"privileges\": ["
    "{\"resource\": {\"db\": \"drill\", \"collection\": \"probe\"}, \"actions\": [\"insert\", \"update\", \"remove\", "
    "\"find\", "
    "\"createCollection\", \"dropCollection\"]},"
    "{\"resource\": {\"db\": \"\", \"collection\": \"\"}, \"actions\": [\"viewUser\", \"viewRole\"]}],"
    "\"roles\": [{\"role\": \"readAnyDatabase\", \"db\": \"admin\"}, {\"role\": \"clusterMonitor\", \"db\": \"admin\"},"
    "{\"role\": \"read\", \"db\": \"local\"}, {\"role\": \"read\", \"db\": \"config\"}]}",
};

static const char *const user_roles[SECRET_USER_COUNT] = {
    [USER_ADMIN] = "[\"root\"]",
    [USER_BACKUP] = "[\"readWrite\", \"backup\", \"clusterMonitor\", \"restore\", \"pbmAnyAction\"]",
    [USER_TICKER] = "[\"drillTicker\"]",
    [USER_VERIFIER] = "[\"drillVerifier\"]",
};

static void wire_hosts(struct wiring *w, const struct layout *l)
{
	for (int i = 0; i < l->members; i++) {
		char address[ADDRESS_MAX];

		snprintf(w->host_text[i], sizeof w->host_text[i], "%s:%u", layout_member_address(l, i, address),
		    l->mongod_port);
		w->hosts[i] = w->host_text[i];
	}
}

static void wire_users(struct wiring *w, const struct secrets *s)
{
	for (int i = 0; i < SECRET_USER_COUNT; i++)
		w->user_list[i] =
		    (struct cluster_user){secret_user_name((enum secret_user)i), s->password[i], user_roles[i]};
	w->users = (struct cluster_users){roles, sizeof roles / sizeof *roles, w->user_list, SECRET_USER_COUNT};
}

static void wire_storage(struct wiring *w, const struct layout *l, const struct secrets *s)
{
	layout_s3_endpoint(l, w->endpoint);
	w->storage = (struct pbm_storage){.endpoint = w->endpoint,
	    .region = LAYOUT_REGION,
	    .bucket = LAYOUT_BUCKET,
	    .prefix = LAYOUT_PREFIX,
	    .access_key = s->s3_access,
	    .secret_key = s->s3_secret,
	    .compression = l->compression};
}

void wiring_init(struct wiring *w, const struct layout *l, const struct secrets *s, const struct clock *clock,
    const volatile int *stop)
{
	*w = (struct wiring){.log_path = layout_file(l, "logs/pbm.log")};
	wire_hosts(w, l);
	wire_users(w, s);
	wire_storage(w, l, s);
	w->cluster = (struct cluster){.set_name = LAYOUT_SET_NAME,
	    .hosts = w->hosts,
	    .members = l->members,
	    .clock = clock,
	    .stop = stop,
	    .timeout_ms = STEP_LIMIT_MS};
	w->pbm = (struct pbm){.binary = l->binaries[BINARY_PBM],
	    .home = l->dir,
	    .set_name = LAYOUT_SET_NAME,
	    .hosts = w->hosts,
	    .members = l->members,
	    .user = secret_user_name(USER_BACKUP),
	    .password = s->password[USER_BACKUP],
	    .log_path = w->log_path.text,
	    .clock = clock,
	    .stop = stop};
}
