/* The subcommands of psmdb-drill: argv[0] is the full name ("psmdb-drill note"); each returns the exit status. */
#ifndef SCENARIOS_COMMANDS_H
#define SCENARIOS_COMMANDS_H

int cmd_run(int argc, char **argv);	/* a scenario, from its first step to the verdict */
int cmd_explain(int argc, char **argv); /* what it would do */
int cmd_list(int argc, char **argv);	/* the shipped ones */
int cmd_cleanup(int argc, char **argv); /* what a run has made goes */
int cmd_init(int argc, char **argv);	/* a run directory with its timeline */
int cmd_note(int argc, char **argv);	/* one event -> timeline.jsonl */
int cmd_follow(int argc, char **argv);	/* the ticker's log -> journal.jsonl, heads -> timeline.jsonl */

#endif
