/*
 * What a container wrote, as lines of its log file: "2026-11-28T05:43:00.123456789Z stdout text". The file is what the
 * API server's pods/NAME/log reads.
 *
 * A line over OUTPUT_LINE_MAX bytes becomes several. A file over OUTPUT_FILE_MAX is put aside as FILE.rotated (the
 * one before is removed), as a kubelet does: nothing reads it through the API any more.
 */
#ifndef KUBELET_OUTPUT_H
#define KUBELET_OUTPUT_H

#include "base/buf.h"
#include "base/err.h"

#include <limits.h>
#include <stdint.h>

#define OUTPUT_LINE_MAX 16384
#define OUTPUT_FILE_MAX ((int64_t)64 << 20)
#define OUTPUT_TIME_MAX 40

/* The lines that are complete with these bytes, appended to out; what is left stays in partial (max >= OUTPUT_LINE_MAX).
 * last: the stream has ended, so that the rest is a line, too. */
bool output_lines(struct buf *partial, const char *bytes, size_t len, bool last, const char *time, const char *stream,
    struct buf *out, struct err *err);
/* RFC 3339 with nanoseconds, UTC. */
const char *output_time(int64_t wall_ns, char text[static OUTPUT_TIME_MAX]);

/* The two streams of one run of a container. */
struct output {
	char path[PATH_MAX];
	int file;      /* -1: closed */
	int pipes[2];  /* what is read: stdout, stderr; -1 */
	int64_t bytes; /* in the file */
	struct buf partial[2];
};

void output_init(struct output *o);
/* Puts a file of a run before aside as previous, opens a new one and two pipes; ret_fds are the ends that the process
 * writes to, to be closed by the caller. */
bool output_open(struct output *o, const char *path, const char *previous, int ret_fds[static 2], struct err *err);
/* Reads what is there (at most 256 KiB of each) without waiting. False: both streams have ended. */
bool output_read(struct output *o, int64_t wall_ns);
/* The process is gone: takes what is left and closes all. */
void output_close(struct output *o, int64_t wall_ns);

#endif
