/* cpu.h - the processors that this process may use. */
#pragma once

/* At least 1; a container's or taskset's share counts, not the machine. */
unsigned cpu_count(void);
