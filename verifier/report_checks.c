#include "verifier/report_checks.h"

#include "verifier/report_words.h"

enum {
	NEEDS_JOURNAL = 1 << CHECK_JOURNAL,
	NEEDS_TIMELINE = 1 << CHECK_TIMELINE,
	NEEDS_BOUND = 1 << CHECK_BOUND,
	NEEDS_OBSERVATION = 1 << CHECK_OBSERVATION,
};

static const struct {
	const char *text, *asks;
	unsigned needs;
} checks[] = {
#define X(name, text, asks, needs) {text, asks, needs},
    REPORT_CHECKS(X)
#undef X
};

const char *check_text(enum report_check check)
{
	return checks[check].text;
}

const char *check_asks(enum report_check check)
{
	return checks[check].asks;
}

const char *check_status_text(enum check_status status)
{
	static const char *const texts[] = {"passed", "failed", "inconclusive", "not judged"};

	return texts[status];
}

/* No default: the compiler asks for a line when a reason is added. */
enum report_check check_of(enum verdict_reason_code code)
{
	switch (code) {
	case REASON_NO_JOURNAL:
	case REASON_JOURNAL_BROKEN:
	case REASON_JOURNAL_CUT:
		return CHECK_JOURNAL;
	case REASON_NO_TIMELINE:
	case REASON_TIMELINE_BROKEN:
	case REASON_NO_DISASTER:
	case REASON_DRILL_STOPPED:
		return CHECK_TIMELINE;
	case REASON_NO_BOUND:
		return CHECK_BOUND;
	case REASON_NO_OBSERVATION:
	case REASON_OBSERVATION_BROKEN:
	case REASON_DETAILS_TRUNCATED:
		return CHECK_OBSERVATION;
	case REASON_BOUND_BEFORE_ANCHOR:
	case REASON_NO_ANCHOR:
		return CHECK_ANCHOR;
	case REASON_WRONG_BACKUP:
	case REASON_IDENTITY_UNKNOWN:
		return CHECK_IDENTITY;
	case REASON_RESTORE_FAILED:
	case REASON_SILENT_LOSS:
	case REASON_BACKUP_FILES_CHANGED:
	case REASON_RESTORE_UNKNOWN:
		return CHECK_RESTORE;
	case REASON_NO_COVERAGE:
	case REASON_SHARD_UNCOVERED:
		return CHECK_COVERAGE;
	case REASON_STALLED:
		return CHECK_LIVENESS;
	case REASON_LOST:
	case REASON_LATE:
	case REASON_RESURRECTED:
	case REASON_UNEXPECTED:
	case REASON_DUPLICATED:
	case REASON_CORRUPTED:
		return CHECK_DATA;
	case REASON_UNDECIDED:
	case REASON_UNJOURNALED:
		return CHECK_UNDECIDED;
	case REASON_PROBE_FAILED:
		return CHECK_PROBES;
	case REASON_SCHEMA_DRIFT:
	case REASON_BEFORE_UNUSABLE:
		return CHECK_SCHEMA;
	case REASON_ROLE_DRIFT:
		return CHECK_ROLES;
	case REASON_LOGIN_DRIFT:
		return CHECK_LOGINS;
	case REASON_MEMBER_DIFFERS:
	case REASON_MEMBER_NOT_READ:
		return CHECK_MEMBERS;
	case REASON_RPO_EXCEEDED:
	case REASON_RPO_PAUSED:
		return CHECK_RPO;
	case REASON_RTO_EXCEEDED:
	case REASON_RTO_PAUSED:
		return CHECK_RTO;
	case REASON_CONTROL_PASSED:
		return CHECK_CONTROL;
	case REASON_LEFT_BEHIND:
	case REASON_NOT_LOOKED_AT:
		return CHECK_REMOVAL;
	case REASON_BACKUPS_KEPT:
	case REASON_TORN:
	case REASON_ROLE_ADDED:
	case REASON_VERSION_DRIFT:
	case REASON_ENVIRONMENT:
	case REASON_FOREIGN:
	case REASON_ORPHANS:
	case REASON_PAUSED:
	case REASON_DIGEST_PARTIAL:
	case REASON_OPEN_JOURNAL:
	case REASON_COUNT:
		break;
	}
	return CHECK_COUNT;
}

static enum check_status by_reasons(const struct verdict *v, enum report_check check)
{
	enum check_status status = CHECK_PASSED;

	for (size_t i = 0; i < v->reason_count; i++) {
		if (check_of(v->reasons[i].code) != check)
			continue;
		if (verdict_reason_severity(v->reasons[i].code) == SEVERITY_FAIL)
			return CHECK_FAILED;
		status = CHECK_INCONCLUSIVE;
	}
	return status;
}

/* What could not be looked at was not judged, whatever else is fine. */
static bool judged(const struct verdict *v, unsigned needs)
{
	if (v->result == VERDICT_ERROR)
		return false;
	for (int c = CHECK_JOURNAL; c <= CHECK_OBSERVATION; c++)
		if ((needs & 1u << c) && by_reasons(v, (enum report_check)c) != CHECK_PASSED)
			return false;
	return true;
}

enum check_status check_status(const struct verdict *v, enum report_check check)
{
	enum check_status status = by_reasons(v, check);

	if (check_is_optional(v, check))
		return CHECK_NOT_JUDGED;
	if (status != CHECK_PASSED || v->result == VERDICT_PASS)
		return status;
	/* a limit can be kept only by a figure that is known to its end */
	if ((check == CHECK_RPO && (!v->has_rpo || v->rpo_at_least)) ||
	    (check == CHECK_RTO && !(v->has_rto && v->rto_complete)))
		return CHECK_NOT_JUDGED;
	return judged(v, checks[check].needs) ? CHECK_PASSED : CHECK_NOT_JUDGED;
}

bool check_is_optional(const struct verdict *v, enum report_check check)
{
	if (by_reasons(v, check) != CHECK_PASSED)
		return false;
	return (check == CHECK_SCHEMA && !v->schema_judged) || (check == CHECK_ROLES && !v->roles_judged);
}

bool check_applies(const struct verdict *v, enum report_check check)
{
	if (by_reasons(v, check) != CHECK_PASSED)
		return true;
	/* nothing was restored that the others could be about */
	if (v->has_removal || check == CHECK_REMOVAL)
		return v->has_removal && check == CHECK_REMOVAL;
	switch (check) {
	case CHECK_RPO:
		return v->max_rpo_ms >= 0;
	case CHECK_RTO:
		return v->max_rto_ms >= 0;
	case CHECK_CONTROL:
		return v->control_count > 0;
	case CHECK_MEMBERS:
		return v->has_members;
	case CHECK_LOGINS:
		return v->login_count > 0;
	default:
		return true;
	}
}

enum check_status stream_status(const struct verdict *v, const struct verdict_stream *s)
{
	if (stream_failing(s))
		return CHECK_FAILED;
	if (s->count[CLASS_UNJOURNALED])
		return CHECK_INCONCLUSIVE;
	return judged(v, checks[CHECK_DATA].needs) ? CHECK_PASSED : CHECK_NOT_JUDGED;
}
