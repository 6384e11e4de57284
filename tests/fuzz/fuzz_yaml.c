/* Whatever parses can be written, and reads back as the same. */
#include "base/auto.h"
#include "doc/yaml.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void check_round_trip(const json_t *doc)
{
	AUTO(buf) struct buf text = {0};
	AUTO(buf) struct buf before = {0};
	AUTO(buf) struct buf after = {0};
	AUTO(yaml_file) struct yaml_file again = {0};
	struct error err = {0};

	yaml_write(doc, &text);
	FUZZ_CHECK(yaml_parse(buf_span(&text), "again", &again, &err) == 0);
	FUZZ_CHECK(again.count == 1);
	doc_json_write(doc, &before);
	doc_json_write(again.documents[0], &after);
	FUZZ_CHECK(strcmp(buf_str(&before), buf_str(&after)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(yaml_file) struct yaml_file file = {0};
	struct span text = {(const char *)data, size};
	struct error err = {0};

	if (yaml_parse(text, "input", &file, &err) < 0) {
		FUZZ_CHECK(err.code == ERR_INPUT && err.msg[0] && !file.documents);
		return 0;
	}
	for (size_t i = 0; i < file.count; i++)
		check_round_trip(file.documents[i]);
	return 0;
}
