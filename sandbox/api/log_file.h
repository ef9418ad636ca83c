/*
 * A container's log as the kubelet writes it ("TIME STREAM TEXT" a line, kubelet/output.h), read as clients of pods/log
 * want it: from the tail, since a time, followed through restarts and rotations. Both the embedded API server and the
 * kubelet's own endpoint (for a real one) answer with it.
 */
#ifndef API_LOG_FILE_H
#define API_LOG_FILE_H

#include "doc/json.h"
#include "sandbox/api/http.h"
#include "sandbox/api/query.h"

struct log_file_options {
	char path[4096];
	bool follow, timestamps;
	int64_t since_ms;    /* wall; 0: all */
	int64_t tail_lines;  /* -1: all */
	int64_t limit_bytes; /* -1: none */
	/* Following: no more will come. Asked from the connection's thread, before each look at the file. */
	bool (*over)(void *arg);
	void (*free)(void *arg); /* may be NULL */
	void *arg;		 /* the stream's from log_file_open's success on */
};

/*
 * follow (not of a previous log, to which nothing comes any more), timestamps, tailLines, limitBytes, sinceTime, sinceSeconds;
 * ERR_USAGE. The rest of ret stays.
 */
bool log_file_query(const struct query *q, int64_t now_ms, struct log_file_options *ret, struct err *err);
/* ERR_NOT_FOUND: there is no such file, and none is waited for. */
bool log_file_open(const struct log_file_options *options, struct api_stream **ret, struct err *err);
/* pod (NULL: it is gone) is another one, or it or this container of it has ended for good. */
bool log_file_over(const json_node *pod, const char *uid, const char *container);
/* May be part of a path. */
bool log_file_safe(const char *name);

#endif
