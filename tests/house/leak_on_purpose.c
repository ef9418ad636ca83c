/*
 * A Criterion test that leaks and passes: scripts/test runs it to see that its own leak check would notice. Never
 * counted as a test.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

static void *volatile hidden;

Test(leak, on_purpose)
{
	hidden = malloc(100);
	hidden = NULL;
	cr_assert(true);
}
