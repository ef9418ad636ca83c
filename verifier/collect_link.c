#include "verifier/collect_link.h"

#include "mongo/bson_util.h"

#include <stdio.h>

bool link_open(struct link *l, struct err *err)
{
	mongoc_client_t *client;

	if (!mongo_client_new(&l->target, &client, err))
		return false;
	link_close(l);
	l->client = client;
	reply_watch_attach(&l->watch, client, "update");
	return true;
}

void link_close(struct link *l)
{
	if (l->client)
		mongoc_client_destroy(l->client);
	l->client = NULL;
}

static int32_t server_code(const bson_error_t *error, const bson_t *reply)
{
	int64_t code;

	if (reply && bson_path_i64(reply, "code", &code) && code > 0 && code <= INT32_MAX)
		return (int32_t)code;
	switch (error->domain) {
	case MONGOC_ERROR_SERVER:
	case MONGOC_ERROR_WRITE_CONCERN:
	case MONGOC_ERROR_QUERY:
		return (int32_t)error->code;
	default:
		return 0;
	}
}

bool link_fail(struct link *l, const bson_error_t *error, const bson_t *reply, const char *what, struct err *err)
{
	l->code = server_code(error, reply);
	return mongo_error(error, reply, err, what);
}

bool link_cursor_failed(struct link *l, mongoc_cursor_t *cursor, const char *what, struct err *err)
{
	bson_error_t error = {0};
	const bson_t *reply;

	return mongoc_cursor_error_document(cursor, &error, &reply) && !link_fail(l, &error, reply, what, err);
}

bool link_command(
    struct link *l, const char *db, const bson_t *command, const bson_t *opts, bson_t *ret_reply, struct err *err)
{
	bson_error_t error = {0};
	bson_iter_t it;
	char what[96];

	if (mongoc_client_read_command_with_opts(l->client, db, command, NULL, opts, ret_reply, &error))
		return true;
	snprintf(what, sizeof what, "command \"%s\" on database \"%s\"",
	    bson_iter_init(&it, command) && bson_iter_next(&it) ? bson_iter_key(&it) : "", db);
	return link_fail(l, &error, ret_reply, what, err);
}

bool link_stopped(const struct link *l, struct err *err)
{
	if (!l->stop || !*l->stop)
		return false;
	err_set(err, ERR_INTERRUPTED, "collecting was interrupted");
	err_hint(err, "nothing was written; run it again");
	return true;
}

/* https://www.mongodb.com/docs/manual/reference/error-codes/ */
bool link_passes_by(const struct link *l, const struct err *err)
{
	switch (l->code) {
	case 6:	    /* HostUnreachable */
	case 7:	    /* HostNotFound */
	case 43:    /* CursorNotFound */
	case 89:    /* NetworkTimeout */
	case 91:    /* ShutdownInProgress */
	case 133:   /* FailedToSatisfyReadPreference */
	case 134:   /* ReadConcernMajorityNotAvailableYet */
	case 175:   /* QueryPlanKilled */
	case 189:   /* PrimarySteppedDown */
	case 237:   /* CursorKilled */
	case 262:   /* ExceededTimeLimit */
	case 9001:  /* SocketException */
	case 10107: /* NotWritablePrimary */
	case 11600: /* InterruptedAtShutdown */
	case 11601: /* Interrupted: killOp */
	case 11602: /* InterruptedDueToReplStateChange */
	case 13435: /* NotPrimaryNoSecondaryOk */
	case 13436: /* NotPrimaryOrSecondary */
		return true;
	default:
		return err->code == ERR_NET || err->code == ERR_TIMEOUT;
	}
}

bool link_try(struct link *l, bool (*act)(struct link *l, void *arg, struct err *err), void *arg, struct err *err)
{
	bool denied_before = false;

	for (int attempt = 1;; attempt++) {
		struct err inner = ERR_INIT;
		bool denied;

		if (link_stopped(l, err))
			return false;
		l->code = 0;
		l->progress = false;
		if (act(l, arg, &inner))
			return true;
		if (l->progress) {
			attempt = 1;
			denied_before = false;
		}
		denied = inner.code == ERR_AUTH;
		if (attempt == LINK_ATTEMPTS || denied_before || !(denied || link_passes_by(l, &inner))) {
			if (attempt > 1)
				err_wrap(&inner, "given up after %d attempts", attempt);
			if (err)
				*err = inner;
			return false;
		}
		denied_before = denied;
		if (l->retrying)
			l->retrying(l->ctx, inner.msg);
		clock_sleep_until(l->clock, clock_mono_ns(l->clock) + LINK_PAUSE_MS * INT64_C(1000000), l->stop);
		if (!link_open(l, err))
			return false;
	}
}
