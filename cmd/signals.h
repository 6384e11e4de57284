/* signals.h - SIGINT and SIGTERM set a flag that everything waits on; a second one ends the process
 * at once. */
#pragma once

#include "base/cancel.h"

/* Install the handlers and return the flag they set. */
const struct cancel *signals_install(void);
