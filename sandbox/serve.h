/*
 * "psmdb-sandbox serve X": the sandbox's parts that are this program itself, each a process in the foreground. They log
 * key=value lines to stderr, one with msg=ready when they serve, end on SIGTERM within 2 s, and can be killed and started again at any
 * moment.
 */
#ifndef SANDBOX_SERVE_H
#define SANDBOX_SERVE_H

/* argv[0] is "psmdb-sandbox serve". */
int serve_main(int argc, char **argv);

int serve_api(int argc, char **argv);
int serve_kasten(int argc, char **argv);
int serve_kubelet(int argc, char **argv);
int serve_operator(int argc, char **argv);

#endif
