/*
 * Keeps the secrets in this process's memory from disk and from others: no core dump, here or in its children; no debugger and no
 * look into /proc/PID/environ or mem by an ordinary user, its own included. Called once, at the start of main. What is freed is wiped
 * elsewhere: by base/buf and doc/json. Not covered: what libraries keep for themselves (curl's, OpenSSL's and the driver's buffers), and swap.
 */
#ifndef BASE_PRIVACY_H
#define BASE_PRIVACY_H

void privacy_begin(void);

#endif
