/* Processes named by a pid that was written down earlier: told apart from whoever has the number now. */
#ifndef PARTS_LEFTOVERS_H
#define PARTS_LEFTOVERS_H

#include "base/err.h"

#include <stdint.h>
#include <sys/types.h>

#define BOOT_ID_MAX 40

/* The process's start time in clock ticks since boot (field 22 of /proc/PID/stat). False: no such process. */
bool process_start_ticks(pid_t pid, uint64_t *ret);
/* Identifies this boot of the machine: start times of another boot mean nothing. "" if unknown. */
void process_boot_id(char ret[static BOOT_ID_MAX]);
/*
 * Same pid, same start time, and this program among the first words of its command line (a script stands behind its
 * interpreter).
 */
bool process_is(pid_t pid, uint64_t start_ticks, const char *program);
/* SIGKILL to exactly that process, and waits until it and what it held open is gone. No such process: fine. */
bool process_kill(pid_t pid, uint64_t start_ticks, const char *program, struct err *err);

#endif
