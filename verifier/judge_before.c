#include "verifier/judge_internal.h"

#include "base/digest.h"
#include "doc/json.h"

#include <stdio.h>
#include <string.h>

/* Texts of one object, as collect writes them: a name, then JSON or a hash of it. */
#define INDEX_NAME_MAX 128

void judge_before(struct judge *j, const struct observed *before)
{
	j->before = before;
}

/* --- can it be compared
 * ------------------------------------------------------------------------------------------------------------ */

static const struct journal *anchored(const struct judge *j)
{
	const struct journal *any = NULL;

	for (size_t i = 0; i < j->journal_count; i++) {
		if (j->journals[i]->anchor_n)
			return j->journals[i];
		if (!j->journals[i]->excluded && !any)
			any = j->journals[i];
	}
	return any;
}

static void check_usable(const struct judge *j, struct cause *why)
{
	const struct observed_open *open = &j->before->open;
	const struct journal *journal = anchored(j);
	char until[OPTIME_TEXT_MAX], b0[OPTIME_TEXT_MAX];

	if (!j->before->ended)
		cause_add(why, "it has no end record: it was cut");
	if (!open->describes)
		cause_add(why, "it is an observation of documents, not a description");
	if (journal && journal->open.cluster_id[0] && strcmp(journal->open.cluster_id, open->cluster_id) != 0)
		cause_add(why, "it is of cluster %s %s, the journal of %s %s", open->cluster_kind, open->cluster_id,
		    journal->open.cluster_kind, journal->open.cluster_id);
	if (open->describes && j->bound && optime_cmp(open->until, j->b0) > 0)
		cause_add(why, "it was made until operation time %s, after the restore point %s",
		    optime_format(open->until, until), optime_format(j->b0, b0));
}

/* --- two texts of collect
 * ------------------------------------------------------------------------------------------------------ */

static bool is_own(const char *key)
{
	/* the server's own: an index's version, a namespace that older servers told, how it was built */
	return !strcmp(key, "v") || !strcmp(key, "ns") || !strcmp(key, "background");
}

/* Values as they are in documents: the order of members counts, the type of a number does not. */
static bool same_value(const json_node *a, const json_node *b)
{
	const json_node *x, *y;

	if (json_is_number(a) || json_is_number(b))
		return json_is_number(a) && json_is_number(b) && !(json_number(a, 0) < json_number(b, 0)) &&
		       !(json_number(a, 0) > json_number(b, 0));
	if (json_is_string(a) || json_is_string(b))
		return json_is_string(a) && json_is_string(b) && !strcmp(json_string(a), json_string(b));
	if (json_is_bool(a) || json_is_bool(b))
		return json_is_bool(a) && json_is_bool(b) && json_bool(a, false) == json_bool(b, false);
	if (json_is_object(a) != json_is_object(b) || json_is_array(a) != json_is_array(b))
		return false;
	for (x = json_first(a), y = json_first(b); x && y; x = json_next(x), y = json_next(y)) {
		if (json_is_object(a) && strcmp(json_key(x), json_key(y)) != 0)
			return false;
		if (!same_value(x, y))
			return false;
	}
	return !x && !y;
}

/* What differs at the top, by name: the order of these members means nothing. */
static void name_members(const json_node *a, const json_node *b, bool only_missing, char *ret, size_t size)
{
	for (const json_node *m = json_first(a); m; m = json_next(m)) {
		const json_node *other = json_get(b, json_key(m));
		size_t used = strlen(ret);

		if (!is_own(json_key(m)) && (!other || (!only_missing && !same_value(m, other))))
			snprintf(ret + used, size - used, "%s%.60s", used ? ", " : "", json_key(m));
	}
}

static bool parse(const char *text, struct json **ret)
{
	const struct json_limits limits = {.max_bytes = 4096, .max_depth = 32, .unique_keys = false};

	return json_parse(text, strlen(text), &limits, ret, NULL);
}

static bool has_hash_of(const char *hashed, const char *text)
{
	const char *mark = strstr(hashed, "sha256:");
	char hash[SHA256_TEXT_MAX];

	return mark && !strncmp(mark + strlen("sha256:"), sha256_text(text, strlen(text), hash), 16);
}

