/* The .proto files of one protoc run, with comments, options and types resolved. */
#ifndef AMCP_CATALOG_PLUGIN_MODEL_H
#define AMCP_CATALOG_PLUGIN_MODEL_H

#include <google/protobuf/descriptor.pb-c.h>
#include <mcp/v1/options.pb-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buf.h"

typedef struct Google__Protobuf__Compiler__CodeGeneratorRequest Request; /* plugin.proto */
typedef Google__Protobuf__FileDescriptorProto FileProto;
typedef Google__Protobuf__DescriptorProto MessageProto;
typedef Google__Protobuf__FieldDescriptorProto FieldProto;
typedef Google__Protobuf__EnumDescriptorProto EnumProto;
typedef Google__Protobuf__ServiceDescriptorProto ServiceProto;
typedef Google__Protobuf__MethodDescriptorProto MethodProto;

/* An element of a file: the path of SourceCodeInfo.Location (descriptor.proto). */
struct place {
  const FileProto *file;
  const int32_t *path;
  size_t len;
  int line;            /* from 1; 0 when not known */
  const char *comment; /* unwrapped into paragraphs; "" when there is none */
};

struct enum_info {
  const char *name; /* "analytics.ga4.v1beta.MetricType" */
  const EnumProto *proto;
  struct place place;
  const char **comments; /* one per value */
};

/* place.comment: the field's own; else that of the oneof it is the only member of; else that
 * of its type. */
struct field_info {
  const FieldProto *proto;
  const struct message_info *owner;
  struct place place;
  const Mcp__V1__Field *options; /* never NULL */
  bool has_options;
  bool repeated;                      /* a list; not a map */
  bool is_map;                        /* `message` is the entry type */
  bool in_choice;                     /* member of a oneof of several members */
  const struct message_info *message; /* type, when it is a message */
  const struct enum_info *enumeration;
};

struct message_info {
  const char *name; /* "analytics.ga4.v1beta.Filter.StringFilter" */
  const MessageProto *proto;
  struct place place;
  struct field_info *fields; /* as many as proto->n_field, in their order */
};

struct method_info {
  const ServiceProto *service;
  const char *service_name; /* "analytics.report.v1.ReportService" */
  const MethodProto *proto;
  struct place place;
  const Mcp__V1__Tool *tool; /* NULL when the rpc is not a tool */
  const struct message_info *input;
  const struct message_info *output;
};

struct model {
  struct arena *arena;
  struct message_info **messages; /* sorted by name */
  size_t n_messages;
  struct enum_info **enums; /* sorted by name */
  size_t n_enums;
  struct method_info *methods; /* in the order of the files */
  size_t n_methods;
  struct buf *problems; /* one line each; empty when all is well */
};

/* Builds the model in an arena. Everything points into the request, which must live as
 * long. NULL when the arena is full. */
struct model *model_new(const Request *request, struct arena *arena, struct buf *problems);

/* The message of a full name without the leading dot; NULL when there is none. */
const struct message_info *model_message(const struct model *model, const char *name);

/* Notes a mistake in the .proto as "file:line: text". At most 50 are kept. */
void model_problem(struct model *model, const struct place *place, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
