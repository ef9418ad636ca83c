#include "base/privacy.h"

#include <sys/prctl.h>
#include <sys/resource.h>

void privacy_begin(void)
{
	/* lowering a limit and this switch cannot fail */
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
#ifndef __SANITIZE_ADDRESS__ /* its leak check stops the process's threads with ptrace, which this forbids */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}
