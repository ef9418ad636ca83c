/* The subcommand as a program of its own, so that its exit status and output can be seen. */
#include "verifier/commands.h"

int main(int argc, char **argv)
{
	return cmd_bound(argc, argv);
}
