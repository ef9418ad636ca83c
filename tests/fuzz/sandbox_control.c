/* A request on the sandbox's control socket: refused or understood, and what is understood names only parts that exist.
 */
#include "sandbox/parts/control.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct layout layout = {.dir = "/tmp/x", .members = 3, .mongod_port = 27017, .ports = 20000};
	static const struct secrets secrets;
	static struct part_set *set;
	struct control_request request;
	struct err answer;

	if (!set && !part_set_new(&layout, &secrets, &set, NULL))
		abort();
	if (control_parse((const char *)data, size, set, &request, NULL) &&
	    (request.op >= CONTROL_OP_COUNT || request.parts & ~part_set_all(set) || request.timeout_ms < 1))
		abort();
	control_parse_answer((const char *)data, size, &answer, NULL);
	return 0;
}