/* ret_what: the members that differ, "" if that cannot be told. */
static bool same_text(const char *a, const char *b, char *ret_what, size_t size)
{
	CLEANUP(json) struct json *x = NULL, *y = NULL;

	ret_what[0] = '\0';
	if (!strcmp(a, b) || has_hash_of(a, b) || has_hash_of(b, a))
		return true;
	if (!parse(*a ? a : "{}", &x) || !parse(*b ? b : "{}", &y) || !json_is_object(json_root(x)) ||
	    !json_is_object(json_root(y)))
		return false;
	name_members(json_root(x), json_root(y), false, ret_what, size);
	name_members(json_root(y), json_root(x), true, ret_what, size);
	return !ret_what[0];
}

static void index_name(const char *text, char ret[static INDEX_NAME_MAX])
{
	CLEANUP(json) struct json *doc = NULL;
	const char *name = parse(text, &doc) ? json_string(json_get(json_root(doc), "name")) : NULL;
	const char *mark = strstr(text, " sha256:");

	snprintf(ret, INDEX_NAME_MAX, "%.*s",
	    name   ? INDEX_NAME_MAX - 1
	    : mark ? (int)(mark - text)
		   : INDEX_NAME_MAX - 1,
	    name ? name : text);
	/* a hashed one tells the first 60 bytes alone */
	if (strlen(ret) > 60)
		ret[60] = '\0';
}

/* --- indexes and options
 * -------------------------------------------------------------------------------------------------------- */

static const char *find_index(const struct observed_namespace *n, const char *name)
{
	char other[INDEX_NAME_MAX];

	for (size_t i = 0; i < n->index_count; i++) {
		index_name(n->indexes[i], other);
		if (!strcmp(name, other))
			return n->indexes[i];
	}
	return NULL;
}

static void compare_indexes(
    const struct observed_namespace *before, const struct observed_namespace *after, struct cause *drift)
{
	char name[INDEX_NAME_MAX], what[256];

	for (size_t i = 0; i < before->index_count; i++) {
		const char *other;

		index_name(before->indexes[i], name);
		other = find_index(after, name);
		if (!other)
			cause_add(drift, "\"%s\" lacks index \"%s\"", before->ns, name);
		else if (!same_text(before->indexes[i], other, what, sizeof what))
			cause_add(drift, "index \"%s\" of \"%s\" is another one%s%s", name, before->ns,
			    what[0] ? ": " : "", what);
	}
	for (size_t i = 0; i < after->index_count; i++) {
		index_name(after->indexes[i], name);
		if (!find_index(before, name))
			cause_add(drift, "\"%s\" has index \"%s\", which it had not", before->ns, name);
	}
}

static void compare_namespace(
    const struct observed_namespace *before, const struct observed_namespace *after, struct cause *drift)
{
	char what[256];

	if (!before->exists)
		return;
	if (!after->exists) {
		cause_add(drift, "\"%s\" is gone", before->ns);
		return;
	}
	if (!same_text(before->options, after->options, what, sizeof what))
		cause_add(drift, "\"%s\" has other options%s%s", before->ns, what[0] ? ": " : "", what);
	compare_indexes(before, after, drift);
}

static const struct observed_namespace *find_namespace(const struct observed *o, const struct observed_namespace *like)
{
	for (size_t i = 0; i < o->namespace_count; i++)
		if (!strcmp(o->namespaces[i].ns, like->ns) && !strcmp(o->namespaces[i].replica_set, like->replica_set))
			return &o->namespaces[i];
	return NULL;
}

static bool add_schema(const struct judge *j, struct verdict *v, struct err *err)
{
	const struct observed *before = j->before, *after = j->observed;
	struct cause drift = {0}, unread = {0};

	for (size_t i = 0; i < before->namespace_count; i++) {
		const struct observed_namespace *was = &before->namespaces[i], *is = find_namespace(after, was);

		if (is)
			compare_namespace(was, is, &drift);
		else
			cause_add(&unread, "\"%s\"%s%s", was->ns, was->replica_set[0] ? " of " : "", was->replica_set);
	}
	v->has_before = v->schema_judged = true;
	return cause_end(&drift, v, REASON_SCHEMA_DRIFT,
		   "compare both with the application's own; the restore, or what was dropped and made again since, "
		   "left them out",
		   "indexes or options are not what they were before the disaster: ", err) &&
	       cause_end(&unread, v, REASON_BEFORE_UNUSABLE, "collect the same namespaces as were described",
		   "the observation did not look at these namespaces: ", err);
}

