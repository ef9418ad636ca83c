/*
 * The parts of a control plane: the API server (embedded, or the real one with etcd and those of its controllers that
 * the embedded one imitates), the kubelet and Kasten. Whichever it is, the API server's part is called "api".
 */
#ifndef PARTS_PLANE_H
#define PARTS_PLANE_H

#include "sandbox/parts/set.h"

/* Adds them to the set, whose layout is known. */
bool plane_add(struct part_set *set, struct err *err);

#endif
