#include "cmd/out.h"

#include "base/auto.h"

#include <string.h>

bool out_is_document(const struct ctx *ctx)
{
	return ctx->global.output && strcmp(ctx->global.output, "table") != 0;
}

int out_print(struct ctx *ctx, const json_t *doc, const struct print_column *columns,
			  struct error *err)
{
	AUTO(buf) struct buf text = {0};
	enum print_format format = PRINT_TABLE;

	if (!doc) /* jansson packs nothing that is not UTF-8: better said than printed as nothing */
		return err_set(err, ERR_INPUT, "the answer has text that is no valid UTF-8");
	if (out_is_document(ctx))
		format = strcmp(ctx->global.output, "json") == 0 ? PRINT_JSON : PRINT_YAML;
	print_document(doc, columns, format, &text);
	if (fwrite(buf_str(&text), 1, text.len, ctx->out) != text.len)
		return err_errno(err, "cannot write the answer");
	return 0;
}
