#include "http/retry.h"

#include "base/text.h"
#include "http/client.h"

#include <ctype.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

bool retry_status(int status)
{
	switch (status) {
	case 408:
	case 429:
	case 499: /* nginx: the client went away, which it did not */
	case 500:
	case 502:
	case 503:
	case 504:
		return true;
	default:
		return status >= 520 && status <= 524; /* Cloudflare in front of a sick origin */
	}
}

static int number(const char *text, int digits)
{
	int n = 0;

	for (int i = 0; i < digits; i++) {
		if (!isdigit((unsigned char)text[i]))
			return -1;
		n = n * 10 + (text[i] - '0');
	}
	return n;
}

/* IMF-fixdate, the one form that may be sent: "Sun, 06 Nov 1994 08:49:37 GMT". strptime would ask
 * the locale. */
static int parse_http_date(const char *text, int64_t *wall_s)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm = {0};
	char month[4] = {0};
	const char *found;

	if (strlen(text) != 29 || text[3] != ',' || strcmp(text + 25, " GMT") != 0)
		return -1;
	memcpy(month, text + 8, 3);
	found = strstr(months, month);
	if (!found || (found - months) % 3 != 0)
		return -1;
	tm.tm_mday = number(text + 5, 2);
	tm.tm_mon = (int)(found - months) / 3;
	tm.tm_year = number(text + 12, 4) - 1900;
	tm.tm_hour = number(text + 17, 2);
	tm.tm_min = number(text + 20, 2);
	tm.tm_sec = number(text + 23, 2);
	if (tm.tm_mday < 1 || tm.tm_year < 0 || tm.tm_hour < 0 || tm.tm_min < 0 || tm.tm_sec < 0)
		return -1;
	*wall_s = (int64_t)timegm(&tm);
	return 0;
}

int64_t retry_after_ms(const char *value, int64_t wall_s)
{
	const int64_t most = HTTP_MAX_RETRY_AFTER_MS / 1000;
	int64_t seconds;
	int64_t date;

	if (!value || !*value)
		return -1;
	if (value[strspn(value, "0123456789")] == '\0') {
		if (!text_to_int(value, 0, most, &seconds))
			seconds = most;
	} else if (parse_http_date(value, &date) == 0) {
		seconds = date - wall_s;
	} else {
		return -1;
	}
	return (seconds < 0 ? 0 : seconds > most ? most : seconds) * 1000;
}

int64_t retry_jitter_ms(int tries)
{
	uint32_t random = 0;
	int64_t most = RETRY_BASE_MS;

	for (int i = 1; i < tries && most < RETRY_MAX_MS; i++)
		most *= 2;
	if (most > RETRY_MAX_MS)
		most = RETRY_MAX_MS;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return most;
	return (int64_t)(random % (uint32_t)(most + 1));
}
