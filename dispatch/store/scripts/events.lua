-- Events that name a reference, in order.
--
-- KEYS  1 refs    zset    reference NUL position (16 hex digits), all scores 0
--       2 events  stream  <position>-0 -> "e" json
--       3 rewritten  hash  position -> json of the event that stands in its place
-- ARGV  1 and 2 bounds of the references as ZRANGE BYLEX takes them: lower and upper; for the newest first upper and lower
--       3 number of events wanted
--       4 'oldest' or 'newest': which comes first
--
-- Result: {position, json, position, json, …}

local refs
if ARGV[4] == 'newest' then
  refs = redis.call('ZRANGE', KEYS[1], ARGV[1], ARGV[2], 'BYLEX', 'REV', 'LIMIT', 0, ARGV[3])
else
  refs = redis.call('ZRANGE', KEYS[1], ARGV[1], ARGV[2], 'BYLEX', 'LIMIT', 0, ARGV[3])
end

local found = {}
for _, ref in ipairs(refs) do
  local id = string.format('%.0f', tonumber(string.sub(ref, -16), 16)) .. '-0'
  local position = string.sub(id, 1, -3)
  local event = redis.call('XRANGE', KEYS[2], id, id)[1]
  found[#found + 1] = position
  found[#found + 1] = event and event[2][2] or redis.call('HGET', KEYS[3], position)
end
return found
