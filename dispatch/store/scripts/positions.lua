-- Positions of the vehicles of some shards. Doing it again changes nothing that can be read: frames of a track are
-- merged when they are read, and last positions only move to a later one.
--
-- KEYS  for each shard: last  hash  vehicle -> rank and ten numbers, little-endian doubles
--       then pairs: hours of a vehicle (zset: hour), its track of one hour (string: frames of length and block)
-- ARGV  for each shard: number of pairs of keys
--       vehicles packed one after the other: length of the name (u16), name, rank and ten numbers
--       hours and frames packed one after the other, in the order of the pairs: hour (u32), frame
-- Numbers are little-endian.
--
-- Result: nothing

local ROW = 88

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

local key = 1
for shard = 1, #ARGV, 3 do
  local count, vehicles, frames = tonumber(ARGV[shard]), ARGV[shard + 1], ARGV[shard + 2]
  local last = KEYS[key]
  key = key + 1
  local at = 1
  while at <= #vehicles do
    local from = at + 2 + struct.unpack('<I2', vehicles, at)
    local vehicle, candidate = string.sub(vehicles, at + 2, from - 1), string.sub(vehicles, from, from + ROW - 1)
    at = from + ROW
    local known = redis.call('HGET', last, vehicle)
    if not known or later(candidate, known) then redis.call('HSET', last, vehicle, candidate) end
  end
  at = 1
  for _ = 1, count do
    local hour, length = struct.unpack('<I4I4', frames, at)
    redis.call('ZADD', KEYS[key], hour, hour)
    redis.call('APPEND', KEYS[key + 1], string.sub(frames, at + 4, at + 7 + length))
    key = key + 2
    at = at + 8 + length
  end
end
