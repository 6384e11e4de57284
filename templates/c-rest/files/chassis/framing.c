#include "chassis/framing.h"

#include <microhttpd.h>
#include <string.h>
#include <strings.h>

static bool is_token(const char *name, size_t size)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < size; i++) {
		char c = name[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
				(c && strchr(marks, c))))
			return false;
	}
	return size > 0;
}

static bool is_clean(const char *value, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)value[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool is_name(const char *name, size_t size, const char *wanted)
{
	return size == strlen(wanted) && strncasecmp(name, wanted, size) == 0;
}

static bool is_digits(const char *value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (value[i] < '0' || value[i] > '9')
			return false;
	return size > 0;
}

void framing_add(struct framing *framing, const char *name, size_t name_size, const char *value,
	size_t value_size)
{
	if (!is_token(name, name_size))
		framing->refusal = "a header name has characters that are not allowed";
	else if (!is_clean(value, value_size))
		framing->refusal = "a header value has control characters";
	else if (is_name(name, name_size, "Host"))
		framing->hosts++;
	else if (is_name(name, name_size, "Content-Length")) {
		framing->content_lengths++;
		if (!is_digits(value, value_size))
			framing->refusal = "Content-Length is not a number";
	} else if (is_name(name, name_size, "Transfer-Encoding")) {
		framing->transfer_encodings++;
		if (!is_name(value, value_size, "chunked"))
			framing->refusal = "the only Transfer-Encoding is chunked";
	}
}

void framing_finish(struct framing *framing, bool http_1_1)
{
	if (framing->refusal)
		return;
	if (framing->hosts > 1)
		framing->refusal = "more than one Host";
	else if (framing->hosts == 0 && http_1_1)
		framing->refusal = "Host is missing";
	else if (framing->content_lengths > 1)
		framing->refusal = "more than one Content-Length";
	else if (framing->transfer_encodings > 1)
		framing->refusal = "more than one Transfer-Encoding";
	else if (framing->transfer_encodings && framing->content_lengths)
		framing->refusal = "Content-Length together with Transfer-Encoding";
	else if (framing->transfer_encodings && !http_1_1)
		framing->refusal = "Transfer-Encoding needs HTTP/1.1";
}

static enum MHD_Result add_field(void *context, enum MHD_ValueKind kind, const char *name,
	size_t name_size, const char *value, size_t value_size)
{
	(void)kind;
	framing_add(context, name, name_size, value ? value : "", value ? value_size : 0);
	return MHD_YES;
}

const char *framing_check(struct MHD_Connection *connection, const char *version)
{
	struct framing framing = {0};

	MHD_get_connection_values_n(connection, MHD_HEADER_KIND, add_field, &framing);
	framing_finish(&framing, strcmp(version, "HTTP/1.1") == 0);
	return framing.refusal;
}
