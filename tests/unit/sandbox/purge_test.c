#include "base/file.h"
#include "sandbox/parts/connection.h"
#include "sandbox/parts/purge.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64];

static void make(void)
{
	strcpy(dir, "/tmp/psmdb-purge-XXXXXX");
	cr_assert(mkdtemp(dir));
}

static void clean(void)
{
	file_remove_tree(dir, NULL);
}

TestSuite(purge, .init = make, .fini = clean);

static void put(const char *name)
{
	char path[PATH_MAX], *slash;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	slash = strrchr(path, '/');
	*slash = '\0';
	cr_assert(file_make_dirs(path, 0700, NULL));
	*slash = '/';
	cr_assert(file_write_atomic(path, "x", 1, 0600, NULL));
}

static bool there(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return file_exists(path);
}

Test(purge, what_a_sandbox_makes_goes_and_the_folder_with_it)
{
	static const char *const names[] = {"lock", "state.json", "state.json.aBc123", "keyfile", "s3.json",
	    "secrets/admin-password", "mongod-0/data/WiredTiger", "mongod-6/data/x", "s3/filerldb2/00/x",
	    "logs/mongod-0.log"};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		put(names[i]);
	cr_assert(purge_check(dir, &err), "%s", err.msg);
	cr_assert(purge(dir, &err), "%s", err.msg);
	cr_assert_not(file_exists(dir));
}

Test(purge, a_stranger_is_named_and_stays)
{
	static const char *const strangers[] = {"thesis.tex", "mongod-10/x", "mongod-a/x", "mongod-/x",
	    "state.json.bak", "secrets.txt", ".ssh/id", "locks"};

	for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
		struct err err = ERR_INIT;
		char name[64];

		snprintf(name, sizeof name, "\"%.*s\"", (int)strcspn(strangers[i], "/"), strangers[i]);
		put(strangers[i]);
		put("lock");
		cr_expect_not(purge_check(dir, &err));
		cr_expect(strstr(err.msg, name), "%s", err.msg);
		cr_expect(purge(dir, &err), "%s", err.msg);
		cr_expect(there(strangers[i]), "%s", strangers[i]);
		cr_expect_not(there("lock"));
		clean();
		make();
	}
}

Test(purge, a_link_is_removed_and_not_followed)
{
	char other[64], link[PATH_MAX], inside[PATH_MAX];

	strcpy(other, "/tmp/psmdb-purge-other-XXXXXX");
	cr_assert(mkdtemp(other));
	snprintf(inside, sizeof inside, "%s/precious", other);
	cr_assert(file_write_atomic(inside, "x", 1, 0600, NULL));
	snprintf(link, sizeof link, "%s/s3", dir);
	cr_assert_eq(symlink(other, link), 0);
	cr_assert(purge(dir, NULL));
	cr_assert(file_exists(inside));
	file_remove_tree(other, NULL);
}

Test(purge, an_empty_folder_is_fit_for_a_sandbox)
{
	cr_assert(purge_check(dir, NULL));
}

static void lock_and_remove_for_ever(void)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof path, "%s/lock", dir);
	for (;;) {
		if (!sandbox_lock(dir, &fd, NULL))
			continue;
		unlink(path);
		close(fd);
	}
}

Test(purge, a_lock_that_was_removed_while_it_was_waited_for_is_none)
{
	char path[PATH_MAX];
	pid_t other = fork();
	int held = 0;

	if (!other)
		lock_and_remove_for_ever();
	snprintf(path, sizeof path, "%s/lock", dir);
	for (int i = 0; i < 1000000 && held < 2000; i++) {
		struct stat locked, named;
		int fd;

		if (!sandbox_lock(dir, &fd, NULL))
			continue;
		held++;
		cr_assert(!fstat(fd, &locked));
		cr_expect(
		    !stat(path, &named) && locked.st_ino == named.st_ino, "the lock number %d is on no file", held);
		close(fd);
	}
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	cr_assert_geq(held, 100);
}
