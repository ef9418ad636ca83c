#include "ticker/outcome.h"

#include <stdio.h>
#include <string.h>

/*
 * What is not here is in doubt: a server that steps down or shuts down (189, 10107, 11600, 11602, 91) may have
 * written before it said so, a mongos repeats what a shard refused, time-outs (50, 64, 262) say nothing, and 11000
 * says that a document is there.
 */
bool outcome_code_proves_refusal(int32_t code)
{
	static const int32_t codes[] = {
	    2,	   /* BadValue */
	    9,	   /* FailedToParse */
	    13,	   /* Unauthorized */
	    14,	   /* TypeMismatch */
	    20,	   /* IllegalOperation: transaction numbers on a standalone */
	    59,	   /* CommandNotFound */
	    61,	   /* ShardKeyNotFound */
	    72,	   /* InvalidOptions */
	    73,	   /* InvalidNamespace */
	    121,   /* DocumentValidationFailure */
	    166,   /* CommandNotSupportedOnView */
	    371,   /* UserWritesBlocked */
	    391,   /* ReauthenticationRequired */
	    10334, /* BSONObjectTooLarge */
	    40415, /* unknown field of a command */
	};

	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (codes[i] == code)
			return true;
	return false;
}

bool outcome_code_is_of_login(int32_t code)
{
	return code == 13 || code == 391;
}

static void say(struct outcome *o, int32_t code, const char *reason)
{
	o->code = code;
	snprintf(o->reason, sizeof o->reason, "%s", reason && *reason ? reason : "no reason given");
}

static void say_doubt(struct outcome *o, const struct reply_seen *seen, const bson_error_t *driver)
{
	if (!seen->attempts) {
		say(o, 0, driver ? driver->message : "never sent");
	} else if (!seen->last_answered) {
		say(o, 0, driver ? driver->message : "no answer");
	} else {
		int32_t code = seen->code	   ? seen->code
			       : seen->write_error ? seen->write_error
						   : seen->write_concern_error;

		say(o, code, seen->message[0] || !driver ? seen->message : driver->message);
	}
}

void outcome_of_first(const struct reply_seen *seen, const bson_error_t *driver, int count, struct outcome *ret)
{
	bool single = seen->attempts == 1 && seen->replies == 1 && !seen->retried;
	bool plain = seen->last_answered && seen->ok && seen->has_optime && !seen->write_concern_error;
	struct outcome o = {.unknown = count};

	if (plain && !seen->write_errors && seen->n == count && !driver) {
		o = (struct outcome){.acked = count, .exact = single && count == 1};
	} else if (single && seen->last_answered && !seen->ok && outcome_code_proves_refusal(seen->code)) {
		o = (struct outcome){.failed = count};
		say(&o, seen->code, seen->message);
	} else if (single && plain && seen->write_errors == 1 && seen->n >= 0 && seen->n < count) {
		bool refused = outcome_code_proves_refusal(seen->write_error);

		o.acked = seen->n;
		o.failed = refused ? count - seen->n : 0;
		o.unknown = count - o.acked - o.failed;
		say(&o, seen->write_error, seen->message);
	} else {
		say_doubt(&o, seen, driver);
	}
	*ret = o;
}

enum outcome_again outcome_of_again(const struct reply_seen *seen, const bson_error_t *driver, int count)
{
	if (!seen->last_answered || !seen->ok || !seen->has_optime || seen->write_concern_error)
		return AGAIN_UNKNOWN;
	if (!seen->write_errors)
		return seen->n == count && !driver ? AGAIN_INSERTED : AGAIN_UNKNOWN;
	return seen->duplicate_keys == seen->write_errors && seen->n + seen->duplicate_keys == count ? AGAIN_PRESENT
												     : AGAIN_UNKNOWN;
}
