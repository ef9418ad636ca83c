/* Steps against a scripted API server: what they may take, make and read. One run in a folder of its own. */
#ifndef STEPS_FIXTURE_H
#define STEPS_FIXTURE_H

#include "scenarios/run_dir.h"
#include "scenarios/steps/action.h"

#include "../kube/kube_fake.h"
#include "base/file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CORE                                                                                                           \
	OK("{\"kind\":\"APIResourceList\",\"resources\":[{\"name\":\"persistentvolumeclaims\",\"kind\":"               \
	   "\"PersistentVolumeClaim\",\"namespaced\":true,\"singularName\":\"persistentvolumeclaim\",\"shortNames\":[" \
	   "\"pvc\"],"                                                                                                 \
	   "\"verbs\":[\"get\",\"list\",\"delete\"]}]}")
#define GROUPS OK("{\"kind\":\"APIGroupList\",\"groups\":[]}")
#define CLUSTERS                                                                                                       \
	OK("{\"kind\":\"List\",\"metadata\":{},\"items\":[{\"metadata\":{\"name\":\"c\",\"namespace\":\"ns\"}}]}")
#define NONE OK("{\"kind\":\"List\",\"metadata\":{},\"items\":[]}")
#define CLAIMS                                                                                                         \
	OK("{\"kind\":\"List\",\"metadata\":{},\"items\":["                                                            \
	   "{\"metadata\":{\"name\":\"mongod-data-c-rs0-0\",\"namespace\":\"ns\",\"uid\":\"1\"}},"                     \
	   "{\"metadata\":{\"name\":\"theirs\",\"namespace\":\"ns\",\"uid\":\"2\"}}]}")
#define MISSING                                                                                                        \
	JSON("404 Not Found", "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"NotFound\",\"code\":404,"      \
			      "\"details\":{\"name\":\"x\"}}")
#define COMPLETE OK("{\"metadata\":{\"name\":\"a\"},\"status\":{\"state\":\"Complete\"}}")
#define FAILED_ACTION                                                                                                  \
	OK("{\"metadata\":{\"name\":\"a\"},\"status\":{\"state\":\"Failed\",\"error\":{\"message\":\"gave up\"}}}")
#define READY                                                                                                          \
	OK("{\"kind\":\"PerconaServerMongoDB\",\"metadata\":{\"name\":\"main\",\"namespace\":\"ns\"},\"spec\":{"       \
	   "\"replsets\":["                                                                                            \
	   "{\"name\":\"rs0\",\"size\":3}]},\"status\":{\"state\":\"ready\"}}")

extern char dir[];
extern struct kube_fake f;
extern struct drill_options options;
extern struct drill d;
extern struct err err;

void set_up(void);
void tear_down(void);
/* Runs (or only checks) a step; what was sent is *ret_seen. */
bool step(const char *verb, const char *args, bool run, const char *const *answers, size_t count, char **ret_seen);
void wrote_nothing(char *seen); /* frees it */

#endif
