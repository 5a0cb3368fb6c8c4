/* Indexes the descriptors of a protoc run: names, types, places, options. */
#include "gateway/catalog/plugin/model.h"

#include <google/protobuf/compiler/plugin.pb-c.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/pbjson/pbjson.h"
#include "gateway/catalog/plugin/source.h"

/* Numbers of the extensions in mcp/v1/options.proto. */
enum { TOOL_OPTION = 51234, FIELD_OPTION = 51235 };

/* Field numbers of descriptor.proto, as they stand in the paths of locations. */
enum {
  FILE_MESSAGE = 4,
  FILE_ENUM = 5,
  FILE_SERVICE = 6,
  MESSAGE_FIELD = 2,
  MESSAGE_NESTED = 3,
  MESSAGE_ENUM = 4,
  MESSAGE_ONEOF = 8,
  ENUM_VALUE = 2,
  SERVICE_METHOD = 2,
};

enum { PROBLEM_BYTES = 512 };

void model_problem(struct model *model, const struct place *place, const char *fmt, ...)
{
  char text[PROBLEM_BYTES];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof(text), fmt, args);
  va_end(args);
  buf_printf(model->problems, "%s%s:%d: %s", model->problems->len > 0 ? "\n" : "",
             place->file->name, place->line, text);
}

static int compare_messages(const void *a, const void *b)
{
  return strcmp((*(struct message_info *const *)a)->name, (*(struct message_info *const *)b)->name);
}

static int compare_enums(const void *a, const void *b)
{
  return strcmp((*(struct enum_info *const *)a)->name, (*(struct enum_info *const *)b)->name);
}

const struct message_info *model_message(const struct model *model, const char *name)
{
  struct message_info key = {.name = name};
  const struct message_info *p = &key;
  struct message_info *const *found =
      bsearch(&p, model->messages, model->n_messages, sizeof(p), compare_messages);
  return found != NULL ? *found : NULL;
}

static const struct enum_info *model_enum(const struct model *model, const char *name)
{
  struct enum_info key = {.name = name};
  const struct enum_info *p = &key;
  struct enum_info *const *found =
      bsearch(&p, model->enums, model->n_enums, sizeof(p), compare_enums);
  return found != NULL ? *found : NULL;
}

static const char *join_name(struct arena *arena, const char *scope, const char *name)
{
  return scope != NULL && *scope != '\0' ? arena_printf(arena, "%s.%s", scope, name)
                                         : arena_strdup(arena, name);
}

static void add_enum(struct model *model, const EnumProto *proto, const char *scope,
                     struct place place)
{
  struct enum_info *info = ARENA_NEW(model->arena, struct enum_info);
  *info = (struct enum_info){.name = join_name(model->arena, scope, proto->name),
                             .proto = proto,
                             .place = place,
                             .comments = ARENA_ARRAY(model->arena, const char *, proto->n_value)};
  for (size_t i = 0; i < proto->n_value; i++)
    info->comments[i] = source_child(model->arena, &place, ENUM_VALUE, (int32_t)i).comment;
  model->enums[model->n_enums++] = info;
}

/* Unpacks the option with a number from what descriptor.proto does not know; several
 * occurrences are merged by unpacking them as one. NULL when it is not set. */
