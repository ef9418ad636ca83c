#include "psmdb/deletion.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DOMAIN "percona.com/"

static const char *const finalizers[] = {
#define X(name, text) text,
    PSMDB_FINALIZERS(X)
#undef X
};

static const struct {
	const char *phrase;
	bool forbids;
} effects[] = {
#define X(name, forbids, phrase) {phrase, forbids},
    PSMDB_EFFECTS(X)
#undef X
};

enum psmdb_finalizer psmdb_finalizer(const char *text)
{
	if (!strncmp(text, DOMAIN, strlen(DOMAIN)))
		text += strlen(DOMAIN);
	for (int i = 0; i < PSMDB_FINALIZER_OTHER; i++)
		if (!strcmp(text, finalizers[i]))
			return (enum psmdb_finalizer)i;
	return PSMDB_FINALIZER_OTHER;
}

bool psmdb_effect_forbids(enum psmdb_effect effect)
{
	return effects[effect].forbids;
}

const char *psmdb_effect_phrase(enum psmdb_effect effect)
{
	return effects[effect].phrase;
}

/* Where the list is full, one that forbids takes the place of one that does not. */
static struct psmdb_consequence *place_for(struct psmdb_consequences *list, enum psmdb_effect effect)
{
	if (list->count < PSMDB_CONSEQUENCES_MAX)
		return &list->items[list->count++];
	for (size_t i = 0; i < list->count && effects[effect].forbids; i++)
		if (!effects[list->items[i].effect].forbids)
			return &list->items[i];
	return NULL;
}

static void add(struct psmdb_consequences *list, enum psmdb_effect effect, const char *kind, const char *object,
    const char *finalizer, const char *why)
{
	struct psmdb_consequence *c = place_for(list, effect);

	if (!c)
		return;
	*c = (struct psmdb_consequence){.effect = effect};
	snprintf(c->kind, sizeof c->kind, "%s", kind);
	snprintf(c->object, sizeof c->object, "%s", object);
	snprintf(c->finalizer, sizeof c->finalizer, "%s", finalizer);
	if (*finalizer)
		snprintf(c->text, sizeof c->text, "finalizer \"%.60s\" of %s \"%.60s\" %s", finalizer, kind, object,
		    effects[effect].phrase);
	else
		snprintf(c->text, sizeof c->text, "%s: %s \"%.60s\" %s", why, kind, object, effects[effect].phrase);
}

void psmdb_deletion_of_cluster(
    const struct psmdb_deletion *d, const struct psmdb_cluster *c, struct psmdb_consequences *ret)
{
	if (!d->clusters && !d->namespace_)
		return;
	for (size_t i = 0; i < c->finalizer_count; i++) {
		const char *text = c->finalizers[i];
		enum psmdb_effect effect = PSMDB_EFFECT_HOLDS;

		switch (psmdb_finalizer(text)) {
		case PSMDB_FINALIZER_PODS_IN_ORDER:
			effect = PSMDB_EFFECT_ORDERS;
			break;
		case PSMDB_FINALIZER_PVC:
			/* with the namespace they go anyway, and come back from the restore point */
			effect = d->namespace_ ? PSMDB_EFFECT_NOTHING : PSMDB_EFFECT_ERASES_SECRETS;
			break;
		case PSMDB_FINALIZER_PITR_CHUNKS:
			effect = d->needs_pitr ? PSMDB_EFFECT_ERASES_PITR : PSMDB_EFFECT_NOTHING;
			break;
		case PSMDB_FINALIZER_BACKUP:
		case PSMDB_FINALIZER_OTHER:
			break;
		}
		add(ret, effect, "psmdb", c->name, text, "");
	}
}

static bool deleted_with_its_owner(const struct psmdb_deletion *d, const struct psmdb_job *backup)
{
	return d->clusters && backup->has_owner && !strcmp(backup->owner_kind, PSMDB_CLUSTER_KIND);
}

void psmdb_deletion_of_backup(
    const struct psmdb_deletion *d, const struct psmdb_job *backup, struct psmdb_consequences *ret)
{
	bool collected = deleted_with_its_owner(d, backup), erased = false;

	/* one that is being deleted already dies whatever this deletion is */
	if (!d->backups && !d->namespace_ && !collected && !backup->deleting)
		return;
	for (size_t i = 0; i < backup->finalizer_count; i++) {
		enum psmdb_effect effect = PSMDB_EFFECT_HOLDS;

		/* only a ready backup is erased; in any other state the operator lets the finalizer go */
		if (psmdb_finalizer(backup->finalizers[i]) == PSMDB_FINALIZER_BACKUP)
			effect = backup->state == PSMDB_JOB_READY ? PSMDB_EFFECT_ERASES_BACKUP : PSMDB_EFFECT_NOTHING;
		erased |= effect == PSMDB_EFFECT_ERASES_BACKUP;
		add(ret, effect, "backup", backup->name, backup->finalizers[i], "");
	}
	/* the files stay, but a blueprint restores by the object's name; after a namespace one restores from the bucket */
	if (!erased && !d->namespace_)
		add(ret, PSMDB_EFFECT_LOSES_OBJECT, "backup", backup->name, "",
		    backup->deleting ? "it is being deleted"
		    : collected	     ? "its owner is a psmdb that goes"
				     : "deleting backups");
}

const struct psmdb_consequence *psmdb_deletion_forbids(const struct psmdb_consequences *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (effects[c->items[i].effect].forbids)
			return &c->items[i];
	return NULL;
}
