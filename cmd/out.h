/* out.h - -o table|json|yaml, once for all commands. */
#pragma once

#include "cmd/command.h"
#include "doc/print.h"

/* Print doc to ctx->out as -o says; without -o as a table. ERR_INPUT: doc is NULL, because text for
 * it was no UTF-8. */
int out_print(struct ctx *ctx, const json_t *doc, const struct print_column *columns,
			  struct error *err);
/* Was JSON or YAML asked for? Then a command prints its document instead of its lines. */
bool out_is_document(const struct ctx *ctx);
