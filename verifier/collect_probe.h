/*
 * The first successful login, majority read and majority write after a restore: when, after how many attempts. The
 * RTO's last three steps.
 *
 * Each probe is tried until it succeeds or the common deadline passes; a refused login counts as "not yet" until
 * then, since a restore brings the users back at some point. A refused permission (code 13) is final at its second
 * time. elapsed_ms counts from the start of the first probe.
 */
#ifndef VERIFIER_COLLECT_PROBE_H
#define VERIFIER_COLLECT_PROBE_H

#include "evidence/observed.h"
#include "verifier/collect_link.h"

#define PROBE_NS "drill.probe"

struct probes {
	struct link *link;
	int64_t start_ms, deadline_ms; /* monotonic */
	struct optime written;	       /* operation time of the majority write; zero before it */
	bool opened;		       /* the link, by the last probe, which was successful */
};

void probes_init(struct probes *p, struct link *link, int64_t wait_ms);

/* Both fill *ret in every case; false: what the last attempt said (also in ret->detail). The link is open and usable
 * after success. */
bool probe_login(struct probes *p, struct observed_probe *ret, struct err *err);
bool probe_read(struct probes *p, const char *ns, struct observed_probe *ret, struct err *err);
/* One document in drill.probe, always the same one. */
bool probe_write(struct probes *p, struct observed_probe *ret, struct err *err);

/* Another user of the same server: never fails, the answer is in *ret. */
void probe_user(const struct link *link, const struct mongo_credentials *who, struct observed_login *ret);

#endif
