/* What these tests share: trees from patterns and from the project's own manifests. */
#ifndef SANDBOX_KASTEN_TEST_SUPPORT_H
#define SANDBOX_KASTEN_TEST_SUPPORT_H

#include "doc/json_edit.h"
#include "doc/yaml.h"

#include <criterion/criterion.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* JSON with ' for " */
static inline struct json *tree(const char *text)
{
	struct err err = ERR_INIT;
	struct json *doc = NULL;

	cr_assert(json_format(&doc, &err, text), "%s: %s", text, err.msg);
	return doc;
}

/* The document of this kind in one of the manifests. */
static inline struct json *manifest(const char *file, const char *kind)
{
	const struct yaml_limits limits = YAML_LIMITS_DEFAULT;
	YAML_DOCS_CLEANUP struct yaml_docs docs = {0};
	struct err err = ERR_INIT;
	struct json *doc = NULL;
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", MANIFESTS, file);
	cr_assert(yaml_read(path, &limits, &docs, &err), "%s", err.msg);
	for (size_t i = 0; i < docs.count && !doc; i++)
		if (json_is_at(json_root(docs.items[i]), "kind", kind))
			cr_assert(json_clone(json_root(docs.items[i]), &doc, &err));
	cr_assert(doc, "no %s in %s", kind, path);
	return doc;
}

#endif
