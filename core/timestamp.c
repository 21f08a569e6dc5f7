/*
 * Times as AWS writes and reads them. See timestamp.h. The names of days and months are tables
 * here, as strftime's and strptime's follow the locale.
 */
#include "timestamp.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* The civil date of a count of days since 1970, in the proleptic Gregorian calendar: eras of 400
 * years that start on March 1, so that the leap day is a year's last. gmtime_r would do, but takes
 * the lock of the time zone, and a signature needs the date several times. */
static void civil(struct tm *tm, int64_t days_since_1970)
{
    int64_t shifted = days_since_1970 + 719468; /* since 0000-03-01 */
    int64_t era = shifted / 146097;
    int day = (int)(shifted % 146097); /* of the era */
    int year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * year + year / 4 - year / 100; /* of the year */
    int month = (5 * day + 2) / 153;           /* from March */
    tm->tm_mday = day - (153 * month + 2) / 5 + 1;
    tm->tm_mon = month < 10 ? month + 2 : month - 10;
    tm->tm_year = (int)(era * 400) + year + (month >= 10) - 1900;
    tm->tm_wday = (int)((days_since_1970 + 719468 + 3) % 7); /* 0000-03-01 was a Wednesday */
}

/* The formats have four digits for a year: times outside 0001-9999 become the nearest one inside.
 */
static struct tm calendar(int64_t seconds)
{
    static const int64_t first = -62135596800, last = 253402300799, day = 86400;
    seconds = seconds < first ? first : seconds > last ? last : seconds;
    int64_t date = (seconds - first) / day + first / day; /* down, before 1970 too */
    int second = (int)(seconds - date * day);
    struct tm tm = {.tm_hour = second / 3600, .tm_min = second / 60 % 60, .tm_sec = second % 60};
    civil(&tm, date);
    return tm;
}

/* Rounds down; what no int64_t can hold (NaN too) ends at the edges. */
static int64_t whole(double value)
{
    value = floor(value);
    if (!(value > -9e18))
        return -9000000000000000000;
    return value < 9e18 ? (int64_t)value : 9000000000000000000;
}

/* Writes exactly `digits` digits and returns the place behind them. */
static char *put_number(char *out, int digits, int value)
{
    for (int i = digits; i-- > 0; value /= 10)
        out[i] = (char)('0' + value % 10);
    return out + digits;
}

void tap_time_basic(char out[TAP_TIME_SIZE], int64_t seconds)
{
    struct tm tm = calendar(seconds);
    out = put_number(out, 4, tm.tm_year + 1900);
    out = put_number(out, 2, tm.tm_mon + 1);
    out = put_number(out, 2, tm.tm_mday);
    *out++ = 'T';
    out = put_number(out, 2, tm.tm_hour);
    out = put_number(out, 2, tm.tm_min);
    out = put_number(out, 2, tm.tm_sec);
    *out++ = 'Z';
    *out = '\0';
}

