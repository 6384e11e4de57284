/* Whatever parses can be written, reads back as the same, and is written as the same bytes. */
#include "base/auto.h"
#include "doc/json.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_JSON json_t *doc = NULL;
	AUTO_JSON json_t *again = NULL;
	AUTO_JSON json_t *pretty = NULL;
	AUTO(buf) struct buf first = {0};
	AUTO(buf) struct buf second = {0};
	AUTO(buf) struct buf people = {0};
	struct error err = {0};

	if (doc_json_parse((struct span){(const char *)data, size}, "input", &doc, &err) < 0) {
		FUZZ_CHECK(err.code == ERR_INPUT && err.msg[0] && !doc);
		return 0;
	}
	doc_json_write(doc, &first);
	FUZZ_CHECK(doc_json_parse(buf_span(&first), "again", &again, &err) == 0);
	FUZZ_CHECK(json_equal(doc, again));
	doc_json_write(again, &second);
	FUZZ_CHECK(strcmp(buf_str(&first), buf_str(&second)) == 0);
	doc_json_write_pretty(doc, &people);
	FUZZ_CHECK(doc_json_parse(buf_span(&people), "pretty", &pretty, &err) == 0);
	FUZZ_CHECK(json_equal(doc, pretty));
	return 0;
}
