/* The subcommands of psmdb-drill: argv[0] is the full name ("psmdb-drill note"); each returns the exit status. */
#ifndef SCENARIOS_COMMANDS_H
#define SCENARIOS_COMMANDS_H

int cmd_init(int argc, char **argv);   /* a run directory with its timeline */
int cmd_note(int argc, char **argv);   /* one event -> timeline.jsonl */
int cmd_follow(int argc, char **argv); /* the ticker's log on stdin -> journal.jsonl, heads -> timeline.jsonl */

#endif
