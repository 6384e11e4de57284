#include "supply/license.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/utf8.h"
#include "supply/deb822.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_LICENSES 256 /* distinct ones of one package; more are told as unknown */
#define MAX_NAME 256
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."

/* Debian's short name, SPDX's identifier. NULL: the same but for upper and lower case. */
static const struct {
	const char *debian;
	const char *spdx;
} known[] = {
	{"0BSD", NULL},
	{"AFL-2.0", NULL},
	{"AFL-2.1", NULL},
	{"all-permissive", "FSFAP"},
	{"Apache-1.0", NULL},
	{"Apache-1.1", NULL},
	{"Apache-2.0", NULL},
	{"Artistic-2.0", NULL},
	{"Apache-2", "Apache-2.0"},
	{"Artistic", "Artistic-1.0-Perl"},
	{"BSD-4-Clause-UC", NULL},
	{"Beerware", NULL},
	{"BSD-1-Clause", NULL},
	{"BSD-2-Clause", NULL},
	{"BSD-3-Clause", NULL},
	{"BSD-4-Clause", NULL},
	{"BSL-1.0", NULL},
	{"bzip2-1.0.6", NULL},
	{"CC-BY-3.0", NULL},
	{"CC-BY-4.0", NULL},
	{"CC-BY-SA-3.0", NULL},
	{"CC-BY-SA-4.0", NULL},
	{"CC0-1.0", NULL},
	{"CC0", "CC0-1.0"},
	{"CDDL-1.0", NULL},
	{"curl", NULL},
	{"EPL-1.0", NULL},
	{"EPL-2.0", NULL},
	{"EUPL-1.2", NULL},
	{"Expat", "MIT"},
	{"FSFAP", NULL},
	{"FSFUL", NULL},
	{"FSFULLR", NULL},
	{"FTL", NULL},
	{"HPND", NULL},
	{"ICU", NULL},
	{"ISC", NULL},
	{"IJG", NULL},
	{"Info-ZIP", NULL},
	{"JSON", NULL},
	{"Latex2e", NULL},
	{"Libpng", NULL},
	{"LPPL-1.3c", NULL},
	{"MIT", NULL},
	{"MIT-0", NULL},
	{"MPL-1.0", NULL},
	{"MPL-1.1", NULL},
	{"MPL-2.0", NULL},
	{"NCSA", NULL},
	{"NTP", NULL},
	{"OFL-1.1", NULL},
	{"OpenLDAP-2.8", "OLDAP-2.8"},
	{"OpenSSL", NULL},
	{"PHP-3.01", NULL},
	{"PostgreSQL", NULL},
	{"Python-2.0", NULL},
	{"QPL-1.0", NULL},
	{"RSA-MD", NULL},
	{"Ruby", NULL},
	{"SIL-1.1", "OFL-1.1"},
	{"Sleepycat", NULL},
	{"Spencer-94", NULL},
	{"TCL", NULL},
	{"Unlicense", NULL},
	{"Vim", NULL},
	{"W3C", NULL},
	{"WTFPL", NULL},
	{"X11", NULL},
	{"Zlib", NULL},
	{"ZPL-2.1", NULL},
};

static const struct {
	const char *family;
	const char *versions[4];
} gnu[] = {
	{"GPL", {"1.0", "2.0", "3.0", NULL}},
	{"LGPL", {"2.0", "2.1", "3.0", NULL}},
	{"AGPL", {"1.0", "3.0", NULL}},
	{"GFDL", {"1.1", "1.2", "1.3", NULL}},
};

static const struct {
	const char *debian;
	const char *spdx;
} exceptions[] = {
	{"Bison", "Bison-exception-2.2"},
	{"Classpath", "Classpath-exception-2.0"},
	{"Font", "Font-exception-2.0"},
	{"Libtool", "Libtool-exception"},
};

void license_release(struct license *l)
{
	free(l->names);
	free(l->refers);
	free(l->spdx);
	*l = (struct license){0};
}

