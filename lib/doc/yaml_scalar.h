/*
 * Inside this room only: what a YAML scalar means, as kubectl reads it (sigs.k8s.io/yaml on go-yaml 2.4, that is YAML
 * 1.1 without sexagesimal numbers; times stay text).
 */
#ifndef DOC_YAML_SCALAR_H
#define DOC_YAML_SCALAR_H

#include "base/buf.h"
#include "doc/json_tree.h"

/* tag is NULL, or the full tag ("tag:yaml.org,2002:str"). The text ends with a NUL. */
cJSON *yaml_scalar(const char *text, size_t len, const char *tag, bool plain, struct err *err);
/* A scalar as a key. */
bool yaml_key(const cJSON *scalar, struct buf *out, struct err *err);

#endif
