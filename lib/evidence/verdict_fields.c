#include "evidence/verdict_fields.h"

#include <stddef.h>

#define ROWS_MAX 1000 /* logins, namespaces, newest */

#define FIELD(type, member, key, kind)                                                                                 \
	{                                                                                                              \
		key, kind, offsetof(type, member), sizeof(((type *)0)->member)                                         \
	}
#define LAST_FIELD                                                                                                     \
	{                                                                                                              \
		NULL, FIELDS_END, 0, 0                                                                                 \
	}

const struct field verdict_head_fields[] = {
    FIELD(struct verdict, title, "title", TEXT),
    FIELD(struct verdict, judged_at_ms, "judgedAt", WALL),
    FIELD(struct verdict, judge, "judge", TEXT),
    FIELD(struct verdict, scenario, "scenario", TEXT),
    FIELD(struct verdict, issued, "issued", I64),
    FIELD(struct verdict, acked, "acked", I64),
    FIELD(struct verdict, undecided, "undecided", I64),
    FIELD(struct verdict, max_undecided, "maxUndecided", I64),
    FIELD(struct verdict, digest_checked, "digestChecked", I64),
    FIELD(struct verdict, digest_unchecked, "digestUnchecked", I64),
    FIELD(struct verdict, cluster_before, "clusterBefore", TEXT),
    FIELD(struct verdict, cluster_after, "clusterAfter", TEXT),
    FIELD(struct verdict, events_truncated, "eventsTruncated", FLAG),
    LAST_FIELD,
};

const struct field verdict_bound_fields[] = {
    FIELD(struct verdict, backup_name, "backup", TEXT),
    FIELD(struct verdict, backup_opid, "opid", TEXT),
    FIELD(struct verdict, bound_source, "source", TEXT),
    FIELD(struct verdict, bound_precision, "precision", TEXT),
    FIELD(struct verdict, pbm_version, "pbmVersion", TEXT),
    FIELD(struct verdict, mongodb_version, "mongodbVersion", TEXT),
    FIELD(struct verdict, b0, "b0", OPTIME),
    FIELD(struct verdict, torn_width_s, "tornWidthSeconds", NUMBER),
    LAST_FIELD,
};

static const struct field set_fields[] = {
    FIELD(struct verdict_set, name, "name", TEXT),
    FIELD(struct verdict_set, b0, "b0", OPTIME),
    FIELD(struct verdict_set, b1, "b1", OPTIME),
    FIELD(struct verdict_set, ticks, "ticks", I64_KNOWN),
    LAST_FIELD,
};

const struct field verdict_restore_fields[] = {
    FIELD(struct verdict, restore_state, "state", TEXT),
    FIELD(struct verdict, restore_reported_by, "reportedBy", TEXT),
    FIELD(struct verdict, restored_backup, "backup", TEXT),
    FIELD(struct verdict, restored_opid, "opid", TEXT),
    FIELD(struct verdict, restore_detail, "detail", TEXT),
    LAST_FIELD,
};

const struct field verdict_rpo_fields[] = {
    FIELD(struct verdict, rpo_at_least, "atLeast", FLAG),
    FIELD(struct verdict, rpo_error_ms, "errorMs", NUMBER),
    FIELD(struct verdict, rpo_ops, "operations", I64),
    FIELD(struct verdict, max_rpo_ms, "maxMs", LIMIT),
    LAST_FIELD,
};

const struct field verdict_rto_fields[] = {
    FIELD(struct verdict, rto_error_ms, "errorMs", NUMBER),
    FIELD(struct verdict, rto_complete, "complete", FLAG),
    FIELD(struct verdict, rto_until, "until", TEXT),
    FIELD(struct verdict, max_rto_ms, "maxMs", LIMIT),
    LAST_FIELD,
};

const struct field verdict_members_fields[] = {
    FIELD(struct verdict, members_asked, "asked", I64),
    FIELD(struct verdict, members_read, "read", I64),
    FIELD(struct verdict, members_equal, "equal", I64),
    LAST_FIELD,
};

