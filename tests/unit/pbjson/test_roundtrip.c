/* Random messages survive message -> JSON -> message with equal bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <analytics/aggregate/v1/aggregate.pb-c.h>
#include <analytics/auth/v1/auth.pb-c.h>
#include <analytics/ga4/v1beta/data.pb-c.h>
#include <analytics/report/v1/report.pb-c.h>

#include "common/base/mem.h"
#include "common/pbjson/pbjson.h"
#include "kitchen.pb-c.h"
#include "pantry.pb-c.h"
#include "tests/unit/harness.h"
#include "tests/unit/pbjson/random_message.h"

enum {
  KITCHEN_CASES = 20000,
  REAL_CASES = 1000,
  DAMAGED_CASES = 10000,
  DEPTH = 8,
  MEGABYTE = 1 << 20
};
static const uint64_t default_seed = 20261122;

/* One in so many of the cases: AMCP_PBJSON_SHARE, all of them without it. */
static int share_of(int cases)
{
  const char *given = getenv("AMCP_PBJSON_SHARE");
  int share = given != NULL ? (int)strtol(given, NULL, 10) : 1;
  return share > 1 ? cases / share : cases;
}

static uint64_t seed(void)
{
  const char *given = getenv("PBJSON_SEED");
  return given != NULL ? strtoull(given, NULL, 10) : default_seed;
}

static void free_arena(struct arena **a)
{
  arena_free(*a);
}

static ProtobufCBinaryData pack(const ProtobufCMessage *message)
{
  ProtobufCBinaryData bytes = {.data = xmalloc(protobuf_c_message_get_packed_size(message) + 1)};
  bytes.len = protobuf_c_message_pack(message, bytes.data);
  return bytes;
}

static bool same_bytes(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
  ProtobufCBinaryData x = pack(a);
  ProtobufCBinaryData y = pack(b);
  bool same = x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
  free(x.data);
  free(y.data);
  return same;
}

static struct pbjson_write_options random_options(struct random *r)
{
  return (struct pbjson_write_options){
      .names = random_below(r, 2) == 0 ? PBJSON_SNAKE_CASE : PBJSON_CAMEL_CASE,
      .emit_defaults = random_below(r, 4) == 0,
      .enums_as_numbers = random_below(r, 4) == 0,
  };
}

/* Packs and unpacks, so that JSON is also written from what protobuf-c itself makes. */
static ProtobufCMessage *through_wire(const ProtobufCMessage *message, ProtobufCAllocator *arena)
{
  ProtobufCBinaryData bytes = pack(message);
  ProtobufCMessage *copy =
      protobuf_c_message_unpack(message->descriptor, arena, bytes.len, bytes.data);
  free(bytes.data);
  return copy;
}

static bool survives(struct random *r, const ProtobufCMessageDescriptor *type)
{
  CLEANUP(free_arena) struct arena *arena = arena_new(16 * MEGABYTE);
  AUTO_BUF struct buf json = BUF_INIT(8 * MEGABYTE);
  AUTO_BUF struct buf again = BUF_INIT(8 * MEGABYTE);
  struct err e = {0};
  ProtobufCAllocator allocator = pbjson_arena_allocator(arena);
  ProtobufCMessage *message = random_message(r, type, arena, DEPTH);
  ProtobufCMessage *wired = through_wire(message, &allocator);
  struct pbjson_write_options options = random_options(r);
  ProtobufCMessage *back = NULL;
  if (wired != NULL && pbjson_write(&json, message, &options, &e) == ERR_OK &&
      pbjson_write(&again, wired, &options, &e) == ERR_OK &&
      pbjson_read_text(&back, type, json.data, json.len, arena, NULL, &e) == ERR_OK &&
      same_bytes(message, back) && strcmp(json.data, again.data) == 0)
    return true;
  printf("\n%s: %s\n%.4000s\n%.4000s\n", type->name, e.message, buf_str(&json), buf_str(&again));
  return false;
}

static void run_cases(const ProtobufCMessageDescriptor *type, int cases)
{
  struct random r = {seed()};
  const int all = share_of(cases);
  int good = 0;
  while (good < all && survives(&r, type))
    good++;
  CU_ASSERT_EQUAL(good, all);
  printf("\n  %s: %d random messages, seed %llu ", type->name, good, (unsigned long long)seed());
}

static void random_kitchen_messages_survive_json(void)
{
  run_cases(&kitchen__kitchen__descriptor, KITCHEN_CASES);
}

static void random_messages_of_each_kind_survive_json(void)
{
  run_cases(&kitchen__scalars__descriptor, REAL_CASES);
  run_cases(&kitchen__lists__descriptor, REAL_CASES);
  run_cases(&kitchen__maps__descriptor, REAL_CASES);
  run_cases(&kitchen__choices__descriptor, REAL_CASES);
  run_cases(&kitchen__well_known__descriptor, REAL_CASES);
}

static void random_proto2_messages_survive_json(void)
{
  run_cases(&pantry__jar__descriptor, REAL_CASES);
}

static void random_messages_of_the_project_survive_json(void)
{
  run_cases(&analytics__ga4__v1beta__run_report_request__descriptor, REAL_CASES);
  run_cases(&analytics__ga4__v1beta__run_report_response__descriptor, REAL_CASES);
  run_cases(&analytics__report__v1__run_report_request__descriptor, REAL_CASES);
  run_cases(&analytics__aggregate__v1__compare_dealer_sessions_result__descriptor, REAL_CASES);
  run_cases(&analytics__auth__v1__list_dealers_response__descriptor, REAL_CASES);
}

/* Puts other characters over some of a text. */
static void damage(struct random *r, struct buf *text)
{
  static const char characters[] = "{}[]\",:0-9.eE+ntf\\u_ \xc3\xff";
  for (uint32_t n = 1 + random_below(r, 3); n > 0; n--)
    text->data[random_below(r, (uint32_t)text->len)] =
        characters[random_below(r, sizeof(characters) - 1)];
}

/* Damaged text is refused with a message, or read as something that can be written. */
static bool copes_with_damage(struct random *r, const ProtobufCMessageDescriptor *type)
{
  CLEANUP(free_arena) struct arena *arena = arena_new(16 * MEGABYTE);
  AUTO_BUF struct buf json = BUF_INIT(8 * MEGABYTE);
  AUTO_BUF struct buf again = BUF_INIT(8 * MEGABYTE);
  struct err e = {0};
  ProtobufCMessage *back = NULL;
  if (pbjson_write(&json, random_message(r, type, arena, DEPTH), NULL, &e) != ERR_OK)
    return false;
  damage(r, &json);
  if (pbjson_read_text(&back, type, json.data, json.len, arena, NULL, &e) != ERR_OK)
    return back == NULL && e.message[0] != '\0';
  return pbjson_write(&again, back, NULL, &e) == ERR_OK;
}

static void damaged_json_is_refused_or_read(void)
{
  struct random r = {seed()};
  int good = 0;
  const int all = share_of(DAMAGED_CASES);
  while (good < all && copes_with_damage(&r, &kitchen__kitchen__descriptor))
    good++;
  CU_ASSERT_EQUAL(good, all);
}

TEST_MAIN("pbjson round trip", TEST(random_kitchen_messages_survive_json),
          TEST(random_messages_of_each_kind_survive_json),
          TEST(random_proto2_messages_survive_json),
          TEST(random_messages_of_the_project_survive_json), TEST(damaged_json_is_refused_or_read))
