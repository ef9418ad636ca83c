#include "base/opt.h"

#include "base/num.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct opt *find(const struct opt_command *cmd, const char *name, size_t len)
{
	for (const struct opt *o = cmd->opts; o && o->name; o++)
		if (strlen(o->name) == len && !memcmp(o->name, name, len))
			return o;
	return NULL;
}

static bool bad(const struct opt_command *cmd, struct err *err, const char *fault, const char *subject)
{
	err_set(err, ERR_USAGE, "%s \"%s\"", fault, subject);
	return err_hint(err, "see \"%s --help\"", cmd->program);
}

static bool bad_value(const struct opt *o, const char *value, const char *wanted, struct err *err)
{
	return err_set(err, ERR_USAGE, "option \"--%s\": \"%s\" is not %s", o->name, value, wanted);
}

static bool in_bounds(const struct opt *o, double value)
{
	return (!o->min && !o->max) || (value >= (double)o->min && value <= (double)o->max);
}

static bool store(const struct opt *o, const char *value, struct err *err)
{
	struct opt_list *list;
	double number;
	int64_t i;
	char *end;

	switch (o->kind) {
	case OPT_FLAG:
		*(bool *)o->ret = true;
		return true;
	case OPT_STRING:
		*(const char **)o->ret = value;
		return true;
	case OPT_LIST:
		list = o->ret;
		if (list->count == OPT_LIST_MAX)
			return err_set(
			    err, ERR_USAGE, "option \"--%s\" is given more than %d times", o->name, OPT_LIST_MAX);
		list->items[list->count++] = value;
		return true;
	case OPT_INT:
		if (!num_parse_i64(value, strlen(value), &i))
			return bad_value(o, value, "a whole number", err);
		break;
	case OPT_DURATION:
		if (!num_parse_duration_ms(value, &i))
			return bad_value(o, value, "a duration such as 500ms, 10s, 5m or 2h", err);
		break;
	case OPT_DOUBLE:
		errno = 0;
		number = strtod(value, &end);
		if (errno || end == value || *end || !in_bounds(o, number))
			return bad_value(o, value, "a number in the allowed range", err);
		*(double *)o->ret = number;
		return true;
	}
	if (!in_bounds(o, (double)i))
		return err_set(err, ERR_USAGE, "option \"--%s\": %s is outside %lld to %lld%s", o->name, value,
		    (long long)o->min, (long long)o->max, o->kind == OPT_DURATION ? " ms" : "");
	*(int64_t *)o->ret = i;
	return true;
}

static bool check_required(const struct opt_command *cmd, const bool *seen, struct err *err)
{
	for (size_t i = 0; cmd->opts && cmd->opts[i].name; i++) {
		if (cmd->opts[i].required && !seen[i]) {
			err_set(err, ERR_USAGE, "option \"--%s %s\" is missing", cmd->opts[i].name, cmd->opts[i].arg);
			return err_hint(err, "see \"%s --help\"", cmd->program);
		}
	}
	return true;
}

enum opt_result opt_parse(
    const struct opt_command *cmd, int argc, char **argv, char ***ret_args, size_t *ret_count, struct err *err)
{
	bool seen[OPT_LIST_MAX] = {false};
	int kept = 1;

	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i], *name = arg + 2, *equals, *value;
		const struct opt *o;

		if (!strcmp(arg, "--")) {
			while (++i < argc)
				argv[kept++] = argv[i];
			break;
		}
		if (arg[0] != '-' || !arg[1]) {
			argv[kept++] = argv[i];
			continue;
		}
		if (!strcmp(arg, "--help") || !strcmp(arg, "-h"))
			return OPT_HELP;
		equals = strchr(name, '=');
		o = arg[1] == '-' ? find(cmd, name, equals ? (size_t)(equals - name) : strlen(name)) : NULL;
		if (!o)
			return bad(cmd, err, "unknown option", arg), OPT_BAD;
		if (o->kind == OPT_FLAG && equals)
			return bad(cmd, err, "a value for the flag", arg), OPT_BAD;
		value = equals ? equals + 1 : NULL;
		if (o->kind != OPT_FLAG && !value) {
			if (i + 1 >= argc)
				return bad(cmd, err, "no value for the option", arg), OPT_BAD;
			value = argv[++i];
		}
		if (!store(o, value, err))
			return OPT_BAD;
		if (o - cmd->opts < OPT_LIST_MAX)
			seen[o - cmd->opts] = true;
	}
	if ((size_t)kept - 1 > cmd->max_args)
		return bad(cmd, err, "unexpected argument", argv[cmd->max_args + 1]), OPT_BAD;
	if ((size_t)kept - 1 < cmd->min_args) {
		err_set(err, ERR_USAGE, "missing argument: %s", cmd->args);
		err_hint(err, "see \"%s --help\"", cmd->program);
		return OPT_BAD;
	}
	if (!check_required(cmd, seen, err))
		return OPT_BAD;
	*ret_args = argv + 1;
	*ret_count = (size_t)kept - 1;
	return OPT_OK;
}

