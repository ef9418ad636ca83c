#include "base/cli.h"

#include <stdio.h>
#include <string.h>

static void help(const struct cli_program *p)
{
	printf("usage: %s COMMAND [options]\n\n%s\n\ncommands:\n", p->name, p->about);
	for (const struct cli_command *c = p->commands; c->name; c++)
		printf("  %-10s%s\n", c->name, c->about);
	printf("\n  --help    show this text; \"%s COMMAND --help\" shows a command's options\n"
	       "  --version show the version\n\n%s\n",
	    p->name, p->more);
}

static int usage_error(const struct cli_program *p, const char *unknown)
{
	struct err err = ERR_INIT;

	if (unknown)
		err_set(&err, ERR_USAGE, "unknown command \"%s\"", unknown);
	else
		err_set(&err, ERR_USAGE, "a command is missing");
	err_hint(&err, "see \"%s --help\"", p->name);
	return err_print(p->name, &err);
}

int cli_main(const struct cli_program *program, int argc, char **argv)
{
	char full_name[128];

	if (argc < 2)
		return usage_error(program, NULL);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		help(program);
		return EXIT_PASS;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("%s %s\n", program->name, PSMDB_DRILL_VERSION);
		return EXIT_PASS;
	}
	for (const struct cli_command *c = program->commands; c->name; c++) {
		if (strcmp(argv[1], c->name) != 0)
			continue;
		snprintf(full_name, sizeof full_name, "%s %s", program->name, c->name);
		argv[1] = full_name;
		return c->run(argc - 1, argv + 1);
	}
	return usage_error(program, argv[1]);
}

bool cli_options(
    const struct opt_command *command, int argc, char **argv, char ***ret_args, size_t *ret_count, int *ret_status)
{
	struct err err = ERR_INIT;
	char **args;
	size_t count;

	switch (opt_parse(command, argc, argv, &args, &count, &err)) {
	case OPT_OK:
		if (ret_args) {
			*ret_args = args;
			*ret_count = count;
		}
		return true;
	case OPT_HELP:
		opt_help(command, stdout);
		*ret_status = EXIT_PASS;
		return false;
	case OPT_BAD:
		break;
	}
	*ret_status = err_print(command->program, &err);
	return false;
}
