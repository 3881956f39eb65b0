-- Positions of the vehicles of some shards. Doing it again changes nothing that can be read: frames of a track are
-- merged when they are read, and last positions only move to a later one.
--
-- KEYS  for each shard: last  hash  vehicle -> rank and ten numbers, little-endian doubles
--       then pairs: hours of a vehicle (zset: hour), its track of one hour (string: frames of length and block)
-- ARGV  for each shard: MessagePack list of vehicle, rank and ten numbers, vehicle, ...
--       MessagePack list of hour, frame, hour, frame, ... in the order of the pairs of keys
--
-- Result: nothing

-- Commands with many vehicles cost far less than many commands; a Lua call takes some thousand arguments at most.
local VEHICLES_PER_COMMAND = 1000

-- Rank, then device time, latitude, longitude, receipt, the rest: as isLater in last-position.ts.
local order = { 1, 2, 4, 5, 3, 6, 7, 8, 9, 10, 11 }
local function later(candidate, known)
  local rank, knownRank = (struct.unpack('<d', candidate)), (struct.unpack('<d', known))
  if rank ~= knownRank then return rank > knownRank end
  if candidate == known then return false end
  local a = { struct.unpack('<ddddddddddd', candidate) }
  local b = { struct.unpack('<ddddddddddd', known) }
  for _, column in ipairs(order) do
    if a[column] ~= b[column] then return a[column] > b[column] end
  end
  return false
end

local function putLast(key, rows)
  for first = 1, #rows, 2 * VEHICLES_PER_COMMAND do
    local names, count = {}, 0
    local final = math.min(#rows, first + 2 * VEHICLES_PER_COMMAND - 1)
    for at = first, final, 2 do
      count = count + 1
      names[count] = rows[at]
    end
    local known = redis.call('HMGET', key, unpack(names))
    local changed, n = {}, 0
    for i = 1, count do
      local candidate = rows[first + 2 * i - 1]
      if not known[i] or later(candidate, known[i]) then
        changed[n + 1] = names[i]
        changed[n + 2] = candidate
        n = n + 2
      end
    end
    if n > 0 then redis.call('HSET', key, unpack(changed)) end
  end
end

local key = 1
for shard = 1, #ARGV, 2 do
  local vehicles, frames = cmsgpack.unpack(ARGV[shard]), cmsgpack.unpack(ARGV[shard + 1])
  putLast(KEYS[key], vehicles)
  key = key + 1
  for at = 1, #frames, 2 do
    local frame = frames[at + 1]
    -- The first frame of an hour: what is listed need not be listed again.
    if redis.call('APPEND', KEYS[key + 1], frame) == #frame then redis.call('ZADD', KEYS[key], frames[at], frames[at]) end
    key = key + 2
  end
end
