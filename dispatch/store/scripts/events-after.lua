-- Events behind a position, in order; those that were rewritten are no longer in the stream.
--
-- KEYS  1 events     stream  <position>-0 -> "e" json
--       2 rewritten  hash    position -> json of the event that stands in its place
--       3 state      hash    "position": position of the last event
-- ARGV  1 position behind which to begin
--       2 number of events wanted
--
-- Result: {position, json, position, json, …}

local found = {}
local function add(position, json)
  found[#found + 1] = position
  found[#found + 1] = json
end

local wanted = tonumber(ARGV[2])
local rows = redis.call('XRANGE', KEYS[1], '(' .. ARGV[1] .. '-0', '+', 'COUNT', wanted)
if redis.call('EXISTS', KEYS[2]) == 0 then
  for _, row in ipairs(rows) do add(string.sub(row[1], 1, -3), row[2][2]) end
  return found
end

local last = tonumber(redis.call('HGET', KEYS[3], 'position') or '0')
local row = 1
for at = tonumber(ARGV[1]) + 1, math.min(last, tonumber(ARGV[1]) + wanted) do
  local position = string.format('%.0f', at)
  if rows[row] and rows[row][1] == position .. '-0' then
    add(position, rows[row][2][2])
    row = row + 1
  else
    add(position, redis.call('HGET', KEYS[2], position))
  end
end
return found
