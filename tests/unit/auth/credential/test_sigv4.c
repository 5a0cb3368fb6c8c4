/* AWS Signature Version 4 against published signatures: AWS's test suite (2015 and 2011
 * editions, what has no body, dot segments or blanks to trim), the example of IAM's documentation,
 * and those of Google's own client. */
#include <stdio.h>
#include <string.h>

#include "auth-svc/credential/sigv4.h"
#include "tests/unit/harness.h"

#define SUITE_KEY "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define TOKEN                                                                                      \
  "AQoEXAMPLEH4aoAH0gNCAPyJxz4BlCFFxWNE1OPTgk5TthT+FvwqnKwRcOIfrRh3c/"                             \
  "LTo6UDdyJwOOvEVPvLXCrrrUtdnniCEXAMPLE/"                                                         \
  "IvU1dYUg2RVAJBanLiHb4IgRmpRV3zrkuWJOgQs8IZZaIv2BXIa2R4OlgkBN9bkUDNCJiBeb/"                      \
  "AXlzBBko7b15fjrBs2+cTQtpZ3CYWFXG8C5zqx37wnOE49mRl/+OtkIKGO7fAE"

struct vector {
  const char *method, *url, *region, *service, *id, *key, *date;
  struct http_header headers[4];
  const char *authorization; /* from "SignedHeaders=" on */
};

#define NEW(m, path, ...)                                                                          \
  .method = (m), .url = "https://example.amazonaws.com" path, .region = "us-east-1",               \
  .service = "service", .id = "AKIDEXAMPLE", .key = SUITE_KEY, .date = "20150830T123600Z",         \
  .headers = {{"X-Amz-Date", "20150830T123600Z"}, __VA_ARGS__}
#define OLD(m, path, ...)                                                                          \
  .method = (m), .url = "https://host.foo.com" path, .region = "us-east-1", .service = "host",     \
  .id = "AKIDEXAMPLE", .key = SUITE_KEY, .date = "20110909T233600Z",                               \
  .headers = {{"date", "Mon, 09 Sep 2011 23:36:00 GMT"}, __VA_ARGS__}
#define GOOGLE(m, u, svc, ...)                                                                     \
  .method = (m), .url = (u), .region = "us-east-2", .service = (svc),                              \
  .id = "AKIAIOSFODNN7EXAMPLE", .key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",                 \
  .date = "20200811T065522Z", .headers = {{"x-amz-date", "20200811T065522Z"}, __VA_ARGS__}
#define CALLER "https://sts.us-east-2.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"

static const struct vector vectors[] = {
    {NEW("GET", "/"), .authorization = "SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf"
                                       "1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {NEW("GET", "/?Param2=value2&Param1=value1"),
     .authorization = "SignedHeaders=host;x-amz-date, Signature=b97d918cfa904a5beff61c982a1b6f45"
                      "8b799221646efd99d3219ec94cdf2500"},
    {NEW("GET", "/%E1%88%B4"),
     .authorization = "SignedHeaders=host;x-amz-date, Signature=8318018e0b0f223aa2bbf98705b62bb7"
                      "87dc9c0e678f255a891fd03141be5d85"},
    {NEW("POST", "/"), .authorization = "SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7"
                                        "505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {OLD("GET", ""), .authorization =
                         "SignedHeaders=date;host, Signature=b27ccfbfa7df52a200ff74193c"
                         "a6e32d4b48b8856fab7ebf1c595d0670a7e470"},
    {OLD("GET", "/%E1%88%B4"),
     .authorization = "SignedHeaders=date;host, Signature=8d6634c189aa8c75c2e51e106b6b5121bed103fdb"
                      "351f7d7d4381c738823af74"},
    {OLD("GET", "/?foo=Zoo&foo=aha"),
     .authorization =
         "SignedHeaders=date;host, Signature=be7148d34ebccdc6423b19085378aa0bee970bdc61"
         "d144bd1a8c48c33079ab09"},
    {OLD("GET", "/?foo=b&foo=a"),
     .authorization =
         "SignedHeaders=date;host, Signature=feb926e49e382bec75c9d7dcb2a1b6dc8aa50ca43c"
         "25d2bc51143768c0875acc"},
    {OLD("POST", "/", {"ZOO", "ZOOBAR"}),
     .authorization =
         "SignedHeaders=date;host;zoo, Signature=273313af9d0c265c531e11db70bbd653f3ba07"
         "4c1009239e8559d3987039cad7"},
    {OLD("POST", "/?foo=bar"),
     .authorization =
         "SignedHeaders=date;host, Signature=b6e3b79003ce0743a491606ba1035a804593b0efb1"
         "e20a11cba83f8c25a57a92"},
    {GOOGLE("GET", "https://ec2.us-east-2.amazonaws.com?Action=DescribeRegions&Version=2013-10-15",
            "ec2", {"x-amz-security-token", TOKEN}),
     .authorization =
         "SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=41e226f997bf917"
         "ec6c9b2b14218df0874225f13bb153236c247881e614fafc9"},
    {GOOGLE("POST", CALLER, "sts", {"x-amz-security-token", TOKEN}),
     .authorization =
         "SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=596aa990b792d76"
         "3465d73703e684ca273c45536c6d322c31be01a41d02e5b60"},
    {GOOGLE("POST", CALLER, "sts"),
     .authorization =
         "SignedHeaders=host;x-amz-date, Signature=9e722e5b7bfa163447e2a14df118b45ebd28"
         "3c5aea72019bdf921d6e7dc01a9a"},
    {.method = "GET",
     .url = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
     .region = "us-east-1",
     .service = "iam",
     .id = "AKIDEXAMPLE",
     .key = SUITE_KEY,
     .date = "20150830T123600Z",
     .headers = {{"x-amz-date", "20150830T123600Z"},
                 {"content-type", "application/x-www-form-urlencoded; charset=utf-8"}},
     .authorization =
         "SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b"
         "0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"},
};

