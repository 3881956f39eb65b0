-- Prolongs a lease, unless another connection has taken the terminal since.
--
-- KEYS  1 leases  hash  terminal -> json
-- ARGV  1 terminal  2 fence  3 end of the lease, ms
--
-- Result: 1 where it was prolonged, else 0

local lease = redis.call('HGET', KEYS[1], ARGV[1])
local head = lease and string.match(lease, '^(.*"fence":' .. ARGV[2] .. ',"until":)%d+}$')
if not head then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], head .. ARGV[3] .. '}')
return 1
