#include "base/cleanup.h"
#include "base/file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static char dir[64];

static void make_dir(void)
{
	strcpy(dir, "/tmp/psmdb-drill-files-XXXXXX");
	cr_assert(mkdtemp(dir));
}

static void remove_dir(void)
{
	cr_assert(file_remove_tree(dir, NULL));
	cr_assert(!file_exists(dir));
}

TestSuite(file, .init = make_dir, .fini = remove_dir);

static const char *at(const char *name)
{
	static char path[200];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

Test(file, an_atomic_write_replaces_and_sets_the_mode)
{
	BUF_CLEANUP struct buf buf = BUF_INIT(100);
	struct stat st;

	cr_assert(file_write_atomic(at("f"), "old", 3, 0644, NULL));
	cr_assert(file_write_atomic(at("f"), "new!", 4, 0600, NULL));
	cr_assert(file_read(at("f"), &buf, NULL));
	cr_assert_str_eq(buf_str(&buf), "new!");
	cr_assert(!stat(at("f"), &st));
	cr_assert_eq(st.st_mode & 0777, 0600);
}

Test(file, a_failed_atomic_write_leaves_nothing_behind)
{
	struct err err = ERR_INIT;

	cr_assert(file_make_dirs(at("target/below"), 0700, &err));
	cr_assert(
	    !file_write_atomic(at("target"), "x", 1, 0600, &err)); /* a folder that is not empty cannot be replaced */
	cr_assert(strstr(err.msg, "target"));
	cr_assert(file_remove_tree(at("target"), &err));
	cr_assert_eq(rmdir(dir), 0, "a temporary file was left");
	cr_assert_eq(mkdir(dir, 0700), 0);
}

Test(file, more_than_the_limit_is_an_error_that_names_file_and_limit)
{
	BUF_CLEANUP struct buf buf = BUF_INIT(3);
	struct err err = ERR_INIT;

	cr_assert(file_write_atomic(at("f"), "1234", 4, 0600, NULL));
	cr_assert(!file_read(at("f"), &buf, &err));
	cr_assert_eq(err.code, ERR_LIMIT);
	cr_assert(strstr(err.msg, "more than 3 bytes") && strstr(err.msg, "/f\""));
}

Test(file, a_secret_loses_one_newline_and_never_shows)
{
	BUF_CLEANUP struct buf buf = BUF_INIT(100);
	struct err err = ERR_INIT;

	cr_assert(file_write_atomic(at("s"), "p@ss:w/ord#1\n\n", 14, 0600, NULL));
	cr_assert(file_read_secret(at("s"), &buf, NULL));
	cr_assert_str_eq(buf_str(&buf), "p@ss:w/ord#1\n");
	cr_assert(file_write_atomic(at("s"), "hush\0hush", 9, 0600, NULL));
	cr_assert(!file_read_secret(at("s"), &buf, &err));
	cr_assert(!strstr(err.msg, "hush"));
}

Test(file, removing_a_tree_does_not_follow_links)
{
	struct err err = ERR_INIT;

	cr_assert(file_make_dirs(at("keep"), 0700, NULL));
	cr_assert(file_make_dirs(at("gone"), 0700, NULL));
	cr_assert(file_write_atomic(at("keep/f"), "x", 1, 0600, NULL));
	cr_assert_eq(symlink("../keep", at("gone/link")), 0);
	cr_assert(file_remove_tree(at("gone"), &err), "%s", err.msg);
	cr_assert(file_exists(at("keep/f")));
	cr_assert(!file_exists(at("gone")));
}

Test(files, a_device_is_written_to_and_never_replaced)
{
	struct err err = ERR_INIT;
	struct stat st;
	char link[64] = "/tmp/psmdb-files-null-XXXXXX";
	int fd = mkstemp(link);

	cr_assert(fd >= 0);
	close(fd);
	cr_assert(!unlink(link) && !symlink("/dev/null", link));
	/* through a link, so that a mistake costs the link alone */
	cr_expect(file_write_atomic(link, "x", 1, 0600, &err), "%s", err.msg);
	cr_expect(!lstat(link, &st) && S_ISLNK(st.st_mode));
	unlink(link);
}

Test(file, a_link_stays_a_link_and_its_file_is_written)
{
	struct err err = ERR_INIT;
	BUF_CLEANUP struct buf text = BUF_INIT(100);
	struct stat st;

	cr_assert(file_write_atomic(at("real"), "before", 6, 0600, &err), "%s", err.msg);
	cr_assert_eq(symlink("real", at("to-real")), 0);
	cr_assert(file_write_atomic(at("to-real"), "now", 3, 0600, &err), "%s", err.msg);
	cr_expect(!lstat(at("to-real"), &st) && S_ISLNK(st.st_mode));
	cr_expect(file_read(at("real"), &text, &err) && !strcmp(buf_str(&text), "now"), "%s", buf_str(&text));
}

Test(file, a_pipe_that_nobody_reads_is_an_error_at_once)
{
	struct err err = ERR_INIT;

	cr_assert_eq(mkfifo(at("pipe"), 0600), 0);
	cr_assert_not(file_write_atomic(at("pipe"), "x", 1, 0600, &err));
	cr_expect(strstr(err.msg, "pipe"), "%s", err.msg);
}
