/* Paging of the Admin API's lists. */
#ifndef GA4_SIM_PAGE_H
#define GA4_SIM_PAGE_H

#include "ga4-sim/api/call.h"

/* Elements from..end of the list that this answer has. */
struct page {
  size_t from, end;
  bool more;
};

/* Reads pageSize (0 or absent: 50; above 200: 200) and pageToken of the request over a list of
 * `total` elements. False: the reply says what is wrong. mark: two letters that keep a token of
 * one list from another. */
bool page_read(const struct call *c, const char *mark, size_t total, struct page *out,
               struct reply *r);
/* Appends {"NAME":[...],"nextPageToken":"..."}, leaving out what is empty; put writes element i. */
void page_write(const struct call *c, const char *mark, const char *name, const struct page *page,
                void (*put)(const struct call *c, size_t i, struct buf *out), struct reply *r);

#endif
