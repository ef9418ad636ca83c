/*
 * psmdb-ticker --shard: sees to it that ticks will reach every shard. Each namespace whose database can be sharded is sharded by
 * {_id: "hashed"}, of which the servers give every shard a part at once if the collection is empty.
 *
 * Guarantees: all namespaces are looked at before the first is changed. A collection that has documents and is not sharded is refused; one that is
 * sharded, by whatever key, is left as it is. Success means that every shard which is not being drained owns a chunk of each.
 * Documents are neither read nor written.
 */
#ifndef TICKER_SHARD_H
#define TICKER_SHARD_H

#include "base/clock.h"
#include "ticker/options.h"

/* Tells one line for each namespace, or the one that there is nothing to shard. */
bool shard_namespaces(
    const struct options *options, const struct clock *clock, const volatile int *stop, FILE *out, struct err *err);

#endif
