-- Deletes the hours of a vehicle's track that lie before an hour.
--
-- KEYS  1 hours  zset  hour
-- ARGV  1 first hour to keep
--       2 beginning of the tracks' keys; the hour follows (same hash tag as KEYS 1)
--
-- Result: number of hours deleted

local hours = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[1])
for _, hour in ipairs(hours) do
  redis.call('UNLINK', ARGV[2] .. hour)
  redis.call('ZREM', KEYS[1], hour)
end
return #hours