/* --- users and roles
 * ---------------------------------------------------------------------------------------------------------------- */

static const struct observed_grant *find_grant(const struct observed *o, const struct observed_grant *like)
{
	for (size_t i = 0; i < o->granted_count; i++)
		if (o->granted[i].is_role == like->is_role && !strcmp(o->granted[i].name, like->name))
			return &o->granted[i];
	return NULL;
}

/* Those of a that b lacks. */
static void name_roles(
    const struct observed_grant *a, const struct observed_grant *b, const char *word, char *ret, size_t size)
{
	for (size_t i = 0; i < a->role_count; i++) {
		size_t k = 0, used = strlen(ret);

		while (k < b->role_count && strcmp(a->roles[i], b->roles[k]) != 0)
			k++;
		if (k == b->role_count)
			snprintf(ret + used, size - used, "%s%s \"%.90s\"", used ? ", " : "", word, a->roles[i]);
	}
}

static bool add_roles(const struct judge *j, struct verdict *v, struct err *err)
{
	const struct observed *before = j->before, *after = j->observed;
	struct cause drift = {0}, added = {0};

	if (!before->grants.known)
		return true;
	/* nobody sees them any more: that may be the drift itself */
	if (!after->grants.known)
		return verdict_add_reason(v, REASON_BEFORE_UNUSABLE,
		    "collect as a user who may see users and roles, or with --login or --logins of one", err,
		    "users and roles were read before the disaster, and could not be read now: %s",
		    after->grants.detail[0] ? after->grants.detail : "nobody asked");
	v->roles_judged = true;
	for (size_t i = 0; i < before->granted_count; i++) {
		const struct observed_grant *was = &before->granted[i], *is = find_grant(after, was);
		char what[512] = "";

		if (is) {
			name_roles(was, is, "lacks", what, sizeof what);
			name_roles(is, was, "has", what, sizeof what);
		}
		if (!is)
			cause_add(&drift, "%s \"%s\" is gone", was->is_role ? "role" : "user", was->name);
		else if (what[0])
			cause_add(&drift, "%s \"%s\" %s", was->is_role ? "role" : "user", was->name, what);
	}
	for (size_t i = 0; i < after->granted_count; i++)
		if (!find_grant(before, &after->granted[i]))
			cause_add(
			    &added, "%s \"%s\"", after->granted[i].is_role ? "role" : "user", after->granted[i].name);
	return cause_end(&drift, v, REASON_ROLE_DRIFT,
		   "the backup brought its own users and roles: see who changed them since, and grant what is missing",
		   "users or roles are not what they were before the disaster: ", err) &&
	       cause_end(&added, v, REASON_ROLE_ADDED,
		   "a newer operator makes users of its own; see that nobody else has come in",
		   "new since before the disaster: ", err);
}

static bool add_versions(const struct judge *j, struct verdict *v, struct err *err)
{
	const struct observed_open *was = &j->before->open, *is = &j->observed->open;
	struct cause other = {0};

	if (strcmp(was->version, is->version) != 0)
		cause_add(&other, "the server was %s and is %s", was->version, is->version);
	if (strcmp(was->fcv, is->fcv) != 0)
		cause_add(&other, "its feature compatibility version was %s and is %s", was->fcv, is->fcv);
	return cause_end(&other, v, REASON_VERSION_DRIFT,
	    "restore into the version that was lost, or repeat the drill where both are the same", "", err);
}

bool before_add(const struct judge *j, struct verdict *v, struct err *err)
{
	struct cause unusable = {0};

	if (!j->before)
		return true;
	check_usable(j, &unusable);
	if (unusable.count)
		return cause_end(&unusable, v, REASON_BEFORE_UNUSABLE,
		    "describe the cluster under test before its backup (psmdb-verify collect --describe)",
		    "the description from before cannot be compared: ", err);
	/* without an observation there is a reason already */
	if (!j->observed || !j->observed->ended || j->observed->open.describes)
		return true;
	return add_schema(j, v, err) && add_roles(j, v, err) && add_versions(j, v, err);
}
