#include "sandbox/parts/strays.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACE "/tmp"
#define PORT_BLOCK 10
#define GRPC_OFFSET 10000 /* weed's second port of each kind */

static bool ours(const struct layout *l, const char *name)
{
	const char *dash = strrchr(name, '-');
	unsigned port;
	int end = 0;

	if (strncmp(name, "seaweedfs-", 10) != 0 || !dash || sscanf(dash, "-%5u.sock%n", &port, &end) != 1 || !end ||
	    dash[end])
		return false;
	if (port >= (unsigned)l->ports + GRPC_OFFSET)
		port -= GRPC_OFFSET;
	return port >= l->ports && port < (unsigned)l->ports + PORT_BLOCK;
}

void strays_remove(const struct layout *l)
{
	DIR *dir = opendir(PLACE);
	const struct dirent *entry;
	struct stat st;

	while (dir && (entry = readdir(dir)))
		if (ours(l, entry->d_name) && !fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    S_ISSOCK(st.st_mode) && st.st_uid == geteuid())
			unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
}
