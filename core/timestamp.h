/*
 * Times as AWS writes them. Seconds are doubles where fractions count (milliseconds are exact until
 * year 287396). Times outside the years 1 to 9999 are written as the nearest one inside.
 */
#ifndef TAP_TIMESTAMP_H
#define TAP_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "api.h"

TAP_API_BEGIN

enum { TAP_TIME_SIZE = 40 };

/* "20260101T000000Z" */
void tap_time_basic(char out[TAP_TIME_SIZE], int64_t seconds);
/* "2026-01-01T00:00:00.123Z"; the fraction only when `millis` */
void tap_time_iso(char out[TAP_TIME_SIZE], double seconds, bool millis);
/* "Thu, 01 Jan 2026 00:00:00 GMT" */
void tap_time_http(char out[TAP_TIME_SIZE], double seconds);
/* Any of the three, offsets ("+02:00") and up to nine digits of fraction included. False when it is
 * none. */
bool tap_time_parse(double *seconds, const char *text);

TAP_API_END

#endif
