/* banned.h - included by the build in front of every source: these do not compile. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef alloca
#pragma GCC poison strcpy strcat sprintf vsprintf strncpy strncat strtok atoi atol atoll gets tmpnam
#pragma GCC poison mktemp tempnam alloca popen system
