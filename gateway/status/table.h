/* The tables of the page. */
#ifndef AMCP_GATEWAY_STATUS_TABLE_H
#define AMCP_GATEWAY_STATUS_TABLE_H

#include "common/status/join.h"
#include "gateway/status/page.h"

void table_put_services(struct buf *out, const struct page *p);
void table_put_dealers(struct buf *out, const struct page *p);
void table_put_cohorts(struct buf *out, const struct page *p);
void table_put_facts(struct buf *out, const struct page *p);

/* How urgent a state is: the class of its badge, "bad", "warn", "quiet" or "good"; and its words.
 */
const char *table_class(enum status_state state);
const char *table_words(enum status_state state);

#endif