static struct sigv4_request request_of(const struct vector *v)
{
  struct sigv4_request r = {.method = v->method,
                            .url = v->url,
                            .headers = v->headers,
                            .region = v->region,
                            .service = v->service,
                            .access_key_id = v->id,
                            .secret_access_key = v->key,
                            .date = v->date};
  while (r.n_headers < 4 && v->headers[r.n_headers].name != NULL)
    r.n_headers++;
  return r;
}

static void signatures_are_those_that_aws_published(void)
{
  for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
    AUTO_BUF struct buf out = BUF_INIT(1024);
    struct sigv4_request r = request_of(&vectors[i]);
    CU_ASSERT_TRUE(sigv4_authorization(&out, &r));
    const char *at = strstr(buf_str(&out), "SignedHeaders=");
    if (at == NULL || strcmp(at, vectors[i].authorization) != 0)
      printf("\n  %s %s\n  want %s\n  got  %s\n", r.method, r.url, vectors[i].authorization,
             buf_str(&out));
    CU_ASSERT_STRING_EQUAL(at != NULL ? at : "", vectors[i].authorization);
  }
}

static void the_scope_of_the_key_is_named(void)
{
  AUTO_BUF struct buf out = BUF_INIT(1024);
  struct sigv4_request r = request_of(&vectors[0]);
  CU_ASSERT_TRUE(sigv4_authorization(&out, &r));
  static const char start[] = "AWS4-HMAC-SHA256 "
                              "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ";
  CU_ASSERT_EQUAL(strncmp(buf_str(&out), start, strlen(start)), 0);
}

static void what_cannot_be_signed_is_refused(void)
{
  AUTO_BUF struct buf out = BUF_INIT(1024), small = BUF_INIT(40);
  struct sigv4_request r = request_of(&vectors[0]);
  r.url = "example.amazonaws.com/";
  CU_ASSERT_FALSE(sigv4_authorization(&out, &r));
  r = request_of(&vectors[0]);
  CU_ASSERT_FALSE(sigv4_authorization(&small, &r));
  r.n_headers = SIGV4_MAX_HEADERS + 1;
  CU_ASSERT_FALSE(sigv4_authorization(&out, &r));
}

static void dates_and_hosts_are_written_as_aws_wants_them(void)
{
  char date[SIGV4_DATE_SIZE], host[64];
  sigv4_date(1440938160, date);
  CU_ASSERT_STRING_EQUAL(date, "20150830T123600Z");
  CU_ASSERT_TRUE(sigv4_host("https://STS.us-east-1.amazonaws.com:443?x", host, sizeof(host)));
  CU_ASSERT_STRING_EQUAL(host, "sts.us-east-1.amazonaws.com");
  CU_ASSERT_TRUE(sigv4_host("http://127.0.0.1:8080/", host, sizeof(host)));
  CU_ASSERT_STRING_EQUAL(host, "127.0.0.1:8080");
}

TEST_MAIN("auth cred sigv4", TEST(signatures_are_those_that_aws_published),
          TEST(the_scope_of_the_key_is_named), TEST(what_cannot_be_signed_is_refused),
          TEST(dates_and_hosts_are_written_as_aws_wants_them))
