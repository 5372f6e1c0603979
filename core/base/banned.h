/*
 * Functions that have no place here: they write without a bound, keep hidden state, or start a shell.
 * Included by the build in front of every source file.
 */
#ifndef BS_BASE_BANNED_H
#define BS_BASE_BANNED_H

/* The system's headers declare them, so those come first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC poison gets strcpy strcat strncpy strncat sprintf vsprintf strtok system atoi atol atof

#endif
