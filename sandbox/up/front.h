/* The commands of a whole sandbox: psmdb-sandbox up, down, status, logs. */
#ifndef UP_FRONT_H
#define UP_FRONT_H

int front_up(int argc, char **argv);
int front_down(int argc, char **argv);
int front_status(int argc, char **argv);
int front_logs(int argc, char **argv);

#endif
