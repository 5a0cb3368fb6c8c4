/* Finds files in the descriptor set that the build has put into the program. The set is
 * small and the questions are rare, so every look-up is a walk. */
#include "common/rpc/descriptors.h"

#include <string.h>

#include "common/base/mem.h"
#include "google/protobuf/descriptor.pb-c.h"

extern const unsigned char rpc_descriptor_set[];
extern const size_t rpc_descriptor_set_size;

typedef Google__Protobuf__FileDescriptorProto File;
typedef Google__Protobuf__DescriptorProto Message;
typedef Google__Protobuf__EnumDescriptorProto Enum;
typedef Google__Protobuf__FieldDescriptorProto Field;
typedef Google__Protobuf__ServiceDescriptorProto Service;

struct descriptors {
  Google__Protobuf__FileDescriptorSet *set;
  uint8_t **bytes;
  size_t *sizes;
};

struct descriptors *descriptors_new(void)
{
  struct descriptors *d = xcalloc(1, sizeof(*d));
  d->set = google__protobuf__file_descriptor_set__unpack(NULL, rpc_descriptor_set_size,
                                                         rpc_descriptor_set);
  size_t n = descriptors_count(d);
  d->bytes = xcalloc(n + 1, sizeof(*d->bytes));
  d->sizes = xcalloc(n + 1, sizeof(*d->sizes));
  for (size_t i = 0; i < n; i++) {
    d->sizes[i] = protobuf_c_message_get_packed_size(&d->set->file[i]->base);
    d->bytes[i] = xmalloc(d->sizes[i]);
    protobuf_c_message_pack(&d->set->file[i]->base, d->bytes[i]);
  }
  return d;
}

void descriptors_free(struct descriptors *d)
{
  if (d == NULL)
    return;
  for (size_t i = 0; i < descriptors_count(d); i++)
    free(d->bytes[i]);
  free(d->bytes);
  free(d->sizes);
  if (d->set != NULL)
    protobuf_c_message_free_unpacked(&d->set->base, NULL);
  free(d);
}

size_t descriptors_count(const struct descriptors *d)
{
  return d->set == NULL ? 0 : d->set->n_file;
}

const uint8_t *descriptors_bytes(const struct descriptors *d, size_t file, size_t *len)
{
  *len = d->sizes[file];
  return d->bytes[file];
}

int descriptors_by_name(const struct descriptors *d, const char *name)
{
  for (size_t i = 0; i < descriptors_count(d); i++)
    if (strcmp(d->set->file[i]->name, name) == 0)
      return (int)i;
  return DESCRIPTORS_NONE;
}

/* What is left of `symbol` after "name." or "" when it is `name`; NULL when it is neither. */
static const char *after(const char *symbol, const char *name)
{
  size_t n = strlen(name);
  if (strncmp(symbol, name, n) != 0)
    return NULL;
  if (symbol[n] == '\0')
    return symbol + n;
  return symbol[n] == '.' ? symbol + n + 1 : NULL;
}

static bool has_field(Field **fields, size_t n, const char *symbol)
{
  for (size_t i = 0; i < n; i++)
    if (strcmp(fields[i]->name, symbol) == 0)
      return true;
  return false;
}

/* An enum, or one of its values, which live beside it. */
static bool has_enum(Enum **enums, size_t n, const char *symbol)
{
  for (size_t i = 0; i < n; i++) {
    if (strcmp(enums[i]->name, symbol) == 0)
      return true;
    for (size_t v = 0; v < enums[i]->n_value; v++)
      if (strcmp(enums[i]->value[v]->name, symbol) == 0)
        return true;
  }
  return false;
}

static bool has_message(Message **messages, size_t n, const char *symbol)
{
  for (size_t i = 0; i < n; i++) {
    const Message *m = messages[i];
    const char *rest = after(symbol, m->name);
    if (rest == NULL)
      continue;
    /* As deep as our own .proto files nest, not as deep as input wants. */
    return *rest == '\0' || has_field(m->field, m->n_field, rest) ||
           has_field(m->extension, m->n_extension, rest) ||
           has_enum(m->enum_type, m->n_enum_type, rest) ||
           has_message(m->nested_type, m->n_nested_type, rest);
  }
  return false;
}

static bool has_service(Service **services, size_t n, const char *symbol)
{
  for (size_t i = 0; i < n; i++) {
    const char *rest = after(symbol, services[i]->name);
    if (rest == NULL)
      continue;
    if (*rest == '\0')
      return true;
    for (size_t k = 0; k < services[i]->n_method; k++)
      if (strcmp(services[i]->method[k]->name, rest) == 0)
        return true;
  }
  return false;
}

static bool declares(const File *f, const char *symbol)
{
  const char *rest = f->package == NULL ? symbol : after(symbol, f->package);
  return rest != NULL && *rest != '\0' &&
         (has_message(f->message_type, f->n_message_type, rest) ||
          has_service(f->service, f->n_service, rest) ||
          has_enum(f->enum_type, f->n_enum_type, rest) ||
          has_field(f->extension, f->n_extension, rest));
}

int descriptors_by_symbol(const struct descriptors *d, const char *symbol)
{
  if (symbol[0] == '.')
    symbol++;
  for (size_t i = 0; i < descriptors_count(d); i++)
    if (declares(d->set->file[i], symbol))
      return (int)i;
  return DESCRIPTORS_NONE;
}

/* Extensions are declared at the top of our files. The type is ".package.Message". */
static bool extends(const Field *extension, const char *type)
{
  const char *extendee = extension->extendee == NULL ? "" : extension->extendee;
  return strcmp(extendee[0] == '.' ? extendee + 1 : extendee, type) == 0;
}

int descriptors_by_extension(const struct descriptors *d, const char *type, int32_t number)
{
  for (size_t i = 0; i < descriptors_count(d); i++) {
    const File *f = d->set->file[i];
    for (size_t k = 0; k < f->n_extension; k++)
      if (f->extension[k]->number == number && extends(f->extension[k], type))
        return (int)i;
  }
  return DESCRIPTORS_NONE;
}

size_t descriptors_extensions_of(const struct descriptors *d, const char *type, int32_t *out,
                                 size_t max)
{
  size_t n = 0;
  for (size_t i = 0; i < descriptors_count(d); i++) {
    const File *f = d->set->file[i];
    for (size_t k = 0; k < f->n_extension; k++) {
      if (!extends(f->extension[k], type))
        continue;
      if (n < max)
        out[n] = f->extension[k]->number;
      n++;
    }
  }
  return n;
}

void descriptors_mark(const struct descriptors *d, int file, bool *marked)
{
  if (file < 0 || marked[file])
    return;
  marked[file] = true;
  const File *f = d->set->file[file];
  for (size_t i = 0; i < f->n_dependency; i++)
    descriptors_mark(d, descriptors_by_name(d, f->dependency[i]), marked);
}
