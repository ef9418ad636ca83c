/* psmdb-verify collect as a program of its own, so that this test needs no other command to be built. */
#include "verifier/commands.h"

int main(int argc, char **argv)
{
	return cmd_collect(argc, argv);
}