void tap_time_iso(char out[TAP_TIME_SIZE], double seconds, bool millis)
{
    /* to the nearest millisecond first, so that .9996 carries into the second */
    int64_t ms = whole(seconds * 1000 + 0.5);
    int64_t fraction = (ms % 1000 + 1000) % 1000;
    struct tm tm = calendar(millis ? (ms - fraction) / 1000 : whole(seconds));
    int n = snprintf(out, TAP_TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900,
                     tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    if (millis)
        snprintf(out + n, TAP_TIME_SIZE - (size_t)n, ".%03dZ", (int)fraction);
    else
        snprintf(out + n, TAP_TIME_SIZE - (size_t)n, "Z");
}

void tap_time_http(char out[TAP_TIME_SIZE], double seconds)
{
    struct tm tm = calendar(whole(seconds));
    snprintf(out, TAP_TIME_SIZE, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday],
             tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* The take_ functions read one piece at *at and move it past what they read; false when the piece
 * is not there. */

static bool take(const char **at, const char *text)
{
    size_t n = strlen(text);
    if (strncmp(*at, text, n) != 0)
        return false;
    *at += n;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool take_number(const char **at, int digits, int *value)
{
    *value = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (!is_digit(**at))
            return false;
        *value = *value * 10 + (**at - '0');
    }
    return true;
}

static bool take_name(const char **at, const char *const *names, int n, int *index)
{
    for (*index = 0; *index < n; (*index)++)
        if (take(at, names[*index]))
            return true;
    return false;
}

/* ".5", of one to nine digits; absent is 0. */
static bool take_fraction(const char **at, double *fraction)
{
    *fraction = 0;
    if (!take(at, "."))
        return true;
    double value = 0, unit = 1;
    int digits = 0;
    for (; is_digit(**at); (*at)++, digits++) {
        value = value * 10 + (**at - '0');
        unit *= 10;
    }
    *fraction = value / unit;
    return digits >= 1 && digits <= 9;
}

static bool take_clock(const char **at, const char *separator, struct tm *tm, double *fraction)
{
    return take_number(at, 2, &tm->tm_hour) && take(at, separator) &&
           take_number(at, 2, &tm->tm_min) && take(at, separator) &&
           take_number(at, 2, &tm->tm_sec) && take_fraction(at, fraction);
}

/* "Z", "+02:00" or "-0330": seconds east of Greenwich. */
static bool take_zone(const char **at, int *offset)
{
    *offset = 0;
    if (take(at, "Z"))
        return true;
    int sign = take(at, "+") ? 1 : take(at, "-") ? -1 : 0;
    int hours = 0, minutes = 0;
    if (!sign || !take_number(at, 2, &hours))
        return false;
    take(at, ":");
    if (!take_number(at, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *offset = sign * (hours * 3600 + minutes * 60);
    return true;
}

/* "Thu, 01 Jan 2026 00:00:00 GMT" */
static bool take_http(const char **at, struct tm *tm, double *fraction)
{
    return take_name(at, days, 7, &tm->tm_wday) && take(at, ", ") &&
           take_number(at, 2, &tm->tm_mday) && take(at, " ") &&
           take_name(at, months, 12, &tm->tm_mon) && take(at, " ") &&
           take_number(at, 4, &tm->tm_year) && take(at, " ") && take_clock(at, ":", tm, fraction) &&
           take(at, " GMT");
}

/* "2026-01-01T00:00:00Z" and "20260101T000000Z" */
static bool take_iso(const char **at, struct tm *tm, double *fraction, int *offset)
{
    if (!take_number(at, 4, &tm->tm_year))
        return false;
    bool basic = **at != '-';
    const char *dash = basic ? "" : "-", *colon = basic ? "" : ":";
    if (!take(at, dash) || !take_number(at, 2, &tm->tm_mon) || !take(at, dash) ||
        !take_number(at, 2, &tm->tm_mday) || !take(at, "T"))
        return false;
    tm->tm_mon -= 1;
    return take_clock(at, colon, tm, fraction) && take_zone(at, offset);
}

bool tap_time_parse(double *seconds, const char *text)
{
    struct tm tm = {0};
    double fraction = 0;
    int offset = 0;
    const char *at = text;
    bool read =
        is_digit(*at) ? take_iso(&at, &tm, &fraction, &offset) : take_http(&at, &tm, &fraction);
    if (!read || *at)
        return false;
    if (tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60) /* 60: a leap second */
        return false;
    int month = tm.tm_mon, day = tm.tm_mday;
    tm.tm_year -= 1900;
    struct tm normal = tm;
    normal.tm_hour = normal.tm_min = normal.tm_sec = 0;
    timegm(&normal); /* moves February 30 to March: then it was no date */
    if (normal.tm_mon != month || normal.tm_mday != day)
        return false;
    *seconds = (double)((int64_t)timegm(&tm) - offset) + fraction;
    return true;
}
