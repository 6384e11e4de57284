/* random.h - unpredictable bytes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Fill from the kernel; ends the process if the kernel has none. */
void random_bytes(void *out, size_t len);
/* Uniform in [0, below). */
uint64_t random_below(uint64_t below);
