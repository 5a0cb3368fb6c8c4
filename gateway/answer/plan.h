/* Inside the room: which field of a message is which part of the answer, and which columns its
 * rows have. */
#ifndef AMCP_GATEWAY_ANSWER_PLAN_H
#define AMCP_GATEWAY_ANSWER_PLAN_H

#include "gateway/answer/answer.h"

enum {
  PATH_MAX_FIELDS = 4, /* messages inside a row */
  COLUMN_NAME_MAX = 80,
  FIELDS_MAX = 24, /* of one part */
  COLUMNS_MAX = 64,
  TABLES_MAX = 4,
  LEVELS_MAX = 3 /* lists inside the messages of lists */
};

/* One column of a table, or one per value of a list (`named_by`). Its values lie at the end of a
 * path of fields that begins in the message of one level of the row. */
struct column {
  char *name; /* shorter than COLUMN_NAME_MAX; owned */
  const ProtobufCFieldDescriptor *path[PATH_MAX_FIELDS];
  size_t depth;
  size_t level;
  enum catalog_format format;
  const ProtobufCFieldDescriptor *named_by; /* of the result; NULL for one column */
  const ProtobufCFieldDescriptor *unwrap;   /* the only field of the list's messages, or NULL */
  bool number_text;                         /* values are texts that hold numbers */
  bool structured_only;                     /* no part of the text */
  size_t text_in; /* 1 + index of the column in whose cell the text shows it; 0: its own */
};

/* Rows: a list of messages or one message (level 0), and lists inside them: one row per item of
 * the innermost list, and one for a message whose list is empty. */
struct table {
  const ProtobufCFieldDescriptor *levels[LEVELS_MAX];
  size_t n_levels;
  struct column *columns; /* at most COLUMNS_MAX; owned */
  size_t n_columns;
};

struct answer_plan {
  const struct catalog_tool *tool;
  const ProtobufCFieldDescriptor *headline, *period, *coverage, *next_offset;
  const ProtobufCFieldDescriptor *notes[FIELDS_MAX], *caveats[FIELDS_MAX], *facts[FIELDS_MAX];
  struct table *flat[FIELDS_MAX]; /* of a fact that is a message without lists of messages: it as
                                     one row; NULL for others. Owned. */
  size_t n_notes, n_caveats, n_facts;
  struct table tables[TABLES_MAX];
  size_t n_tables;
};

#endif
