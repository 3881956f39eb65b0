-- Deletes the ingest log of a node where it holds nothing.
--
-- KEYS  1 log  stream
--
-- Result: 1 where there is no log (any more), 0 where it holds groups

if redis.call('XLEN', KEYS[1]) > 0 then return 0 end
redis.call('DEL', KEYS[1])
return 1
