#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "registry/session.h"

#include <string.h>

static int add_file(const char *path, struct buf *out, struct error *err)
{
	AUTO(buf) struct buf text = {0};

	if (fs_read(path, REGISTRY_MAX_CERT_BYTES, &text, err) < 0)
		return -1;
	buf_add(out, text.data, text.len);
	buf_addc(out, '\n');
	if (text.data)
		explicit_bzero(text.data, text.cap);
	return 0;
}

/* "client.cert" with "client.key": the first pair of a folder. */
static int add_pair(const char *cert_path, struct registry *r, struct error *err)
{
	AUTO_FREE char *key_path =
		xasprintf("%.*s.key", (int)(strlen(cert_path) - strlen(".cert")), cert_path);

	if (r->cert.len)
		return 0;
	if (!fs_exists(key_path)) {
		err_set(err, ERR_INPUT, "%s has no key beside it", cert_path);
		return err_hint(err, "put the key at %s", key_path);
	}
	if (add_file(cert_path, &r->cert, err) < 0)
		return -1;
	return add_file(key_path, &r->key, err);
}

static int read_folder(const char *dir, struct registry *r, struct error *err)
{
	AUTO(strv) struct strv names = {0};

	if (fs_list(dir, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		AUTO_FREE char *path = fs_join(dir, names.items[i]);

		if (text_ends(path, ".crt") && add_file(path, &r->ca, err) < 0)
			return -1;
		if (text_ends(path, ".cert") && add_pair(path, r, err) < 0)
			return -1;
	}
	return 0;
}

int certs_load(const char *host, struct registry *r, bool *found, struct error *err)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	AUTO(strv) struct strv dirs = {0};

	if (config && *config)
		strv_addf(&dirs, "%s/containers/certs.d/%s", config, host);
	else if (home && *home)
		strv_addf(&dirs, "%s/.config/containers/certs.d/%s", home, host);
	strv_addf(&dirs, "/etc/containers/certs.d/%s", host);
	strv_addf(&dirs, "/etc/docker/certs.d/%s", host);
	for (size_t i = 0; i < dirs.count; i++) {
		if (!fs_is_dir(dirs.items[i]))
			continue;
		*found = true;
		return read_folder(dirs.items[i], r, err);
	}
	return 0;
}
