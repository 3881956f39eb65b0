-- Events that name a reference, in order.
--
-- KEYS  1 refs    zset    reference NUL position (16 hex digits), all scores 0
--       2 events  stream  <position>-0 -> "e" json
--       3 rewritten  hash  position -> json of the event that stands in its place
-- ARGV  1 lower bound (inclusive) and 2 upper bound (exclusive) of the references, as ZRANGE BYLEX takes them
--       3 number of events wanted
--
-- Result: {position, json, position, json, …}

local found = {}
for _, ref in ipairs(redis.call('ZRANGE', KEYS[1], ARGV[1], ARGV[2], 'BYLEX', 'LIMIT', 0, ARGV[3])) do
  local id = string.format('%.0f', tonumber(string.sub(ref, -16), 16)) .. '-0'
  local position = string.sub(id, 1, -3)
  local event = redis.call('XRANGE', KEYS[2], id, id)[1]
  found[#found + 1] = position
  found[#found + 1] = event and event[2][2] or redis.call('HGET', KEYS[3], position)
end
return found
