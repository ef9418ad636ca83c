#include "base/place.h"

#include "base/file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* PREFIX/bin with two programs, BUILD/verifier, BUILD/tests/unit/base and the share folders, below a folder of its own. */
struct tree {
	char root[64];
};

static void add(const struct tree *tree, const char *rest, mode_t mode)
{
	char path[PATH_MAX], folder[PATH_MAX];
	struct err err = ERR_INIT;

	snprintf(path, sizeof path, "%s/%s", tree->root, rest);
	snprintf(folder, sizeof folder, "%s", path);
	*strrchr(folder, '/') = '\0';
	cr_assert(file_make_dirs(folder, 0755, &err), "%s", err.msg);
	cr_assert(file_write_atomic(path, "x", 1, mode, &err), "%s", err.msg);
}

static void tree_init(struct tree *tree)
{
	strcpy(tree->root, "/tmp/drill-place-XXXXXX");
	cr_assert(mkdtemp(tree->root));
	unsetenv("PSMDB_DRILL_SHARE");
	add(tree, "prefix/bin/psmdb-drill", 0755);
	add(tree, "prefix/bin/psmdb-verify", 0755);
	add(tree, "prefix/share/psmdb-drill/manifests/cr.yaml", 0644);
	add(tree, "build/verifier/psmdb-verify", 0755);
	add(tree, "build/verifier/psmdb-ticker", 0644);
	add(tree, "build/share/psmdb-drill/manifests/cr.yaml", 0644);
	add(tree, "build/scenarios/psmdb-drill", 0755);
	add(tree, "build/tests/unit/base/place", 0755);
}

static void tree_clear(struct tree *tree)
{
	file_remove_tree(tree->root, NULL);
}

static void expect(const struct tree *tree, bool ok, const char *found, const char *rest, const struct err *err)
{
	char want[PATH_MAX];

	cr_assert(ok, "%s", err->msg);
	snprintf(want, sizeof want, "%s/%s", tree->root, rest);
	cr_assert_str_eq(found, want);
}

Test(place, programs_are_found_beside_and_in_the_build_tree)
{
	char found[PATH_MAX], self[PATH_MAX];
	struct err err = ERR_INIT;
	struct tree tree;
	bool ok;

	tree_init(&tree);
	snprintf(self, sizeof self, "%s/prefix/bin/psmdb-drill", tree.root);
	ok = place_program_from(self, "psmdb-verify", found, &err);
	expect(&tree, ok, found, "prefix/bin/psmdb-verify", &err);
	snprintf(self, sizeof self, "%s/build/scenarios/psmdb-drill", tree.root);
	ok = place_program_from(self, "psmdb-verify", found, &err);
	expect(&tree, ok, found, "build/verifier/psmdb-verify", &err);
	snprintf(self, sizeof self, "%s/build/tests/unit/base/place", tree.root);
	ok = place_program_from(self, "psmdb-verify", found, &err);
	expect(&tree, ok, found, "build/verifier/psmdb-verify", &err);
	cr_assert(!place_program_from(self, "psmdb-nothing", found, &err));
	cr_assert_eq(err.code, ERR_NOT_FOUND);
	cr_assert(*err.hint);
	cr_assert(!place_program_from(self, "psmdb-ticker", found, &err), "it cannot be executed");
	cr_assert(!place_program_from(self, "../verifier/psmdb-verify", found, &err));
	tree_clear(&tree);
}

Test(place, nothing_is_taken_from_above_a_folder_that_all_may_write_to)
{
	char found[PATH_MAX], self[PATH_MAX], open[PATH_MAX];
	struct err err = ERR_INIT;
	struct tree tree;

	tree_init(&tree);
	snprintf(self, sizeof self, "%s/build/tests/unit/base/place", tree.root);
	snprintf(open, sizeof open, "%s/build", tree.root);
	cr_assert(chmod(open, 01777) == 0);
	cr_assert(!place_program_from(self, "psmdb-verify", found, &err), "%s", found);
	cr_assert(!place_share_from(self, "manifests/cr.yaml", found, &err), "%s", found);
	tree_clear(&tree);
}

Test(place, a_program_on_path_is_the_last_choice)
{
	char found[PATH_MAX], self[PATH_MAX], path[PATH_MAX];
	struct err err = ERR_INIT;
	struct tree tree;
	bool ok;

	tree_init(&tree);
	add(&tree, "other/psmdb-sandbox", 0755);
	snprintf(path, sizeof path, ":relative:%s/nothing:%s/other", tree.root, tree.root);
	setenv("PATH", path, 1);
	snprintf(self, sizeof self, "%s/prefix/bin/psmdb-drill", tree.root);
	ok = place_program_from(self, "psmdb-sandbox", found, &err);
	expect(&tree, ok, found, "other/psmdb-sandbox", &err);
	tree_clear(&tree);
}

Test(place, the_share_folder)
{
	char found[PATH_MAX], self[PATH_MAX], other[PATH_MAX];
	struct err err = ERR_INIT;
	struct tree tree;
	bool ok;

	tree_init(&tree);
	snprintf(self, sizeof self, "%s/prefix/bin/psmdb-drill", tree.root);
	ok = place_share_from(self, "manifests/cr.yaml", found, &err);
	expect(&tree, ok, found, "prefix/share/psmdb-drill/manifests/cr.yaml", &err);
	snprintf(self, sizeof self, "%s/build/tests/unit/base/place", tree.root);
	ok = place_share_from(self, "manifests/cr.yaml", found, &err);
	expect(&tree, ok, found, "build/share/psmdb-drill/manifests/cr.yaml", &err);
	cr_assert(!place_share_from(self, "manifests/none.yaml", found, &err));
	cr_assert_eq(err.code, ERR_NOT_FOUND);
	cr_assert(!place_share_from(self, "manifests/../../x", found, &err));
	cr_assert(!place_share_from(self, "/etc/passwd", found, &err));

	add(&tree, "mine/manifests/cr.yaml", 0644);
	snprintf(other, sizeof other, "%s/mine", tree.root);
	setenv("PSMDB_DRILL_SHARE", other, 1);
	ok = place_share_from(self, "manifests/cr.yaml", found, &err);
	expect(&tree, ok, found, "mine/manifests/cr.yaml", &err);
	err = (struct err)ERR_INIT;
	cr_assert(!place_share_from(self, "manifests/x.yaml", found, &err), "the variable is the only place then");
	cr_assert(strstr(err.hint, "PSMDB_DRILL_SHARE"));
	tree_clear(&tree);
}

Test(place, the_running_program_knows_its_build_tree)
{
	char found[PATH_MAX];
	struct err err = ERR_INIT;

	unsetenv("PSMDB_DRILL_SHARE");
	cr_assert(place_share("sandbox/CMakeLists.txt", found, &err), "%s", err.msg);
}