const struct field verdict_removal_fields[] = {
    FIELD(struct verdict, removal_kinds, "kinds", I64),
    FIELD(struct verdict, removal_kinds_unread, "kindsUnread", I64),
    FIELD(struct verdict, removal_objects, "objects", I64),
    FIELD(struct verdict, removal_left, "left", I64),
    LAST_FIELD,
};

const struct field verdict_before_fields[] = {
    FIELD(struct verdict, schema_judged, "schema", FLAG),
    FIELD(struct verdict, roles_judged, "roles", FLAG),
    LAST_FIELD,
};

static const struct field phase_fields[] = {
    FIELD(struct verdict_phase, name, "name", TEXT),
    FIELD(struct verdict_phase, from_ms, "fromMs", NUMBER),
    FIELD(struct verdict_phase, to_ms, "toMs", NUMBER),
    LAST_FIELD,
};

const struct field verdict_stream_fields[] = {
    FIELD(struct verdict_stream, run, "run", UUID),
    FIELD(struct verdict_stream, ns, "ns", TEXT),
    FIELD(struct verdict_stream, writer, "writer", I32),
    FIELD(struct verdict_stream, replica_set, "replicaSet", TEXT),
    FIELD(struct verdict_stream, issued, "issued", I64),
    FIELD(struct verdict_stream, first, "first", I64),
    FIELD(struct verdict_stream, last, "last", I64),
    LAST_FIELD,
};

static const struct field login_fields[] = {
    FIELD(struct verdict_login, user, "user", TEXT),
    FIELD(struct verdict_login, ok, "ok", FLAG),
    FIELD(struct verdict_login, detail, "detail", TEXT),
    LAST_FIELD,
};

static const struct field namespace_fields[] = {
    FIELD(struct verdict_namespace, ns, "ns", TEXT),
    FIELD(struct verdict_namespace, exists, "exists", FLAG),
    FIELD(struct verdict_namespace, documents, "documents", I64),
    FIELD(struct verdict_namespace, indexes, "indexes", NUMBER),
    FIELD(struct verdict_namespace, options, "options", TEXT),
    LAST_FIELD,
};

const struct field verdict_newest_fields[] = {
    FIELD(struct verdict_newest, ns, "ns", TEXT),
    FIELD(struct verdict_newest, created_at_ms, "createdAt", WALL),
    FIELD(struct verdict_newest, seq, "seq", I64),
    LAST_FIELD,
};

static const struct field event_fields[] = {
    FIELD(struct verdict_event, at_ms, "at", WALL),
    FIELD(struct verdict_event, since_ms, "sinceMs", NUMBER),
    FIELD(struct verdict_event, name, "name", TEXT),
    FIELD(struct verdict_event, text, "text", TEXT),
    LAST_FIELD,
};

static const struct field input_fields[] = {
    FIELD(struct verdict_input, kind, "kind", TEXT),
    FIELD(struct verdict_input, name, "name", TEXT),
    FIELD(struct verdict_input, sha256, "sha256", TEXT),
    FIELD(struct verdict_input, bytes, "bytes", I64),
    FIELD(struct verdict_input, records, "records", U64),
    FIELD(struct verdict_input, chain, "chain", TEXT),
    FIELD(struct verdict_input, state, "state", TEXT),
    LAST_FIELD,
};

typedef __typeof__(((struct verdict *)0)->versions[0]) version_row;
static const struct field version_fields[] = {
    FIELD(version_row, name, "name", TEXT),
    FIELD(version_row, value, "value", TEXT),
    LAST_FIELD,
};

static const struct field control_fields[] = {
    FIELD(struct verdict_control, name, "name", TEXT),
    FIELD(struct verdict_control, found, "found", FLAG),
    FIELD(struct verdict_control, detail, "detail", TEXT),
    LAST_FIELD,
};

