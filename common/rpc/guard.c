/* Walks a message's wire format along its descriptor: what passes here, protobuf-c
 * unpacks without recursing too deep and without broken text in its strings.
 *
 * The rules of the wire: https://protobuf.dev/programming-guides/encoding/. Where
 * protobuf-c is stricter than other runtimes (a known field with the wrong wire type
 * fails the whole message) the guard is as strict, so that the error can name the
 * field. */
#include "common/rpc/guard.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/buf.h"

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_LEN = 2, WIRE_GROUP = 3, WIRE_END = 4, WIRE_32 = 5 };
enum { MAX_VARINT = 10, MAX_TAG = 5 };

/* One message that is being walked. */
struct frame {
  const ProtobufCMessageDescriptor *descriptor;
  const ProtobufCFieldDescriptor *via; /* the field of the frame below; NULL for the root */
  const uint8_t *end;
};

struct walk {
  struct frame frames[GUARD_MAX_DEPTH + 1]; /* the root and GUARD_MAX_DEPTH levels in it */
  size_t depth;                             /* index of the top frame */
  const uint8_t *at;
  struct err *e;
};

/* Refuses with the path of the field; field may be NULL. */
static enum err_code refuse(struct walk *w, const ProtobufCFieldDescriptor *field, const char *what)
{
  AUTO_BUF struct buf path = BUF_INIT(400);
  for (size_t i = 1; i <= w->depth; i++)
    buf_printf(&path, "%s%s", i > 1 ? "." : "", w->frames[i].via->name);
  if (field != NULL)
    buf_printf(&path, "%s%s", path.len > 0 ? "." : "", field->name);
  if (path.len == 0)
    buf_puts(&path, w->frames[0].descriptor->name);
  return err_set(w->e, ERR_INVALID_ARGUMENT, "invalid_message", "%s%s: %s", buf_str(&path),
                 path.failed ? "..." : "", what);
}

/* Bytes of the varint at p; 0 when it does not end before `end` or is too long. */
static size_t varint_size(const uint8_t *p, const uint8_t *end, size_t max)
{
  for (size_t i = 0; i < max && p + i < end; i++)
    if ((p[i] & 0x80) == 0)
      return i + 1;
  return 0;
}

static uint64_t varint_value(const uint8_t *p, size_t n)
{
  uint64_t v = 0;
  for (size_t i = 0; i < n; i++)
    v |= (uint64_t)(p[i] & 0x7f) << (7 * i);
  return v;
}

/* Bytes of the well-formed non-ASCII UTF-8 character at p; 0 when it is not one
 * (Unicode 15, table 3-7). */