/* Prints text wrapped at 100 columns, each line after the first indented. */
static void wrapped(FILE *out, const char *text, int column, int indent)
{
	const int width = 100;

	while (*text) {
		int word = (int)strcspn(text, " \n");

		if (column + word > width && column > indent) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		}
		fprintf(out, "%.*s", word, text);
		column += word;
		text += word;
		if (*text == '\n') {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
			text++;
		} else if (*text == ' ') {
			text++;
			if (column < width) {
				fputc(' ', out);
				column++;
			}
		}
	}
	fputc('\n', out);
}

static int spell(const struct opt *o, char *text, size_t size)
{
	return snprintf(
	    text, size, "--%s%s%s", o->name, o->kind == OPT_FLAG ? "" : " ", o->kind == OPT_FLAG ? "" : o->arg);
}

void opt_help(const struct opt_command *cmd, FILE *out)
{
	const int column = 30;
	char text[128];

	fprintf(out, "usage: %s [options]%s%s\n\n", cmd->program, cmd->args[0] ? " " : "", cmd->args);
	wrapped(out, cmd->about, 0, 0);
	fprintf(out, "\noptions:\n");
	for (const struct opt *o = cmd->opts; o && o->name; o++) {
		int used = 2 + spell(o, text, sizeof text);

		fprintf(out, "  %s", text);
		if (used > column - 2) {
			fputc('\n', out);
			used = 0;
		}
		fprintf(out, "%*s", column - used, "");
		wrapped(out, o->help, column, column);
	}
	fprintf(out, "  --help%*sshow this text\n", column - 8, "");
	if (cmd->more)
		fprintf(out, "\n%s\n", cmd->more);
}

static void roff(FILE *out, const char *text)
{
	for (bool start = true; *text; text++) {
		if (start && (*text == '.' || *text == '\''))
			fputs("\\&", out);
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '-')
			fputs("\\-", out);
		else
			fputc(*text, out);
		start = *text == '\n';
	}
}

void opt_man(const struct opt_command *cmd, FILE *out)
{
	char text[128];

	fputs(".TH \"", out);
	for (const char *p = cmd->program; *p; p++)
		fputc(*p == ' ' ? '-' : *p, out);
	fprintf(out, "\" 1 \"\" \"psmdb-drill %s\"\n.SH NAME\n", PSMDB_DRILL_VERSION);
	roff(out, cmd->program);
	fputs("\n.SH SYNOPSIS\n.B ", out);
	roff(out, cmd->program);
	fputs("\n[options] ", out);
	roff(out, cmd->args);
	fputs("\n.SH DESCRIPTION\n", out);
	roff(out, cmd->about);
	fputs("\n.SH OPTIONS\n", out);
	for (const struct opt *o = cmd->opts; o && o->name; o++) {
		spell(o, text, sizeof text);
		fputs(".TP\n.B ", out);
		roff(out, text);
		fputc('\n', out);
		roff(out, o->help);
		fputc('\n', out);
	}
	if (cmd->more) {
		fputs(".SH NOTES\n.nf\n", out);
		roff(out, cmd->more);
		fputs("\n.fi\n", out);
	}
}
