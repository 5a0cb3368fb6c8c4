/* Inside the room: the words for comparisons in filters. Pure. */
#ifndef AMCP_GATEWAY_ARGUMENTS_MATCH_H
#define AMCP_GATEWAY_ARGUMENTS_MATCH_H

#include <stdbool.h>

enum match_kind {
  MATCH_TEXT,    /* string_filter; name is its match_type */
  MATCH_EQUAL,   /* the same value: text for dimensions, a number for metrics */
  MATCH_LIST,    /* in_list_filter */
  MATCH_NUMBER,  /* numeric_filter; name is its operation */
  MATCH_BETWEEN, /* between_filter */
  MATCH_EMPTY    /* empty_filter */
};

struct match {
  const char *word; /* as text_fold() writes it, or a sign such as ">=" */
  enum match_kind kind;
  const char *name;
  bool negated;
};

/* The comparison that a word means: "EXACT", "starts with", ">=", "not_equal"; NULL for none. A
 * bare "regex" is none: it may be meant to match a part or the whole. */
const struct match *match_find(const char *text);
/* Whether a text is a bare "regex". */
bool match_is_open_regexp(const char *text);

#endif
