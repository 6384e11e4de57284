#include "doc/print.h"

#include "base/auto.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/strv.h"
#include "base/utf8.h"
#include "doc/yaml.h"

#include <string.h>

#define GAP 3

static char *cell_text(const json_t *row, const char *path)
{
	const json_t *value = doc_get(row, path);
	AUTO(buf) struct buf text = {0};
	char *cell;

	if (!value || json_is_null(value) || (json_is_string(value) && !json_string_length(value)))
		buf_addc(&text, '-');
	else if (json_is_string(value))
		buf_adds(&text, json_string_value(value));
	else
		doc_json_write(value, &text);
	cell = buf_take(&text);
	utf8_sanitize(cell);
	return cell;
}

static void add_row(const json_t *row, const struct print_column *columns, struct strv *cells)
{
	for (const struct print_column *c = columns; c->title; c++)
		strv_take(cells, cell_text(row, c->path));
}

static void print_cells(const struct strv *cells, size_t columns, struct buf *out)
{
	AUTO_FREE size_t *width = xcalloc(columns, sizeof(*width));

	for (size_t i = 0; i < cells->count; i++) {
		size_t w = utf8_width(cells->items[i]);

		if (w > width[i % columns])
			width[i % columns] = w;
	}
	for (size_t i = 0; i < cells->count; i++) {
		bool last = i % columns == columns - 1;

		buf_adds(out, cells->items[i]);
		for (size_t w = utf8_width(cells->items[i]); !last && w < width[i % columns] + GAP; w++)
			buf_addc(out, ' ');
		if (last)
			buf_addc(out, '\n');
	}
}

static void print_table(const json_t *doc, const struct print_column *columns, struct buf *out)
{
	AUTO(strv) struct strv cells = {0};
	const json_t *row;
	size_t count = 0;
	size_t i;

	for (; columns[count].title; count++)
		strv_add(&cells, columns[count].title);
	if (count == 0)
		return;
	if (!json_is_array(doc))
		add_row(doc, columns, &cells);
	json_array_foreach(doc, i, row) add_row(row, columns, &cells);
	print_cells(&cells, count, out);
}

void print_document(const json_t *doc, const struct print_column *columns, enum print_format format,
					struct buf *out)
{
	switch (format) {
	case PRINT_JSON:
		doc_json_write_pretty(doc, out);
		break;
	case PRINT_YAML:
		yaml_write(doc, out);
		break;
	default:
		if (columns)
			print_table(doc, columns, out);
	}
}