/* "GPL-2+", "LGPL-2.1", "GFDL-NIV-1.3+" */
static bool add_gnu(const char *name, struct buf *out)
{
	for (size_t i = 0; i < sizeof(gnu) / sizeof(gnu[0]); i++) {
		size_t len = strlen(gnu[i].family);
		const char *version = name + len + 1;
		const char *middle = "";

		if (strncasecmp(name, gnu[i].family, len) != 0 || name[len] != '-')
			continue;
		if (strcmp(gnu[i].family, "GFDL") == 0 && strncasecmp(version, "NIV-", 4) == 0) {
			version += 4;
			middle = "-no-invariants";
		}
		for (const char *const *v = gnu[i].versions; *v; v++) {
			size_t digits = strcspn(version, "+");
			bool same = (digits == 3 && strncmp(version, *v, 3) == 0) ||
						(digits == 1 && version[0] == (*v)[0] && (*v)[2] == '0');

			if (!same || (version[digits] && strcmp(version + digits, "+") != 0))
				continue;
			buf_addf(out, "%s-%s%s-%s", gnu[i].family, *v, middle,
					 version[digits] ? "or-later" : "only");
			return true;
		}
	}
	return false;
}

static bool add_name(const char *name, struct buf *out)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcasecmp(name, known[i].debian) != 0)
			continue;
		buf_adds(out, known[i].spdx ? known[i].spdx : known[i].debian);
		return true;
	}
	return add_gnu(name, out);
}

/* There is one for each version of the GPL. */
static bool add_autoconf(struct buf *out)
{
	static const char *const versions[] = {"2.0", "3.0"};

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		AUTO_FREE char *only = xasprintf("GPL-%s-only", versions[i]);
		AUTO_FREE char *later = xasprintf("GPL-%s-or-later", versions[i]);

		if (!text_ends(buf_str(out), only) && !text_ends(buf_str(out), later))
			continue;
		buf_addf(out, " WITH Autoconf-exception-%s", versions[i]);
		return true;
	}
	return false;
}

static bool add_exception(const char *name, struct buf *out)
{
	if (strcasecmp(name, "Autoconf") == 0 || strcasecmp(name, "Autoconf-data") == 0)
		return add_autoconf(out);
	for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++) {
		if (strcasecmp(name, exceptions[i].debian) != 0)
			continue;
		buf_addf(out, " WITH %s", exceptions[i].spdx);
		return true;
	}
	return false;
}

/* The next word; "" at the end. */
static const char *next_word(struct span *rest, char out[MAX_NAME])
{
	size_t len = 0;

	*rest = deb822_trim(*rest);
	while (len < rest->len && !strchr(" \t\r\n", rest->data[len]))
		len++;
	/* too long for any name: what is left of it is none either */
	snprintf(out, MAX_NAME, "%.*s", (int)(len < MAX_NAME ? len : MAX_NAME - 1), rest->data);
	rest->data += len;
	rest->len -= len;
	return out;
}

/* Names joined by and, or, and "with NAME exception". In both languages "and" binds closer. */
static bool add_expression(struct span text, struct buf *out)
{
	char word[MAX_NAME];

	if (!add_name(next_word(&text, word), out))
		return false;
	while (next_word(&text, word)[0]) {
		char next[MAX_NAME];

		if (strcasecmp(word, "with") == 0) {
			if (!add_exception(next_word(&text, next), out) ||
				strcasecmp(next_word(&text, next), "exception") != 0)
				return false;
			continue;
		}
		if (strcasecmp(word, "and") != 0 && strcasecmp(word, "or") != 0)
			return false;
		buf_adds(out, strcasecmp(word, "and") == 0 ? " AND " : " OR ");
		if (!add_name(next_word(&text, next), out))
			return false;
	}
	return true;
}

/* AND more, in parentheses where it offers a choice. */
static void add_and(struct buf *out, const struct buf *more, bool is_alone)
{
	bool has_choice = !is_alone && strstr(buf_str(more), " OR ") != NULL;

	if (out->len > 0)
		buf_adds(out, " AND ");
	buf_addf(out, has_choice ? "(%s)" : "%s", buf_str(more));
}

