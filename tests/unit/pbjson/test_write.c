/* How messages look as JSON. */
#include <google/protobuf/struct.pb-c.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/pbjson/pbjson.h"
#include "kitchen.pb-c.h"
#include "pantry.pb-c.h"
#include "tests/unit/harness.h"

static void expect_json(const ProtobufCMessage *message, const struct pbjson_write_options *options,
                        const char *expected)
{
  AUTO_BUF struct buf out = BUF_INIT(65536);
  struct err e = {0};
  CU_ASSERT_EQUAL(pbjson_write(&out, message, options, &e), ERR_OK);
  CU_ASSERT_STRING_EQUAL(buf_str(&out), expected);
  if (strcmp(buf_str(&out), expected) != 0)
    printf("\n  got %s %s\n", buf_str(&out), e.message);
}

static void expect_refused(const ProtobufCMessage *message, enum err_code code,
                           const char *expected)
{
  AUTO_BUF struct buf out = BUF_INIT(65536);
  struct err e = {0};
  CU_ASSERT_EQUAL(pbjson_write(&out, message, NULL, &e), code);
  CU_ASSERT_STRING_EQUAL(e.message, expected);
}

static void only_set_fields_are_written_in_order(void)
{
  Kitchen__Scalars s = KITCHEN__SCALARS__INIT;
  expect_json(&s.base, NULL, "{}");
  s.f_string = (char[]){"x"};
  s.f_int32 = -5;
  expect_json(&s.base, NULL, "{\"f_int32\":-5,\"f_string\":\"x\"}");
}

static void defaults_are_written_when_asked_for(void)
{
  Kitchen__Scalars s = KITCHEN__SCALARS__INIT;
  Kitchen__Choices c = KITCHEN__CHOICES__INIT;
  Kitchen__Maps m = KITCHEN__MAPS__INIT;
  struct pbjson_write_options all = {.names = PBJSON_CAMEL_CASE, .emit_defaults = true};
  expect_json(&s.base, &all,
              "{\"fInt32\":0,\"fInt64\":\"0\",\"fUint32\":0,\"fUint64\":\"0\",\"fSint32\":0,"
              "\"fSint64\":\"0\",\"fFixed32\":0,\"fFixed64\":\"0\",\"fSfixed32\":0,"
              "\"fSfixed64\":\"0\",\"fFloat\":0,\"fDouble\":0,\"fBool\":false,\"fString\":\"\","
              "\"fBytes\":\"\",\"fEnum\":\"SPICE_UNSPECIFIED\"}");
  /* Members of a oneof have presence, so absence is not a default. */
  expect_json(&c.base, &all, "{}");
  AUTO_BUF struct buf out = BUF_INIT(4096);
  pbjson_write(&out, &m.base, &all, NULL);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "{\"mString\":{},\"mInt32\":{}"));
}

static void numbers_of_64_bits_are_strings(void)
{
  Kitchen__Scalars s = KITCHEN__SCALARS__INIT;
  s.f_int64 = INT64_MIN;
  s.f_uint64 = UINT64_MAX;
  s.f_uint32 = UINT32_MAX;
  expect_json(&s.base, NULL,
              "{\"f_int64\":\"-9223372036854775808\",\"f_uint32\":4294967295,"
              "\"f_uint64\":\"18446744073709551615\"}");
}

static void doubles_and_floats_take_the_shortest_exact_form(void)
{
  double d[] = {0.1,  1.0 / 3,       100,  1e22, 5e-324,   -0.0,
                1e-7, 123456789.123, 93.9, NAN,  INFINITY, -INFINITY};
  float f[] = {0.1F, 16777216.0F, 3.4028235e38F, 1e-45F, NAN};
  Kitchen__Lists l = KITCHEN__LISTS__INIT;
  l.r_double = d;
  l.n_r_double = ARRAY_LEN(d);
  l.r_float = f;
  l.n_r_float = ARRAY_LEN(f);
  expect_json(&l.base, NULL,
              "{\"r_float\":[0.1,16777216,3.4028235e+38,1e-45,\"NaN\"],"
              "\"r_double\":[0.1,0.3333333333333333,100,1e+22,5e-324,-0,1e-07,123456789.123,93.9,"
              "\"NaN\",\"Infinity\",\"-Infinity\"]}");
}

