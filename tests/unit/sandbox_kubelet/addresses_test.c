#include "sandbox/kubelet/addresses.h"

#include "base/file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int take(struct addresses *a, const char *key, bool keep)
{
	struct err err = ERR_INIT;
	bool changed;
	int host = 0;

	return addresses_take(a, key, keep, &host, &changed, &err) ? host : -1;
}

Test(addresses, a_pod_of_a_statefulset_gets_its_address_again)
{
	struct addresses a = {0};
	int first = take(&a, "ns/rs0-0", true), other = take(&a, "ns/job", false);

	cr_assert_neq(first, other);
	addresses_release(&a, "ns/rs0-0");
	addresses_release(&a, "ns/job");
	cr_assert_neq(take(&a, "ns/new", false), first);
	cr_assert_eq(take(&a, "ns/rs0-0", true), first);
}

Test(addresses, an_address_is_not_given_to_the_next_one_at_once)
{
	struct addresses a = {0};
	int first = take(&a, "ns/a", false);

	cr_assert(addresses_release(&a, "ns/a"));
	cr_assert_neq(take(&a, "ns/b", false), first);
}

Test(addresses, a_memory_is_given_up_only_when_nothing_else_is_left)
{
	struct addresses a = {0};
	char key[32];
	bool seen[256] = {false};

	cr_assert_eq(take(&a, "ns/kept", true), POD_HOST_FIRST);
	addresses_release(&a, "ns/kept");
	for (int i = 0; i < POD_HOSTS; i++) {
		int host;

		snprintf(key, sizeof key, "ns/p%d", i);
		host = take(&a, key, false);
		cr_assert(host >= POD_HOST_FIRST && host <= POD_HOST_LAST && !seen[host], "%s got %d", key, host);
		seen[host] = true;
		cr_assert_eq(host == POD_HOST_FIRST, i == POD_HOSTS - 1);
	}
	cr_assert_eq(take(&a, "ns/one-too-many", false), -1);
}

Test(addresses, the_book_survives_in_its_file)
{
	char dir[] = "/tmp/addressesXXXXXX", path[64];
	struct addresses a = {0}, again = {0};
	struct err err = ERR_INIT;
	int host;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/a.json", dir);
	cr_assert(addresses_load(path, &again, &err) && again.count == 0);
	host = take(&a, "ns/rs0-0", true);
	take(&a, "ns/x", false);
	cr_assert(addresses_save(path, &a, &err), "%s", err.msg);
	cr_assert(addresses_load(path, &again, &err), "%s", err.msg);
	cr_assert_eq(again.count, 2);
	cr_assert_eq(take(&again, "ns/rs0-0", true), host);
	cr_assert(file_remove_tree(dir, &err));
}

Test(addresses, a_book_that_contradicts_itself_is_refused)
{
	static const char *const wrong[] = {
	    "",
	    "{}",
	    "{\"addresses\":[{\"pod\":\"a\",\"host\":10,\"keep\":true}]}",
	    "{\"addresses\":[{\"pod\":\"a\",\"host\":128,\"keep\":true}]}",
	    "{\"addresses\":[{\"pod\":\"a\",\"host\":11}]}",
	    "{\"addresses\":[{\"pod\":\"a\",\"host\":11,\"keep\":true},{\"pod\":\"b\",\"host\":11,\"keep\":true}]}",
	    "{\"addresses\":[{\"pod\":\"a\",\"host\":11,\"keep\":true},{\"pod\":\"a\",\"host\":12,\"keep\":true}]}",
	};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct addresses a = {.last = 77};
		struct err err = ERR_INIT;

		cr_assert_not(addresses_parse(wrong[i], strlen(wrong[i]), &a, &err), "%s", wrong[i]);
		cr_assert_eq(a.last, 77);
	}
}
