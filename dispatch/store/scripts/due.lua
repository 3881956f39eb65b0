-- Claims documents that are due: until the claim ends nobody is given them; a put sets or removes the time anew.
--
-- KEYS  1 due   zset  kind NUL id, score: due time or end of the claim
--       2 docs  hash  kind NUL id -> "version:json"
-- ARGV  1 now, ms
--       2 length of the claim, ms
--       3 number of documents wanted
--
-- Result: {kind NUL id, document, kind NUL id, document, …}, earliest first

local claimed = {}
for _, key in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])) do
  redis.call('ZADD', KEYS[1], string.format('%.0f', tonumber(ARGV[1]) + tonumber(ARGV[2])), key)
  claimed[#claimed + 1] = key
  claimed[#claimed + 1] = redis.call('HGET', KEYS[2], key)
end
return claimed