static void enums_are_names_or_numbers(void)
{
  Kitchen__Spice spices[] = {KITCHEN__SPICE__CUMIN, KITCHEN__SPICE__BURNT, (Kitchen__Spice)99};
  Kitchen__Lists l = KITCHEN__LISTS__INIT;
  l.r_enum = spices;
  l.n_r_enum = 3;
  struct pbjson_write_options numbers = {.enums_as_numbers = true};
  expect_json(&l.base, NULL, "{\"r_enum\":[\"CUMIN\",\"BURNT\",99]}");
  expect_json(&l.base, &numbers, "{\"r_enum\":[7,-3,99]}");
}

static void set_members_of_a_oneof_are_written_even_when_zero(void)
{
  Kitchen__Choices c = KITCHEN__CHOICES__INIT;
  c.dish_case = KITCHEN__CHOICES__DISH_D_INT64;
  c.d_int64 = 0;
  c.opt_salt_case = KITCHEN__CHOICES__OPT_SALT_SALT;
  c.salt = 0;
  expect_json(&c.base, NULL, "{\"d_int64\":\"0\",\"salt\":0}");
}

static void names_turn_to_camel_case_as_protoc_does(void)
{
  Kitchen__Names n = KITCHEN__NAMES__INIT;
  char v[] = "v";
  n.two_words = n.field_2_go = n.x9_y8 = n.trailing_ = n.double__under = n.alreadycamel = n.a_b = v;
  struct pbjson_write_options camel = {.names = PBJSON_CAMEL_CASE};
  expect_json(&n.base, &camel,
              "{\"twoWords\":\"v\",\"field2Go\":\"v\",\"x9Y8\":\"v\",\"trailing\":\"v\","
              "\"doubleUnder\":\"v\",\"alreadyCamel\":\"v\",\"AB\":\"v\"}");
}

static void a_repeated_map_key_is_written_once_with_its_last_value(void)
{
  Kitchen__Maps__MStringEntry a = KITCHEN__MAPS__MSTRING_ENTRY__INIT;
  Kitchen__Maps__MStringEntry b = KITCHEN__MAPS__MSTRING_ENTRY__INIT;
  Kitchen__Maps__MStringEntry c = KITCHEN__MAPS__MSTRING_ENTRY__INIT;
  a.key = c.key = (char[]){"k"};
  a.value = (char[]){"first"};
  b.key = (char[]){"other"};
  c.value = (char[]){"last"};
  Kitchen__Maps__MStringEntry *entries[] = {&a, &b, &c};
  Kitchen__Maps m = KITCHEN__MAPS__INIT;
  m.m_string = entries;
  m.n_m_string = 3;
  expect_json(&m.base, NULL, "{\"m_string\":{\"other\":\"\",\"k\":\"last\"}}");
}

static void a_map_entry_without_value_stands_for_an_empty_message(void)
{
  Kitchen__Maps__MSint64Entry scalars = KITCHEN__MAPS__MSINT64_ENTRY__INIT;
  Kitchen__Maps__MSfixed32Entry time = KITCHEN__MAPS__MSFIXED32_ENTRY__INIT;
  Kitchen__Maps__MSfixed64Entry any = KITCHEN__MAPS__MSFIXED64_ENTRY__INIT;
  Kitchen__Maps m = KITCHEN__MAPS__INIT;
  m.m_sint64 = (Kitchen__Maps__MSint64Entry *[]){&scalars};
  m.m_sfixed32 = (Kitchen__Maps__MSfixed32Entry *[]){&time};
  m.m_sfixed64 = (Kitchen__Maps__MSfixed64Entry *[]){&any};
  m.n_m_sint64 = m.n_m_sfixed32 = m.n_m_sfixed64 = 1;
  expect_json(&m.base, NULL,
              "{\"m_sint64\":{\"0\":{}},\"m_sfixed32\":{\"0\":\"1970-01-01T00:00:00Z\"},"
              "\"m_sfixed64\":{\"0\":null}}");
}

static void times_and_durations_have_their_own_texts(void)
{
  Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
  Google__Protobuf__Duration lasts = GOOGLE__PROTOBUF__DURATION__INIT;
  Kitchen__WellKnown w = KITCHEN__WELL_KNOWN__INIT;
  w.at = &at;
  w.lasts = &lasts;
  at.seconds = 1709210096; /* a leap day */
  at.nanos = 120000000;
  lasts.nanos = -500000;
  expect_json(&w.base, NULL, "{\"at\":\"2024-02-29T12:34:56.120Z\",\"lasts\":\"-0.000500s\"}");
  at.seconds = -62135596800;
  at.nanos = 0;
  lasts.seconds = 3;
  lasts.nanos = 0;
  expect_json(&w.base, NULL, "{\"at\":\"0001-01-01T00:00:00Z\",\"lasts\":\"3s\"}");
  at.seconds = -62135596801;
  expect_refused(&w.base, ERR_OUT_OF_RANGE, "at: the time is outside the years 1 to 9999");
}

