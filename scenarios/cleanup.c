#include "scenarios/cleanup.h"

#include "base/text.h"
#include "scenarios/run_state.h"

#include <string.h>

static void say(FILE *out, const char *what, const struct kube_kind *kind, const json_node *o, const char *why)
{
	const char *ns = json_text_at(o, "namespace");
	char place[3 * KUBE_NAME_MAX], safe[3 * KUBE_NAME_MAX];

	snprintf(place, sizeof place, "%.100s %.250s%s%.250s", kind->plural, ns ? ns : "", ns ? "/" : "",
	    json_text_at(o, "name"));
	text_copy(safe, sizeof safe, place);
	fprintf(out, "%-13s %s%s\n", what, safe, why);
}

/* Why an object of this kind is not deleted although the run has made it; NULL: nothing else goes with it. */
static const char *stays(const struct kube_kind *kind)
{
	static const struct {
		const char *plural, *why;
	} kinds[] = {
	    {"namespaces", ": everything in it would go with it"},
	    {"clusterroles", ": an operator may need it"},
	    {"clusterrolebindings", ": an operator may need it"},
	    {"customresourcedefinitions", ": every object of the kind would go with it, of every team"},
	    {"persistentvolumeclaims", ": the data would go with it"},
	    {"persistentvolumes", ": the data would go with it"},
	    {"perconaservermongodbs", ": the database would go with it"},
	    {"perconaservermongodbbackups", ": the backup in the bucket may go with it"},
	    {"secrets", ": what it opens, a database or its backups, would stay shut without it"},
	    {"restorepoints", ": the backup would go with it"},
	    {"restorepointcontents", ": the backup would go with it"},
	};

	/* deleting the record would not end what it is the record of */
	if (!strcmp(kind->group, "actions.kio.kasten.io"))
		return ": Kasten's own record of what it did";
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(kind->plural, kinds[i].plural))
			return kinds[i].why;
	return NULL;
}

static bool remove_one(struct kube *k, const json_node *o, FILE *out, struct cleanup_tally *t, struct err *err)
{
	CLEANUP(json) struct json *now = NULL;
	const char *name = json_text_at(o, "name"), *ns = json_text_at(o, "namespace"), *uid = json_text_at(o, "uid");
	const struct kube_delete how = {.uid = uid, .grace_seconds = -1};
	struct err each = ERR_INIT;
	const char *why;
	struct kube_kind kind;

	run_state_kind(o, &kind);
	if (!kube_get(k, &kind, ns, name, &now, &each)) {
		/* a custom kind may have gone with its objects */
		if (each.code != ERR_NOT_FOUND && each.code != ERR_UNSUPPORTED) {
			*err = each;
			return false;
		}
		say(out, "gone already", &kind, o, "");
		t->gone++;
		return true;
	}
	if (!kube_uid(json_root(now)) || strcmp(kube_uid(json_root(now)), uid) != 0) {
		say(out, "left", &kind, o, ": it has been made again by somebody else");
		t->left++;
		return true;
	}
	why = stays(&kind);
	if (why) {
		say(out, "left", &kind, o, why);
		t->left++;
		return true;
	}
	if (!kube_delete(k, &kind, ns, name, &how, &each) && each.code != ERR_NOT_FOUND) {
		*err = each;
		return false;
	}
	say(out, "deleted", &kind, o, "");
	t->deleted++;
	return true;
}

bool cleanup_objects(struct kube *k, struct kube *elsewhere, const json_node *objects, FILE *out,
    struct cleanup_tally *ret, struct err *err)
{
	*ret = (struct cleanup_tally){0};
	for (const json_node *o = json_first(objects); o && !elsewhere; o = json_next(o))
		if (json_bool_at(o, "elsewhere", false)) {
			err_set(err, ERR_USAGE, "the run has made objects in another cluster, too");
			return err_hint(err, "give --to-context or --to-kubeconfig as for the run");
		}
	for (size_t i = json_count(objects); i-- > 0;) {
		const json_node *o;
		char path[32];

		snprintf(path, sizeof path, "%zu", i);
		o = json_at(objects, path);
		if (!remove_one(json_bool_at(o, "elsewhere", false) ? elsewhere : k, o, out, ret, err))
			return false;
	}
	return true;
}
