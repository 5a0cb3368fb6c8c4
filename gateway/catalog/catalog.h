/* The tool catalogue: what protoc-gen-mcp generates from the .proto files. */
#ifndef AMCP_GATEWAY_CATALOG_H
#define AMCP_GATEWAY_CATALOG_H

#include <cjson/cJSON.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

/* What an argument holds, and the sets of tools; the values of mcp.v1.Meaning and Toolset. */
enum catalog_meaning {
  CATALOG_AS_TYPED,
  CATALOG_START_DATE,
  CATALOG_END_DATE,
  CATALOG_DIMENSION,
  CATALOG_METRIC,
  CATALOG_DIMENSION_FILTER,
  CATALOG_METRIC_FILTER,
  CATALOG_ORDER,
  CATALOG_PROPERTY,
  CATALOG_DEALER,
  CATALOG_WORD,
  CATALOG_EVENT
};
enum catalog_toolset {
  CATALOG_ALWAYS,
  CATALOG_BENCHMARKS,
  CATALOG_VEHICLES,
  CATALOG_REPORTS,
  CATALOG_ADMIN,
  CATALOG_ADVANCED,
  CATALOG_OPERATIONS
};

/* Constraints of one field of a message that occurs in tool arguments. */
struct catalog_rule {
  const ProtobufCMessageDescriptor *message;
  const char *field; /* name in the .proto */
  bool required;
  bool hidden;
  const char *default_json; /* NULL for none */
  bool has_minimum, has_maximum;
  double minimum, maximum;
  uint32_t min_items, max_items, max_length; /* 0: unbounded */
  enum catalog_meaning meaning;
  const char *single_as; /* NULL, or the field that takes the item of a list of one */
  const char *const *aliases, *const *examples_json, *const *single_unless;
  size_t n_aliases, n_examples, n_single_unless;
};

/* What a field is to the reader of an answer; the values of mcp.v1.Part and mcp.v1.Format. */
enum catalog_part {
  CATALOG_FACT,
  CATALOG_HEADLINE,
  CATALOG_PERIOD,
  CATALOG_COVERAGE,
  CATALOG_NOTES,
  CATALOG_CAVEATS,
  CATALOG_ROWS,
  CATALOG_NEXT_OFFSET,
  CATALOG_OMITTED,
  CATALOG_STRUCTURED
};
enum catalog_format { CATALOG_PLAIN, CATALOG_PERCENT, CATALOG_WHOLE };

/* A field of a message that occurs in answers and is more than a fact or a column. */
struct catalog_answer_field {
  const ProtobufCMessageDescriptor *message;
  const char *field;
  enum catalog_part part;
  enum catalog_format format;
  const char *named_by; /* NULL, or the list of the result that names the columns of this one */
  const char *text_in;  /* NULL, or the field of the message in whose cell the text shows this */
};

struct catalog_tool {
  const char *name;
  const char *title;
  const char *description;
  const char *input_schema; /* JSON object as text */
  bool read_only, idempotent, destructive, open_world;
  uint32_t timeout_ms;     /* 0: the gateway's default */
  uint32_t max_text_bytes; /* of an answer; 0: the gateway's default */
  enum catalog_toolset toolset;
  const char *app; /* URI of the page that draws the answers; NULL for none */
  const ProtobufCServiceDescriptor *service;
  const char *method;
  bool streaming; /* messages are oneof { progress; result } */
  const ProtobufCMessageDescriptor *input;
  const ProtobufCMessageDescriptor *response; /* what the rpc sends */
  const ProtobufCMessageDescriptor *output;   /* what the caller gets: response, or its `result` */
};

/* An answer of a tool that clients may read as a resource. */
struct catalog_resource {
  const char *uri, *name, *title, *description;
  const char *arguments_json; /* of the tool's call, an object */
  size_t tool;                /* in catalog_tools */
};

/* Where the values of an argument of prompts and templates come from. */
struct catalog_completion {
  const char *argument;
  const char *arguments_json; /* of the tool's call, an object with {value} in it */
  const char *column;         /* of the answer's rows */
  size_t tool;                /* in catalog_tools */
};

struct catalog_prompt_argument {
  const char *name, *description;
  const char *otherwise; /* stands in its place when it is not given; "": it must be given */
};

/* A question that a tool answers. */
struct catalog_prompt {
  const char *name, *title, *description;
  const char *text; /* {name} stands for an argument */
  const struct catalog_prompt_argument *arguments;
  size_t n_arguments;
  size_t tool; /* in catalog_tools */
};

/* In the order of their tools. */
extern const struct catalog_resource catalog_resources[];
extern const size_t catalog_resources_len;
extern const struct catalog_prompt catalog_prompts[];
extern const size_t catalog_prompts_len;
extern const struct catalog_completion catalog_completions[];
extern const size_t catalog_completions_len;

/* All tools, sorted by name, and all rules; those of one message stand together. */
extern const struct catalog_tool catalog_tools[];
extern const size_t catalog_tools_len;
extern const struct catalog_rule catalog_rules[];
extern const size_t catalog_rules_len;
extern const struct catalog_answer_field catalog_answer_fields[];
extern const size_t catalog_answer_fields_len;

/* The rules of a message's fields, *n of them; NULL when it has none. Thread-safe. */
const struct catalog_rule *catalog_rules_of(const ProtobufCMessageDescriptor *message, size_t *n);

/* The rule of a field; NULL when its options are empty. */
const struct catalog_rule *catalog_rule_of(const ProtobufCMessageDescriptor *message,
                                           const char *field);

/* Reads a comma-separated list of toolsets ("benchmarks, reports", "all") into a bit per value of
 * catalog_toolset, CATALOG_ALWAYS among them; NULL or "" gives all but `advanced` and `operations`.
 * ERR_INVALID_ARGUMENT names what is not a toolset. */
enum err_code catalog_toolsets_read(unsigned *out, const char *text, struct err *e);

/* The tool of a name; NULL when there is none. */
const struct catalog_tool *catalog_find(const char *name);

/* Checks arguments against the rules and fills in defaults, in place, in any nesting: only
 * inside messages that are present, and a message that has a default itself is filled in when
 * absent. Null counts as absent. Accepts snake_case and camelCase. ERR_INVALID_ARGUMENT with
 * the path: "metrics: at most 10 items, got 11". Types and unknown names are pbjson_read()'s
 * business, called next; give absent arguments as {}. Thread-safe for distinct arguments. */
enum err_code catalog_check(const struct catalog_tool *tool, cJSON *arguments, struct err *e);

#endif
