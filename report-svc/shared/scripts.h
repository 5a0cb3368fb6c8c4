/* What Redis does in one step: Lua, loaded at the start of each connection. Times are Redis's own,
 * so unequal clocks of replicas do no harm; only the end of a quota comes from a replica's clock.
 *
 * Keys of a property, with its name as their hash tag:
 *   places, guests   sorted sets: leases, by their end; guests are in both
 *   errors           sorted set: server errors of the last hour, by their time
 *   state            hash: held, gone, day, probe (times in milliseconds; day: 0 or 1)  */
#ifndef AMCP_REPORT_SHARED_SCRIPTS_H
#define AMCP_REPORT_SHARED_SCRIPTS_H

enum { SCRIPT_TAKE, SCRIPT_RENEW, SCRIPT_ERROR, SCRIPT_STATE, SCRIPT_ANSWER, SCRIPT_COUNT };

#define SCRIPT_NOW                                                                                 \
  "local t = redis.call('TIME')\n"                                                                 \
  "local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"

/* Keys: places guests errors state. Arguments: id, guest (0 or 1), places, guest places, server
 * errors, probe_ms, lease_ms. Answers {verdict, until, day}: numbers of enum shared_verdict. */
#define SCRIPT_TAKE_TEXT                                                                           \
  SCRIPT_NOW                                                                                       \
  "local function number(i) return tonumber(ARGV[i]) end\n"                                        \
  "local state = redis.call('HMGET', KEYS[4], 'held', 'gone', 'day', 'probe')\n"                   \
  "local held, gone = tonumber(state[1] or 0), tonumber(state[2] or 0)\n"                          \
  "local day, probe = tonumber(state[3] or 0), tonumber(state[4] or 0)\n"                          \
  "if number(5) > 0 then\n"                                                                        \
  "  local nth = redis.call('ZREVRANGE', KEYS[3], number(5) - 1, number(5) - 1, 'WITHSCORES')\n"   \
  "  if nth[2] then held = math.max(held, tonumber(nth[2]) + 3600000) end\n"                       \
  "  if held > now then return {2, held, 0} end\n"                                                 \
  "end\n"                                                                                          \
  "if number(6) == 0 or gone <= now then gone = 0 end\n"                                           \
  "if gone > 0 and probe > now then return {3, gone, day} end\n"                                   \
  "for i = 1, 2 do redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now) end\n"                     \
  "local guest = ARGV[2] == '1'\n"                                                                 \
  "if redis.call('ZCARD', KEYS[1]) >= number(3) then return {1, 0, 0} end\n"                       \
  "if guest and redis.call('ZCARD', KEYS[2]) >= number(4) then return {1, 0, 0} end\n"             \
  "for i = 1, guest and 2 or 1 do\n"                                                               \
  "  redis.call('ZADD', KEYS[i], now + number(7), ARGV[1])\n"                                      \
  "  redis.call('PEXPIRE', KEYS[i], number(7) * 2)\n"                                              \
  "end\n"                                                                                          \
  "if gone > 0 then redis.call('HSET', KEYS[4], 'probe', now + number(6)) end\n"                   \
  "return {0, gone, day}\n"

/* Keys: places, or places guests. Arguments: id, lease_ms. */
#define SCRIPT_RENEW_TEXT                                                                          \
  SCRIPT_NOW                                                                                       \
  "for i = 1, #KEYS do\n"                                                                          \
  "  redis.call('ZADD', KEYS[i], now + ARGV[2], ARGV[1])\n"                                        \
  "  redis.call('PEXPIRE', KEYS[i], ARGV[2] * 2)\n"                                                \
  "end\n"                                                                                          \
  "return 1\n"

/* Keys: errors. Arguments: id, most that are kept. */
#define SCRIPT_ERROR_TEXT                                                                          \
  SCRIPT_NOW                                                                                       \
  "redis.call('ZADD', KEYS[1], now, ARGV[1])\n"                                                    \
  "redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 3600000)\n"                               \
  "redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -ARGV[2] - 1)\n"                                      \
  "redis.call('PEXPIRE', KEYS[1], 3600000)\n"                                                      \
  "return 1\n"

/* Keys: state. Arguments: field, value, ... Kept for a
 * little over a day, which the longest of its ends is away. */
#define SCRIPT_STATE_TEXT                                                                          \
  "for i = 1, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end\n"                 \
  "redis.call('PEXPIRE', KEYS[1], 90000000)\n"                                                     \
  "return 1\n"

/* Keys: the answer's. Answers {bytes, milliseconds left}. */
#define SCRIPT_ANSWER_TEXT                                                                         \
  "local data = redis.call('GET', KEYS[1])\n"                                                      \
  "if not data then return {} end\n"                                                               \
  "return {data, redis.call('PTTL', KEYS[1])}\n"

#endif