#define TABLE(key, fields, rows, count, type, max, in_place)                                                           \
	{                                                                                                              \
		key, fields, offsetof(struct verdict, rows), offsetof(struct verdict, count), sizeof(type), max,       \
		    in_place                                                                                           \
	}
#define FIXED(rows) (sizeof(((struct verdict *)0)->rows) / sizeof(((struct verdict *)0)->rows[0]))

const struct table verdict_sets_table =
    TABLE("replicaSets", set_fields, sets, set_count, struct verdict_set, FIXED(sets), true);
const struct table verdict_phases_table =
    TABLE("phases", phase_fields, phases, phase_count, struct verdict_phase, FIXED(phases), true);
const struct table verdict_controls_table =
    TABLE("controls", control_fields, controls, control_count, struct verdict_control, FIXED(controls), true);
const struct table verdict_tables[] = {
    TABLE("newest", verdict_newest_fields, newest, newest_count, struct verdict_newest, ROWS_MAX, false),
    TABLE("logins", login_fields, logins, login_count, struct verdict_login, ROWS_MAX, false),
    TABLE("namespaces", namespace_fields, namespaces, namespace_count, struct verdict_namespace, ROWS_MAX, false),
    TABLE("events", event_fields, events, event_count, struct verdict_event, VERDICT_EVENTS_MAX, false),
    TABLE("inputs", input_fields, inputs, input_count, struct verdict_input, FIXED(inputs), true),
    TABLE("versions", version_fields, versions, version_count, version_row, FIXED(versions), true),
};
_Static_assert(sizeof verdict_tables / sizeof *verdict_tables == VERDICT_TABLES, "verdict_fields.h names their number");

const void *verdict_table_rows(const struct table *t, const struct verdict *v)
{
	const char *at = (const char *)v + t->rows;

	return t->in_place ? (const void *)at : *(const void *const *)(const void *)at;
}

size_t verdict_table_count(const struct table *t, const struct verdict *v)
{
	return *(const size_t *)(const void *)((const char *)v + t->count);
}

bool verdict_check_result(const struct verdict *v, struct err *err)
{
	size_t fails = 0, open = 0;

	for (size_t i = 0; i < v->reason_count; i++) {
		fails += verdict_reason_severity(v->reasons[i].code) == SEVERITY_FAIL;
		open += verdict_reason_severity(v->reasons[i].code) == SEVERITY_INCONCLUSIVE;
	}
	if ((v->result == VERDICT_PASS && (fails || open)) || (v->result == VERDICT_FAIL && !fails) ||
	    (v->result == VERDICT_INCONCLUSIVE && (fails || !open)))
		return err_set(err, ERR_BROKEN,
		    "verdict %s with %zu failing and %zu inconclusive reasons contradicts itself",
		    verdict_result_text(v->result), fails, open);
	return true;
}

bool verdict_check_sizes(const struct verdict *v, struct err *err)
{
	for (size_t i = 0; i < VERDICT_TABLES; i++)
		if (verdict_table_count(&verdict_tables[i], v) > verdict_tables[i].max)
			return err_set(err, ERR_LIMIT, "verdict with more than %zu %s", verdict_tables[i].max,
			    verdict_tables[i].key);
	if (v->reason_count > VERDICT_REASONS_MAX)
		return err_set(err, ERR_LIMIT, "verdict with more than %d reasons", VERDICT_REASONS_MAX);
	if (v->stream_count > VERDICT_STREAMS_MAX)
		return err_set(err, ERR_LIMIT, "verdict with more than %d streams", VERDICT_STREAMS_MAX);
	if (v->control_count > verdict_controls_table.max)
		return err_set(err, ERR_LIMIT, "verdict with more than %zu controls", verdict_controls_table.max);
	if (v->set_count > verdict_sets_table.max || v->phase_count > verdict_phases_table.max)
		return err_set(err, ERR_LIMIT, "verdict with more than %zu replica sets or %zu phases",
		    verdict_sets_table.max, verdict_phases_table.max);
	return true;
}
