/* A kubeconfig of any content: read or refused; nothing of it can smuggle a header or run where
 * credentials stand. */
#include "base/auto.h"
#include "kube/config.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct kube_config_options options;
	struct kube_config c = {0};
	struct error err = {0};

	if (kube_config_parse((struct span){(const char *)data, size}, "config", &options, &c, &err) <
		0) {
		FUZZ_CHECK(err.msg[0] && !c.server && !c.token && !c.context);
		FUZZ_CHECK(err.code == ERR_INPUT || err.code == ERR_MISSING || err.code == ERR_DENIED ||
				   err.code == ERR_SYS);
		return 0;
	}
	FUZZ_CHECK(c.context && c.namespace_ && c.server);
	FUZZ_CHECK(strncmp(c.server, "http://", 7) == 0 || strncmp(c.server, "https://", 8) == 0);
	FUZZ_CHECK(!strpbrk(c.server, "?#"));
	FUZZ_CHECK(!c.token || is_printable(c.token));
	FUZZ_CHECK(c.exec.argv.count == 0 || (!c.token && !c.username && c.cert_pem.len == 0));
	FUZZ_CHECK((c.cert_pem.len == 0) == (c.key_pem.len == 0));
	for (size_t i = 0; i < c.impersonate.count; i++)
		FUZZ_CHECK(is_printable(c.impersonate.items[i]));
	kube_config_release(&c);
	return 0;
}
