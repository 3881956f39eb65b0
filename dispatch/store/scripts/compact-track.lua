-- Replaces the frames of a track by one, unless something was appended since they were read.
--
-- KEYS  1 track  string
-- ARGV  1 SHA-1 of the frames that were read, hex
--       2 the one frame
--
-- Result: 1 where it was replaced, else 0

local frames = redis.call('GET', KEYS[1])
if not frames or redis.sha1hex(frames) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