static ProtobufCMessage *read_option(struct model *model, const ProtobufCMessage *options,
                                     uint32_t number, const ProtobufCMessageDescriptor *type)
{
  AUTO_BUF struct buf bytes = BUF_INIT(1 << 20);
  bool found = false;
  for (unsigned i = 0; options != NULL && i < options->n_unknown_fields; i++) {
    const ProtobufCMessageUnknownField *field = &options->unknown_fields[i];
    if (field->tag != number || field->wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
      continue;
    size_t skip = 0; /* the length in front of the bytes */
    while (skip < field->len && (field->data[skip] & 0x80) != 0)
      skip++;
    buf_append(&bytes, field->data + skip + 1, field->len - skip - 1);
    found = true;
  }
  if (!found)
    return NULL;
  ProtobufCAllocator allocator = pbjson_arena_allocator(model->arena);
  return protobuf_c_message_unpack(type, &allocator, bytes.len, (const uint8_t *)buf_str(&bytes));
}

static void add_field(struct model *model, struct message_info *message, size_t i)
{
  static const Mcp__V1__Field no_options = MCP__V1__FIELD__INIT;
  const FieldProto *proto = message->proto->field[i];
  struct field_info *field = &message->fields[i];
  const ProtobufCMessage *options = proto->options != NULL ? &proto->options->base : NULL;
  const ProtobufCMessage *own =
      read_option(model, options, FIELD_OPTION, &mcp__v1__field__descriptor);
  *field = (struct field_info){
      .proto = proto,
      .owner = message,
      .place = source_child(model->arena, &message->place, MESSAGE_FIELD, (int32_t)i),
      .options = own != NULL ? (const Mcp__V1__Field *)own : &no_options,
      .has_options = own != NULL,
      .repeated = proto->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REPEATED,
  };
  size_t members = 0;
  for (size_t k = 0; proto->has_oneof_index && k < message->proto->n_field; k++) {
    const FieldProto *other = message->proto->field[k];
    members += other->has_oneof_index && other->oneof_index == proto->oneof_index;
  }
  field->in_choice = members > 1;
  if (members == 1 && field->place.comment[0] == '\0')
    field->place.comment =
        source_child(model->arena, &message->place, MESSAGE_ONEOF, proto->oneof_index).comment;
}

static void add_message(struct model *model, const MessageProto *proto, const char *scope,
                        struct place place)
{
  struct message_info *message = ARENA_NEW(model->arena, struct message_info);
  *message =
      (struct message_info){.name = join_name(model->arena, scope, proto->name),
                            .proto = proto,
                            .place = place,
                            .fields = ARENA_ARRAY(model->arena, struct field_info, proto->n_field)};
  model->messages[model->n_messages++] = message;
  for (size_t i = 0; i < proto->n_field; i++)
    add_field(model, message, i);
  for (size_t i = 0; i < proto->n_enum_type; i++)
    add_enum(model, proto->enum_type[i], message->name,
             source_child(model->arena, &place, MESSAGE_ENUM, (int32_t)i));
  for (size_t i = 0; i < proto->n_nested_type; i++)
    add_message(model, proto->nested_type[i], message->name,
                source_child(model->arena, &place, MESSAGE_NESTED, (int32_t)i));
}

static void count_nested(const MessageProto *proto, size_t *messages, size_t *enums)
{
  *messages += 1;
  *enums += proto->n_enum_type;
  for (size_t i = 0; i < proto->n_nested_type; i++)
    count_nested(proto->nested_type[i], messages, enums);
}

/* Room for everything, so that arrays need not grow. */
static void make_room(struct model *model, const Request *request)
{
  size_t messages = 0;
  size_t enums = 0;
  size_t methods = 0;
  for (size_t f = 0; f < request->n_proto_file; f++) {
    const FileProto *file = request->proto_file[f];
    enums += file->n_enum_type;
    for (size_t i = 0; i < file->n_message_type; i++)
      count_nested(file->message_type[i], &messages, &enums);
    for (size_t i = 0; i < file->n_service; i++)
      methods += file->service[i]->n_method;
  }
  model->messages = ARENA_ARRAY(model->arena, struct message_info *, messages);
  model->enums = ARENA_ARRAY(model->arena, struct enum_info *, enums);
  model->methods = ARENA_ARRAY(model->arena, struct method_info, methods);
}

static void add_types(struct model *model, const FileProto *file)
{
  struct place root = {.file = file, .comment = ""};
  for (size_t i = 0; i < file->n_enum_type; i++)
    add_enum(model, file->enum_type[i], file->package,
             source_child(model->arena, &root, FILE_ENUM, (int32_t)i));
  for (size_t i = 0; i < file->n_message_type; i++)
    add_message(model, file->message_type[i], file->package,
                source_child(model->arena, &root, FILE_MESSAGE, (int32_t)i));
}

static void add_methods(struct model *model, const FileProto *file, int32_t index)
{
  const ServiceProto *service = file->service[index];
  struct place root = {.file = file, .comment = ""};
  struct place place = source_child(model->arena, &root, FILE_SERVICE, index);
  for (size_t i = 0; i < service->n_method; i++) {
    const MethodProto *proto = service->method[i];
    const ProtobufCMessage *options = proto->options != NULL ? &proto->options->base : NULL;
    model->methods[model->n_methods++] = (struct method_info){
        .service = service,
        .service_name = join_name(model->arena, file->package, service->name),
        .proto = proto,
        .place = source_child(model->arena, &place, SERVICE_METHOD, (int32_t)i),
        .tool = (const Mcp__V1__Tool *)read_option(model, options, TOOL_OPTION,
                                                   &mcp__v1__tool__descriptor),
        .input = model_message(model, proto->input_type + 1),
        .output = model_message(model, proto->output_type + 1),
    };
  }
}

/* Type names are full and begin with a dot (plugin.proto). */
static void resolve_types(struct model *model)
{
  for (size_t m = 0; m < model->n_messages; m++) {
    struct message_info *message = model->messages[m];
    for (size_t i = 0; i < message->proto->n_field; i++) {
      struct field_info *field = &message->fields[i];
      const char *type = field->proto->type_name;
      if (type == NULL)
        continue;
      field->message = model_message(model, type + 1);
      field->enumeration = model_enum(model, type + 1);
      const struct message_info *target = field->message;
      field->is_map = field->repeated && target != NULL && target->proto->options != NULL &&
                      target->proto->options->map_entry;
      field->repeated = field->repeated && !field->is_map;
      if (field->place.comment[0] == '\0' && !field->is_map)
        field->place.comment = target != NULL               ? target->place.comment
                               : field->enumeration != NULL ? field->enumeration->place.comment
                                                            : "";
    }
  }
}

struct model *model_new(const Request *request, struct arena *arena, struct buf *problems)
{
  struct model *model = ARENA_NEW(arena, struct model);
  *model = (struct model){.arena = arena, .problems = problems};
  make_room(model, request);
  for (size_t f = 0; f < request->n_proto_file; f++)
    add_types(model, request->proto_file[f]);
  qsort(model->messages, model->n_messages, sizeof(*model->messages), compare_messages);
  qsort(model->enums, model->n_enums, sizeof(*model->enums), compare_enums);
  resolve_types(model);
  for (size_t f = 0; f < request->n_proto_file; f++) {
    for (size_t i = 0; i < request->proto_file[f]->n_service; i++)
      add_methods(model, request->proto_file[f], (int32_t)i);
  }
  return model;
}
