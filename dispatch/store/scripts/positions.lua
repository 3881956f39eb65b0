-- Positions of the vehicles of some shards. Doing it again changes nothing that can be read: frames of a track are
-- merged when they are read, and last positions only move to a later one.
--
-- KEYS  for each shard: last  hash  vehicle -> rank and ten numbers, little-endian doubles
--       The keys of its vehicles have the same hash tag and are made here from its name (see redis-keys.ts): two keys for
--       each vehicle cost more to send and to read than all that is done with them.
--         hours of a vehicle  zset: hour
--         its track of one hour  string: frames of length and block
-- ARGV  for each shard: MessagePack list of vehicle, rank and ten numbers ("" where they stand before), hour, frame, ...
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
  local names, candidates, count = {}, {}, 0
  local function flush()
    local known = redis.call('HMGET', key, unpack(names))
    local changed, n = {}, 0
    for i = 1, count do
      if not known[i] or later(candidates[i], known[i]) then
        changed[n + 1] = names[i]
        changed[n + 2] = candidates[i]
        n = n + 2
      end
    end
    if n > 0 then redis.call('HSET', key, unpack(changed)) end
    names, candidates, count = {}, {}, 0
  end
  for at = 1, #rows, 4 do
    if rows[at + 1] ~= '' then
      count = count + 1
      names[count] = rows[at]
      candidates[count] = rows[at + 1]
      if count == VEHICLES_PER_COMMAND then flush() end
    end
  end
  if count > 0 then flush() end
end

local function putTracks(key, rows)
  local shard = string.sub(key, 1, -#'last' - 1)
  for at = 1, #rows, 4 do
    local vehicle, hour, frame = rows[at], rows[at + 2], rows[at + 3]
    -- The first frame of an hour: what is listed need not be listed again.
    if redis.call('APPEND', shard .. 'track:' .. vehicle .. ':' .. hour, frame) == #frame then
      redis.call('ZADD', shard .. 'hours:' .. vehicle, hour, hour)
    end
  end
end

for i, key in ipairs(KEYS) do
  local rows = cmsgpack.unpack(ARGV[i])
  putLast(key, rows)
  putTracks(key, rows)
end
