/* Whether a message holds NaN or an infinity anywhere. */
#ifndef AMCP_TESTS_AGGREGATE_FINITE_H
#define AMCP_TESTS_AGGREGATE_FINITE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

/* True when every float and double of the message and of what is in it is a finite number, and
 * none is -0, which JSON would show as such. */
bool all_numbers_are_finite(const ProtobufCMessage *m);

#endif