static size_t utf8_char(const uint8_t *p, size_t left)
{
  static const struct {
    uint8_t first, last, lo, hi, size;
  } forms[] = {
      {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
      {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
      {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
  };
  for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
    if (p[0] < forms[i].first || p[0] > forms[i].last)
      continue;
    if (left < forms[i].size || p[1] < forms[i].lo || p[1] > forms[i].hi)
      return 0;
    for (size_t k = 2; k < forms[i].size; k++)
      if ((p[k] & 0xc0) != 0x80)
        return 0;
    return forms[i].size;
  }
  return 0;
}

/* NULL when the text is UTF-8 without NUL, else what is wrong with it. */
static const char *text_fault(const uint8_t *p, size_t len)
{
  if (len > 0 && memchr(p, 0, len) != NULL)
    return "holds a NUL character";
  size_t i = 0;
  while (i < len) {
    uint64_t eight;
    if (len - i >= sizeof(eight)) {
      memcpy(&eight, p + i, sizeof(eight));
      if ((eight & 0x8080808080808080u) == 0) {
        i += sizeof(eight);
        continue;
      }
    }
    size_t n = p[i] < 0x80 ? 1 : utf8_char(p + i, len - i);
    if (n == 0)
      return "is not valid UTF-8";
    i += n;
  }
  return NULL;
}

static int wire_type_of(ProtobufCType type)
{
  switch (type) {
  case PROTOBUF_C_TYPE_STRING:
  case PROTOBUF_C_TYPE_BYTES:
  case PROTOBUF_C_TYPE_MESSAGE:
    return WIRE_LEN;
  case PROTOBUF_C_TYPE_FIXED64:
  case PROTOBUF_C_TYPE_SFIXED64:
  case PROTOBUF_C_TYPE_DOUBLE:
    return WIRE_64;
  case PROTOBUF_C_TYPE_FIXED32:
  case PROTOBUF_C_TYPE_SFIXED32:
  case PROTOBUF_C_TYPE_FLOAT:
    return WIRE_32;
  default:
    return WIRE_VARINT;
  }
}

/* Checks that a packed field is a whole number of elements. */
static bool packed_fits(int element, const uint8_t *p, size_t len)
{
  if (element == WIRE_64)
    return len % 8 == 0;
  if (element == WIRE_32)
    return len % 4 == 0;
  for (const uint8_t *end = p + len; p < end;) {
    size_t n = varint_size(p, end, MAX_VARINT);
    if (n == 0)
      return false;
    p += n;
  }
  return true;
}

/* Enters the message of len bytes in `field`. */
static enum err_code push(struct walk *w, const ProtobufCFieldDescriptor *field, size_t len)
{
  if (w->depth == GUARD_MAX_DEPTH)
    return refuse(w, field, "nested deeper than 32");
  w->frames[++w->depth] =
      (struct frame){.descriptor = field->descriptor, .via = field, .end = w->at + len};
  return ERR_OK;
}

/* The content of a length-prefixed known field; w->at stands at it. */
static enum err_code check_content(struct walk *w, const ProtobufCFieldDescriptor *field,
                                   size_t len)
{
  if (field->type == PROTOBUF_C_TYPE_MESSAGE)
    return push(w, field, len);
  if (field->type == PROTOBUF_C_TYPE_STRING) {
    const char *fault = text_fault(w->at, len);
    if (fault != NULL)
      return refuse(w, field, fault);
  } else if (field->type != PROTOBUF_C_TYPE_BYTES) {
    if (!packed_fits(wire_type_of(field->type), w->at, len))
      return refuse(w, field, "its packed values do not fill its length");
  }
  w->at += len;
  return ERR_OK;
}

static enum err_code check_length_prefixed(struct walk *w, const ProtobufCFieldDescriptor *field)
{
  const uint8_t *end = w->frames[w->depth].end;
  size_t n = varint_size(w->at, end, MAX_TAG);
  uint64_t len = varint_value(w->at, n);
  if (n == 0 || len > INT32_MAX || len > (size_t)(end - w->at) - n)
    return refuse(w, field, "is cut off or its length is wrong");
  w->at += n;
  if (field != NULL)
    return check_content(w, field, (size_t)len);
  w->at += len;
  return ERR_OK;
}

/* Skips a number. */
static enum err_code check_scalar(struct walk *w, const ProtobufCFieldDescriptor *field, int wire)
{
  const uint8_t *end = w->frames[w->depth].end;
  size_t n = wire == WIRE_64 ? 8 : 4;
  if (wire == WIRE_VARINT)
    n = varint_size(w->at, end, MAX_VARINT);
  if (n == 0 || n > (size_t)(end - w->at))
    return refuse(w, field, "is cut off");
  w->at += n;
  return ERR_OK;
}

static bool accepts(const ProtobufCFieldDescriptor *field, int wire)
{
  bool packed = wire == WIRE_LEN && field->label == PROTOBUF_C_LABEL_REPEATED;
  return wire == wire_type_of(field->type) || packed;
}

static enum err_code check_field(struct walk *w)
{
  const struct frame *top = &w->frames[w->depth];
  size_t n = varint_size(w->at, top->end, MAX_TAG);
  uint64_t tag = varint_value(w->at, n);
  if (n == 0 || tag > UINT32_MAX || tag >> 3 == 0)
    return refuse(w, NULL, "holds a malformed field tag");
  w->at += n;
  const ProtobufCFieldDescriptor *field =
      protobuf_c_message_descriptor_get_field(top->descriptor, (unsigned)(tag >> 3));
  int wire = (int)(tag & 7);
  if (field != NULL && !accepts(field, wire))
    return refuse(w, field, "has the wrong wire type");
  switch (wire) {
  case WIRE_LEN:
    return check_length_prefixed(w, field);
  case WIRE_VARINT:
  case WIRE_64:
  case WIRE_32:
    return check_scalar(w, field, wire);
  default:
    return refuse(w, field, "uses groups, which are not supported");
  }
}

enum err_code guard_check(const ProtobufCMessageDescriptor *descriptor, const uint8_t *data,
                          size_t len, struct err *e)
{
  static const uint8_t nothing[1];
  struct walk w;
  w.depth = 0;
  w.at = data != NULL ? data : nothing;
  w.e = e;
  w.frames[0] = (struct frame){.descriptor = descriptor, .end = w.at + len};
  for (;;) {
    while (w.at == w.frames[w.depth].end) {
      if (w.depth == 0)
        return ERR_OK;
      w.depth--;
    }
    enum err_code code = check_field(&w);
    if (code != ERR_OK)
      return code;
  }
}
