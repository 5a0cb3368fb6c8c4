/* Pages of an answer's rows: as many as were asked for, or as many as a model is shown. The gateway
 * cuts a text that is too long, and only as a guard; so what a page may hold is counted here, in
 * the bytes that its messages take as text. */
#ifndef AMCP_AGGREGATE_PAGING_H
#define AMCP_AGGREGATE_PAGING_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A page while it is filled. */
struct paging {
  size_t offset; /* rows to skip */
  size_t limit;  /* most rows; 0 for those that fit */
  size_t left;   /* bytes for the rows */
  size_t n;      /* rows taken */
};

/* Bytes of a message as the text of an answer: its values with what separates them, of lists each
 * item. Not what stands around it: labels and the names of columns. */
size_t paging_text_bytes(const ProtobufCMessage *m);

/* Bytes of all that stands in a result before its pages are filled, with labels. */
size_t paging_head_bytes(const ProtobufCMessage *result);

/* What `used` leaves of max_text. */
size_t paging_left(size_t max_text, size_t used);

/* Takes a row of so many bytes; false when it belongs to the next page. The first always fits. */
bool paging_take(struct paging *p, size_t bytes);

/* Offset of the page behind this one; 0 when there is no row of `all` left. */
int32_t paging_next(const struct paging *p, size_t all);

#endif
