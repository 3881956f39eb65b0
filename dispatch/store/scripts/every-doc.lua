-- A part of all documents with what is kept beside them.
--
-- KEYS  1 docs   hash  kind NUL id -> "version:json"
--       2 heads  hash  kind NUL id -> msgpack {index members}, where there are any
--       3 due    zset  kind NUL id, score: due time or end of the claim
-- ARGV  1 cursor, "0" at the beginning
--
-- Result: {cursor ("0" at the end), {key, "version:json", due time or "", {index members}}, …}; a document may come twice

local found = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', 200)
local result = { found[1] }
for i = 1, #found[2], 2 do
  local key = found[2][i]
  local head = redis.call('HGET', KEYS[2], key)
  local due = redis.call('ZSCORE', KEYS[3], key)
  result[#result + 1] = { key, found[2][i + 1], due or '', head and cmsgpack.unpack(head)[1] or {} }
end
return result
