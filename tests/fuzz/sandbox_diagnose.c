/* A log of a process that died: whatever it holds, one harmless line of bounded length comes out. */
#include "sandbox/parts/diagnose.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char line[DIAGNOSE_LINE_MAX];

	diagnose_log((const char *)data, size, line);
	if (!memchr(line, '\0', sizeof line))
		abort();
	for (const char *p = line; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			abort();
	return 0;
}
