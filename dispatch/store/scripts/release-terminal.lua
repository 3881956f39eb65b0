-- Ends a lease, unless another connection has taken the terminal since.
--
-- KEYS  1 leases  hash  terminal -> json
-- ARGV  1 terminal  2 fence
--
-- Result: 1 where it was ended, else 0

local lease = redis.call('HGET', KEYS[1], ARGV[1])
if not lease or not string.find(lease, '"fence":' .. ARGV[2] .. ',', 1, true) then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