/* In Debian's format ", and" binds less than "or". */
bool license_to_spdx(struct span names, struct buf *out)
{
	AUTO(buf) struct buf all = {0};
	bool is_alone = memchr(names.data ? names.data : "", ',', names.len) == NULL;

	while (names.len > 0) {
		const char *comma = memchr(names.data, ',', names.len);
		size_t len = comma ? (size_t)(comma - names.data) : names.len;
		AUTO(buf) struct buf part = {0};
		char word[MAX_NAME];

		if (!add_expression((struct span){names.data, len}, &part))
			return false;
		add_and(&all, &part, is_alone);
		names.data += len + (comma != NULL);
		names.len -= len + (comma != NULL);
		if (comma && strcasecmp(next_word(&names, word), "and") != 0)
			return false;
	}
	buf_add(out, all.data, all.len);
	return all.len > 0;
}

static bool is_packaging(struct span files)
{
	char word[MAX_NAME];

	while (next_word(&files, word)[0])
		if (strncmp(word, "debian/", 7) != 0)
			return false;
	return true;
}

/* The licences of the Files paragraphs, each once. */
static void collect(struct span copyright, struct strv *out)
{
	for (struct span p = {0}; deb822_next(&copyright, &p);) {
		struct span files = deb822_get(p, "Files");
		struct span license = deb822_first_line(deb822_get(p, "License"));
		AUTO_FREE char *name = NULL;

		if (!files.data || is_packaging(files) || license.len == 0)
			continue;
		name = xstrndup(license.data, license.len);
		utf8_sanitize(name);
		if (!strv_has(out, name) && out->count < MAX_LICENSES)
			strv_add(out, name);
	}
}

/* Whatever its form, a copyright file names the texts that every Debian system has, and does not
 * repeat them (Debian policy 12.5). */
static char *common_licenses(struct span text)
{
	static const char folder[] = "/usr/share/common-licenses/";
	AUTO(strv) struct strv names = {0};
	AUTO(buf) struct buf said = {0};
	const char *hit;

	while ((hit = memmem(text.data, text.len, folder, sizeof(folder) - 1))) {
		AUTO_FREE char *name = NULL;
		size_t len = 0;

		hit += sizeof(folder) - 1;
		text.len -= (size_t)(hit - text.data);
		text.data = hit;
		while (len < text.len && len < MAX_NAME &&
			   memchr(NAME_CHARS, hit[len], sizeof(NAME_CHARS) - 1))
			len++;
		/* of the sentence */
		while (len > 0 && strchr(".-", hit[len - 1]))
			len--;
		name = xstrndup(hit, len);
		if (len > 0 && !strv_has(&names, name) && names.count < MAX_LICENSES)
			strv_add(&names, name);
	}
	for (size_t i = 0; i < names.count; i++)
		buf_addf(&said, "%s%s", i ? "; " : "", names.items[i]);
	return names.count ? buf_take(&said) : NULL;
}

void license_read(struct span copyright, struct license *out)
{
	AUTO(strv) struct strv names = {0};
	AUTO(buf) struct buf said = {0};
	AUTO(buf) struct buf spdx = {0};
	struct span rest = copyright;
	struct span header = {0};
	struct span format;
	bool maps = true;

	*out = (struct license){0};
	if (!deb822_next(&rest, &header))
		return;
	format = deb822_first_line(deb822_get(header, "Format"));
	if (format.data && memmem(format.data, format.len, "copyright-format/1.0", 20))
		collect(rest, &names);
	for (size_t i = 0; i < names.count; i++) {
		AUTO(buf) struct buf one = {0};

		buf_addf(&said, "%s%s", i ? "; " : "", names.items[i]);
		maps = maps && license_to_spdx(span_of(names.items[i]), &one);
		if (maps)
			add_and(&spdx, &one, names.count == 1);
	}
	if (names.count == 0) {
		out->refers = common_licenses(copyright);
		return;
	}
	out->names = buf_take(&said);
	if (maps && names.count < MAX_LICENSES)
		out->spdx = buf_take(&spdx);
}
