/* fuzz.h - what a fuzz target exports. libFuzzer or replay.c calls it with bytes that nobody chose;
 * it returns 0, and shows a broken promise by ending the process. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise that must hold for every input. */
#define FUZZ_CHECK(condition)                                                               \
	do {                                                                                    \
		if (!(condition)) {                                                                 \
			fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                        \
		}                                                                                   \
	} while (0)
