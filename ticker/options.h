/* The command line of psmdb-ticker. */
#ifndef TICKER_OPTIONS_H
#define TICKER_OPTIONS_H

#include "base/log.h"
#include "base/opt.h"
#include "evidence/journal.h"

struct options {
	const char *uri, *user_file, *password_file;
	bool shard; /* set up the sharding of the namespaces and end, instead of writing ticks */
	struct opt_list ns;
	int64_t writers;
	double rate; /* ticks a second and stream; 0: flat out */
	bool flat_out;
	int64_t batch; /* 0: chosen by the rate */
	const char *journal;
	int64_t count;	     /* ticks of each stream; 0: no end */
	int64_t duration_ms; /* 0: no end */
	int64_t give_up_ms, write_timeout_ms;
	const char *listen; /* NULL: no endpoint */
	const char *log_level_text;
	enum log_level log_level;
	bool man;     /* print the manual page instead */
	bool version; /* show the version instead */
};

/* Sets the defaults and reads argv; checks what the table cannot. */
enum opt_result options_parse(int argc, char **argv, struct options *ret, struct err *err);
void options_help(FILE *out);
void options_man(FILE *out);

#endif
