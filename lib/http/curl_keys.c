#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "http/curl_api.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_PEM_BYTES (4u << 20) /* the system's whole bundle has 220 KB */

static int read_pem(const char *path, struct span text, const char *what, struct buf *out,
					struct error *err)
{
	AUTO_CLOSE int fd = -1;
	struct stat st;

	if (text.data) {
		buf_add(out, text.data, text.len);
	} else {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0) {
			err_errno(err, "cannot open the %s %s", what, path);
			return err_hint(err, "check the path");
		}
		if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
			err_set(err, ERR_INPUT, "the %s %s is no file", what, path);
			return err_hint(err, "give the path of a regular file in PEM form");
		}
		if (fs_read_fd(fd, path, MAX_PEM_BYTES, out, err) < 0)
			return -1;
	}
	if (out->data && memmem(out->data, out->len, "-----BEGIN ", 11))
		return 0;
	err_set(err, ERR_INPUT, "the %s %s holds nothing in PEM form", what,
			text.data ? "given inline" : path);
	return err_hint(err, "it must have lines such as '-----BEGIN CERTIFICATE-----'");
}

int curl_keys_load(const struct http_options *options, struct curl_keys *keys, struct error *err)
{
	const struct http_tls *tls = &options->tls;
	bool has_cert = tls->cert_pem.data || tls->cert_file;
	bool has_key = tls->key_pem.data || tls->key_file;

	keys->server_name = xstrdup_opt(tls->server_name);
	keys->proxy = xstrdup_opt(options->proxy);
	keys->has_ca = tls->ca_pem.data || tls->ca_file;
	keys->ca_path = tls->ca_pem.data ? NULL : xstrdup_opt(tls->ca_file);
	if (keys->has_ca && read_pem(tls->ca_file, tls->ca_pem, "CA certificate", &keys->ca, err) < 0)
		return -1;
	if (has_cert != has_key && !has_cert)
		return err_set(err, ERR_INPUT, "a client key without its certificate");
	if (has_cert &&
		read_pem(tls->cert_file, tls->cert_pem, "client certificate", &keys->cert, err) < 0)
		return -1;
	if (has_key && read_pem(tls->key_file, tls->key_pem, "client key", &keys->key, err) < 0)
		return -1;
	return 0;
}

void curl_keys_release(struct curl_keys *keys)
{
	if (keys->key.data)
		explicit_bzero(keys->key.data, keys->key.cap);
	free(keys->ca_path);
	free(keys->server_name);
	free(keys->proxy);
	buf_release(&keys->ca);
	buf_release(&keys->cert);
	buf_release(&keys->key);
}
