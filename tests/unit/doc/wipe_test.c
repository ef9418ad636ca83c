#include "../base/comes_back.h"

#include "doc/json_edit.h"

#include <criterion/criterion.h>

/* The allocator overwrites the first bytes of what is given back by itself. */
#define PADDING "................................"

Test(wipe, a_tree_leaves_none_of_its_texts_behind, .disabled = MALLOC_IS_WATCHED)
{
	static const char text[] = "{\"data\":{\"key\":\"" PADDING "hush hush hush\"},\"other\":\"x\"}";
	const struct json_limits limits = JSON_LIMITS_DEFAULT;
	struct json *doc = NULL, *copy = NULL;

	cr_assert(json_parse(text, sizeof text - 1, &limits, &doc, NULL));
	cr_assert(json_clone(json_root(doc), &copy, NULL));
	cr_assert(json_set_text(json_edit(copy), "data/key", PADDING "hush, and more of it, so that it moves", NULL));
	json_free(doc);
	json_free(copy);
	for (size_t size = 16; size <= 256; size += 8)
		cr_expect_not(comes_back("hush", size), "%zu bytes", size);
}
