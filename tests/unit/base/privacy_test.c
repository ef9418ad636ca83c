#include "comes_back.h"

#include "base/buf.h"
#include "base/privacy.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#define DUMPABLE 1
#else
#define DUMPABLE 0
#endif

Test(privacy, no_core_dump_and_nobody_may_look_in)
{
	struct rlimit core;

	privacy_begin();
	cr_assert(!getrlimit(RLIMIT_CORE, &core) && core.rlim_cur == 0 && core.rlim_max == 0);
	cr_assert_eq(prctl(PR_GET_DUMPABLE), DUMPABLE);
}

Test(privacy, a_crash_leaves_no_core_also_of_a_child)
{
	int status;
	pid_t pid;

	privacy_begin();
	pid = fork();
	if (!pid)
		abort();
	cr_assert(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && !WCOREDUMP(status));
}

Test(privacy, a_buffer_wipes_what_it_leaves_behind_when_it_grows_and_when_it_goes, .disabled = MALLOC_IS_WATCHED)
{
	/* the first 16 bytes of a free piece are the allocator's: they overwrite the beginning by themselves */
	static const char padding[] = "................................";
	struct buf buf = BUF_INIT(1 << 20);
	char *plain = malloc(1000);

	cr_assert(plain);
	strcpy(strcpy(plain, padding) + strlen(padding), "left on purpose");
	__asm__ volatile("" : : "r"(plain) : "memory"); /* else the compiler leaves the copy out */
	free(plain);
	cr_assert(comes_back("left on purpose", 1000), "the test itself would see it");

	cr_assert(buf_printf(&buf, NULL, "%shush hush hush", padding));
	for (int i = 0; i < 2000; i++)
		cr_assert(buf_add_char(&buf, '.', NULL));
	buf_clear(&buf);
	for (size_t size = 64; size <= 8192; size *= 2)
		for (size_t less = 0; less < 2; less++)
			cr_expect_not(comes_back("hush", size - less), "%zu bytes", size);
}
