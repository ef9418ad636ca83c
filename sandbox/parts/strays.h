/* Files that the S3 server makes outside the sandbox's folder, whatever it is told, and leaves behind when it is
 * killed: its Unix sockets in /tmp. */
#ifndef PARTS_STRAYS_H
#define PARTS_STRAYS_H

#include "sandbox/parts/layout.h"

/* Removes the sockets /tmp/seaweedfs-*-PORT.sock of this user for the sandbox's own ports. Nothing of the sandbox may
 * run any more. */
void strays_remove(const struct layout *l);

#endif
