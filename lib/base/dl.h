/* dl.h - load a shared library when it is first needed.
 *
 * A program that links libcurl and libgit2 loads some fifty libraries before main();
 * commands that need none of them must not pay for it. The one area that owns such a library
 * describes the functions it uses in a table and calls through the struct that dl_load fills. */
#pragma once

#include "base/error.h"

#include <stddef.h>

struct dl_symbol {
	const char *name;
	size_t offset; /* of the function pointer in the caller's struct */
};

/* One row of the table: DL_SYMBOL(struct curl_api, easy_init, "curl_easy_init"). */
#define DL_SYMBOL(type, member, symbol) \
	{                                   \
		symbol, offsetof(type, member)  \
	}

/* Load soname and fill *api from the table (ended by a row whose name is NULL). The library stays
 * loaded until the process ends. package is what the hint tells the user to install. ERR_SYS. */
int dl_load(const char *soname, const char *package, const struct dl_symbol *symbols, void *api,
			struct error *err);
