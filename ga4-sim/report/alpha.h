/* Inside the room: how descriptors of v1alpha are written. */
#ifndef GA4_SIM_ALPHA_H
#define GA4_SIM_ALPHA_H

#include "ga4-sim/report/messages.h"

#define ALPHA "google.analytics.data.v1alpha."
#define FIELDS(table) table, ARRAY_LEN(table)
/* A field that is a message. */
#define PART(field, type)                                                                          \
  {                                                                                                \
    .name = field, .kind = KIND_MESSAGE, .message = &(type)                                        \
  }
#define PARTS(field, type)                                                                         \
  {                                                                                                \
    .name = field, .kind = KIND_MESSAGE, .repeated = true, .message = &(type)                      \
  }
#define ONE(field, type, of)                                                                       \
  {                                                                                                \
    .name = field, .kind = KIND_MESSAGE, .message = &(type), .oneof = of                           \
  }
#define FOUR_FILTERS                                                                               \
  ONE("stringFilter", message_string_filter, "one_filter"),                                        \
      ONE("inListFilter", message_in_list_filter, "one_filter"),                                   \
      ONE("numericFilter", message_numeric_filter, "one_filter"),                                  \
      ONE("betweenFilter", message_between_filter, "one_filter")

extern const struct message_type message_segment; /* segment_messages.c */

#endif
