#include "verifier/collect_grants.h"

#include "base/digest.h"
#include "mongo/bson_util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of one user's roles, so that the record fits into a line even when all of it must be escaped. */
#define TEXT_MAX 2000

void grants_clear(struct grants *g)
{
	free(g->list);
	*g = (struct grants){.list = NULL};
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int compare_grants(const void *a, const void *b)
{
	const struct observed_grant *x = a, *y = b;

	return x->is_role != y->is_role ? x->is_role - y->is_role : strcmp(x->name, y->name);
}

/* Of a document {NAME_KEY, db}. false: not that, or too long to be told. */
static bool name_of(const bson_t *doc, const char *key, const char *between, char *ret, size_t size)
{
	const char *name = bson_path_utf8(doc, key, NULL), *db = bson_path_utf8(doc, "db", NULL);
	const char *first = between[0] == '.' ? db : name, *second = between[0] == '.' ? name : db;

	return name && db && (size_t)snprintf(ret, size, "%s%s%s", first, between, second) < size;
}

static char *next_role(struct observed_grant *g)
{
	return g->role_count < OBSERVED_GRANT_ROLES_MAX ? g->roles[g->role_count++] : NULL;
}

static void hash_of(const bson_t *doc, const char *key, const char *what, char *ret, size_t size)
{
	char hash[SHA256_TEXT_MAX];
	bson_t part;
	char *json = bson_path_doc(doc, key, &part) ? bson_as_relaxed_extended_json(&part, NULL) : NULL;

	snprintf(ret, size, "%s sha256:%.16s", what, sha256_text(json ? json : "", json ? strlen(json) : 0, hash));
	bson_free(json);
}

/* Too many or too long to be told one by one: still to be compared. */
static void put_whole(const bson_t *doc, struct observed_grant *g)
{
	g->role_count = 0;
	hash_of(doc, "roles", "all roles", next_role(g), sizeof g->roles[0]);
}

static void put_roles(const bson_t *doc, struct observed_grant *g)
{
	bson_iter_t list, it;
	size_t total = 0;

	if (!bson_path(doc, "roles", &list) || !BSON_ITER_HOLDS_ARRAY(&list) || !bson_iter_recurse(&list, &it))
		return;
	while (bson_iter_next(&it)) {
		const uint8_t *data;
		uint32_t len;
		bson_t role;
		char *text;

		if (!BSON_ITER_HOLDS_DOCUMENT(&it))
			continue;
		bson_iter_document(&it, &len, &data);
		/* one is left for a role's privileges */
		if (g->role_count == OBSERVED_GRANT_ROLES_MAX - 1 || !bson_init_static(&role, data, len)) {
			put_whole(doc, g);
			return;
		}
		text = next_role(g);
		if (!name_of(&role, "role", "@", text, sizeof g->roles[0]) || (total += strlen(text)) > TEXT_MAX) {
			put_whole(doc, g);
			return;
		}
	}
	qsort(g->roles, g->role_count, sizeof g->roles[0], compare_texts);
}

static bool take(struct grants *g, const bson_t *doc, bool is_role, struct err *err)
{
	struct observed_grant *one = &g->list[g->count];

	if (g->count == OBSERVED_GRANTS_MAX)
		return err_set(err, ERR_LIMIT, "there are more than %d users and roles", OBSERVED_GRANTS_MAX);
	*one = (struct observed_grant){.is_role = is_role};
	if (!name_of(doc, is_role ? "role" : "user", ".", one->name, sizeof one->name))
		return err_set(
		    err, ERR_LIMIT, "a user or role has no name, or one longer than %zu bytes", sizeof one->name - 1);
	put_roles(doc, one);
	if (is_role)
		hash_of(doc, "privileges", "privileges", next_role(one), sizeof one->roles[0]);
	g->count++;
	return true;
}

static bool ask(
    struct link *link, const char *command_name, const char *key, bool is_role, struct grants *g, struct err *err)
{
	BSON_CLEANUP bson_t command = BSON_INITIALIZER;
	BSON_CLEANUP bson_t reply = BSON_INITIALIZER;
	bson_iter_t list, it;
	bson_t all;

	if (is_role) {
		BSON_APPEND_INT32(&command, command_name, 1);
		BSON_APPEND_BOOL(&command, "showPrivileges", true);
	} else {
		BSON_APPEND_DOCUMENT_BEGIN(&command, command_name, &all);
		BSON_APPEND_BOOL(&all, "forAllDBs", true);
		bson_append_document_end(&command, &all);
	}
	if (!link_command(link, "admin", &command, NULL, &reply, err))
		return false;
	if (!bson_path(&reply, key, &list) || !BSON_ITER_HOLDS_ARRAY(&list) || !bson_iter_recurse(&list, &it))
		return err_set(err, ERR_REMOTE, "the server's answer lacks \"%s\"", key);
	while (bson_iter_next(&it)) {
		const uint8_t *data;
		uint32_t len;
		bson_t doc;

		if (!BSON_ITER_HOLDS_DOCUMENT(&it))
			continue;
		bson_iter_document(&it, &len, &data);
		if (bson_init_static(&doc, data, len) && !take(g, &doc, is_role, err))
			return false;
	}
	return true;
}

static bool act_read(struct link *link, void *arg, struct err *err)
{
	struct grants *g = arg;

	g->count = 0;
	return ask(link, "usersInfo", "users", false, g, err) && ask(link, "rolesInfo", "roles", true, g, err);
}

static bool read_as(const struct link *link, const struct mongo_credentials *who, struct grants *g, struct err *err)
{
	struct link other = {.target = link->target, .clock = link->clock, .stop = link->stop};
	bool ok;

	other.target.user = who->user;
	other.target.password = who->password;
	ok = link_open(&other, err) && act_read(&other, g, err);
	link_close(&other);
	return ok;
}

bool grants_read(
    struct link *link, const struct mongo_credentials *logins, size_t login_count, struct grants *ret, struct err *err)
{
	struct err why = ERR_INIT;
	struct grants g = {.list = calloc(OBSERVED_GRANTS_MAX, sizeof *g.list)};

	if (!g.list)
		return err_nomem(err);
	/* asked once: a refusal is what is to be expected */
	g.state.known = act_read(link, &g, &why);
	for (size_t i = 0; !g.state.known && why.code != ERR_LIMIT && i < login_count; i++) {
		struct err each = ERR_INIT;

		if (link_stopped(link, err)) {
			grants_clear(&g);
			return false;
		}
		g.state.known = read_as(link, &logins[i], &g, &each);
		if (each.code == ERR_LIMIT)
			why = each;
	}
	if (g.state.known)
		qsort(g.list, g.count, sizeof *g.list, compare_grants);
	else {
		g.count = 0;
		snprintf(g.state.detail, sizeof g.state.detail, "%.*s", (int)sizeof g.state.detail - 1, why.msg);
	}
	*ret = g;
	return true;
}
