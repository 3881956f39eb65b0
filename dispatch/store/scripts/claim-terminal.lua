-- Takes a terminal for a connection.
--
-- KEYS  1 leases  hash  terminal -> json {terminal, node, connection, fence, until}
--       2 fence   string  highest fence of this shard
-- ARGV  1 terminal  2 node  3 connection  4 now, ms  5 end of the lease, ms
--
-- Result: {fence, lease before or ""}

local before = redis.call('HGET', KEYS[1], ARGV[1])
-- Not below the server's clock in µs: a promoted replica that missed the last claims gives no fence a second time.
local time = redis.call('TIME')
local fence = math.max(tonumber(redis.call('GET', KEYS[2]) or '0') + 1, tonumber(time[1]) * 1000000 + tonumber(time[2]))
fence = string.format('%.0f', fence)
redis.call('SET', KEYS[2], fence)
redis.call('HSET', KEYS[1], ARGV[1],
  '{"terminal":' .. cjson.encode(ARGV[1]) .. ',"node":' .. cjson.encode(ARGV[2]) .. ',"connection":' ..
  cjson.encode(ARGV[3]) .. ',"fence":' .. fence .. ',"until":' .. ARGV[5] .. '}')
if before and cjson.decode(before)['until'] <= tonumber(ARGV[4]) then before = false end
return { fence, before or '' }
