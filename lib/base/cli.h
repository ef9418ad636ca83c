/*
 * The front of a program: its command table, and what every command does with its options. Built on base/opt.h;
 * prints, so it is for main.c and the commands only. Usage and errors look alike in all programs because they come
 * from here.
 */
#ifndef BASE_CLI_H
#define BASE_CLI_H

#include "base/opt.h"

struct cli_command {
	const char *name;
	int (*run)(int argc, char **argv); /* argv[0] is "program name" */
	const char *about;		   /* one line */
};

struct cli_program {
	const char *name;
	const char *about;		    /* behind the usage line */
	const struct cli_command *commands; /* ends with a NULL name */
	const char *more;		    /* at the end of the help: exit statuses */
};

/* Finds and runs the command; answers --help, -h and --version. Returns the exit status. */
int cli_main(const struct cli_program *program, int argc, char **argv);

/*
 * Parses a command's options. True: go on. False: --help was answered, or the usage error was printed; return
 * *ret_status. ret_args and ret_count may be NULL together.
 */
bool cli_options(
    const struct opt_command *command, int argc, char **argv, char ***ret_args, size_t *ret_count, int *ret_status);

#endif
