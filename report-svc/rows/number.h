/* Text of a metric value to a double. */
#ifndef AMCP_REPORT_ROWS_NUMBER_H
#define AMCP_REPORT_ROWS_NUMBER_H

#include <stddef.h>

/* The double nearest to a decimal number in JSON's grammar, exactly as strtod() would round
 * it. NaN for anything else: empty text, "(not set)", hexadecimal, inf. Thread-safe. */
double rows_number_parse(const char *text, size_t len);

#endif
