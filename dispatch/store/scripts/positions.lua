-- Positions of the vehicles of one shard. Doing it again changes nothing that can be read: frames of a track are merged
-- when they are read, and last positions only move to a later one.
--
-- KEYS  1 last   hash  vehicle -> rank and ten numbers, little-endian doubles
--       then pairs: hours of a vehicle (zset: hour), its track of one hour (string: frames of length and block)
-- ARGV  1 number of vehicles, then for each: vehicle, rank and numbers
--       then for each pair of keys: hour, frame
--
-- Result: nothing

-- Rank, then device time, latitude, longitude, receipt, the rest: as isLater in last-position.ts.
local order = { 1, 2, 4, 5, 3, 6, 7, 8, 9, 10, 11 }
local function later(candidate, known)
  local a = { struct.unpack('<ddddddddddd', candidate) }
  local b = { struct.unpack('<ddddddddddd', known) }
  for _, column in ipairs(order) do
    if a[column] ~= b[column] then return a[column] > b[column] end
  end
  return false
end

local at = 1
for _ = 1, tonumber(ARGV[1]) do
  local vehicle, candidate = ARGV[at + 1], ARGV[at + 2]
  at = at + 2
  local known = redis.call('HGET', KEYS[1], vehicle)
  if not known or later(candidate, known) then redis.call('HSET', KEYS[1], vehicle, candidate) end
end
for key = 2, #KEYS, 2 do
  redis.call('ZADD', KEYS[key], ARGV[at + 1], ARGV[at + 1])
  redis.call('APPEND', KEYS[key + 1], ARGV[at + 2])
  at = at + 2
end
