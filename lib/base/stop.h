/*
 * Ctrl-C and SIGTERM as a flag and a readable file descriptor: the handler sets stop_flag() and writes a byte to the
 * pipe.
 * The one process-wide state of this room, because signals are process-wide. A second signal, half a second or more
 * after the first, kills (timeout(1) and terminals may send one twice at once).
 */
#ifndef BASE_STOP_H
#define BASE_STOP_H

#include "base/err.h"

/* Installs handlers for SIGINT, SIGTERM and SIGHUP, and ignores SIGPIPE. */
bool stop_install(struct err *err);
const volatile int *stop_flag(void); /* the signal's number once one came, else 0 */
int stop_fd(void);		     /* becomes readable then; -1 before stop_install */

#endif
