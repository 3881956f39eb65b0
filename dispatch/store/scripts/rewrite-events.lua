-- Puts other events in the place of those at some positions. Entries of a stream cannot be changed: the new ones stand
-- in a hash, the old ones are deleted. All positions must be in the log.
--
-- KEYS  1 events     stream  <position>-0 -> "e" json
--       2 rewritten  hash    position -> json of the event that stands in its place
-- ARGV  position, json, position, json, …

for i = 1, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
for i = 1, #ARGV, 2 do redis.call('XDEL', KEYS[1], ARGV[i] .. '-0') end
return 'OK'
