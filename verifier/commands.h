/* The subcommands of psmdb-verify: argv[0] is the full name ("psmdb-verify bound"); each returns the exit status. */
#ifndef VERIFIER_COMMANDS_H
#define VERIFIER_COMMANDS_H

int cmd_bound(int argc, char **argv);	/* restore point -> bound.json */
int cmd_collect(int argc, char **argv); /* database -> observed.jsonl */
int cmd_judge(int argc, char **argv);	/* journal, timeline, bound, observed -> verdict.json */
int cmd_report(int argc, char **argv);	/* verdict.json -> text, JUnit, Markdown, HTML */
int cmd_diff(int argc, char **argv);	/* two verdicts -> what has changed */
int cmd_history(int argc, char **argv); /* many verdicts -> one page */
int cmd_check(int argc, char **argv);	/* all of it for one run directory */

#endif
