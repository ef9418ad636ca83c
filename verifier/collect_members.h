/*
 * The further members of a replica set, each read directly and compared with what was read of the primary: the secondaries
 * and the hidden ones, by the set's configuration; arbiters hold no data.
 *
 * Read concern majority, at or after the primary's majority time when this begins, which a member is given a while to
 * reach. Nothing may write to the namespaces
 * meanwhile: where a member differs the primary is read again, and if that differs from its first reading, too, the
 * member counts as not read. Memory: one further tally at a time.
 *
 * Equal: the same streams with the same intervals and block digests, and as many anomalies and documents that are no
 * ticks.
 */
#ifndef VERIFIER_COLLECT_MEMBERS_H
#define VERIFIER_COLLECT_MEMBERS_H

#include "verifier/collect_internal.h"

/* A member that cannot be read is recorded, not a failure. */
bool members_read(const struct collect_options *o, struct collection *c, struct err *err);

/* --- for tests
 * --------------------------------------------------------------------------------------------------------------------- */

/* The first difference in ret_text. true: there is none. */
bool members_compare(const struct tally *primary, const struct tally *member, char *ret_text, size_t size);
/* The address of one member, with the options of uri that are about how to connect. ERR_LIMIT, ERR_USAGE. */
bool members_uri(const char *uri, const char *host, char *ret, size_t size, struct err *err);

#endif