static void a_value_cannot_hold_nan(void)
{
  Google__Protobuf__Value v = GOOGLE__PROTOBUF__VALUE__INIT;
  Kitchen__WellKnown w = KITCHEN__WELL_KNOWN__INIT;
  v.kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
  v.number_value = NAN;
  w.any = &v;
  expect_refused(&w.base, ERR_OUT_OF_RANGE, "any: a Value cannot hold NaN or Infinity in JSON");
}

static void text_that_is_not_utf8_is_refused(void)
{
  Kitchen__Lists l = KITCHEN__LISTS__INIT;
  l.r_string = (char *[]){(char[]){"ok"}, (char[]){"\xff"}};
  l.n_r_string = 2;
  expect_refused(&l.base, ERR_INTERNAL,
                 "r_string[1]: the string is not UTF-8 and cannot be written as JSON");
}

static void a_message_larger_than_the_buffer_is_refused(void)
{
  Kitchen__Scalars s = KITCHEN__SCALARS__INIT;
  s.f_string = (char[]){"0123456789"};
  AUTO_BUF struct buf out = BUF_INIT(16);
  struct err e = {0};
  CU_ASSERT_EQUAL(pbjson_write(&out, &s.base, NULL, &e), ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_STRING_EQUAL(e.message, "the JSON form of kitchen.Scalars is larger than 16 bytes");
}

static void a_message_nested_too_deep_is_refused(void)
{
  Kitchen__Kitchen chain[PBJSON_MAX_DEPTH + 1];
  for (size_t i = 0; i < ARRAY_LEN(chain); i++) {
    kitchen__kitchen__init(&chain[i]);
    if (i > 0)
      chain[i - 1].child = &chain[i];
  }
  AUTO_BUF struct buf out = BUF_INIT(4096);
  struct err e = {0};
  CU_ASSERT_EQUAL(pbjson_write(&out, &chain[0].base, NULL, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "messages nested deeper than 32"));
  buf_clear(&out);
  CU_ASSERT_EQUAL(pbjson_write(&out, &chain[1].base, NULL, &e), ERR_OK);
}

static void wrappers_are_refused_instead_of_written_wrongly(void)
{
  Google__Protobuf__StringValue text = GOOGLE__PROTOBUF__STRING_VALUE__INIT;
  Kitchen__Wrapped w = KITCHEN__WRAPPED__INIT;
  w.text = &text;
  expect_refused(&w.base, ERR_UNIMPLEMENTED,
                 "text: google.protobuf.StringValue has no JSON form here");
}

static void proto2_presence_follows_flags(void)
{
  Pantry__Jar jar = PANTRY__JAR__INIT;
  jar.label = (char[]){"jam"};
  expect_json(&jar.base, NULL, "{\"label\":\"jam\"}");
  jar.has_grams = 1;
  jar.grams = 0;
  jar.has_shelf = 1;
  jar.note = (char[]){"none"};
  expect_json(&jar.base, NULL,
              "{\"label\":\"jam\",\"grams\":0,\"note\":\"none\",\"shelf\":\"TOP\"}");
}

TEST_MAIN("pbjson write", TEST(only_set_fields_are_written_in_order),
          TEST(defaults_are_written_when_asked_for), TEST(numbers_of_64_bits_are_strings),
          TEST(doubles_and_floats_take_the_shortest_exact_form), TEST(enums_are_names_or_numbers),
          TEST(set_members_of_a_oneof_are_written_even_when_zero),
          TEST(names_turn_to_camel_case_as_protoc_does),
          TEST(a_repeated_map_key_is_written_once_with_its_last_value),
          TEST(a_map_entry_without_value_stands_for_an_empty_message),
          TEST(times_and_durations_have_their_own_texts), TEST(a_value_cannot_hold_nan),
          TEST(text_that_is_not_utf8_is_refused), TEST(a_message_larger_than_the_buffer_is_refused),
          TEST(a_message_nested_too_deep_is_refused),
          TEST(wrappers_are_refused_instead_of_written_wrongly),
          TEST(proto2_presence_follows_flags))
