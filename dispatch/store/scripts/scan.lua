-- One page of an index with its documents, as of one moment.
--
-- KEYS  1 index  zset  index NUL entry, all scores 0
--       2 docs   hash  kind NUL id -> "version:json"
-- ARGV  1 lower bound and 2 upper bound, as ZRANGE BYLEX takes them
--       3 number of entries wanted
--       4 "1" for the highest first
--       5 length of "index NUL" in bytes
--
-- Result: {entry behind "index NUL", document, entry, document, …}

local entries
if ARGV[4] == '1' then
  entries = redis.call('ZRANGE', KEYS[1], ARGV[2], ARGV[1], 'BYLEX', 'REV', 'LIMIT', 0, ARGV[3])
else
  entries = redis.call('ZRANGE', KEYS[1], ARGV[1], ARGV[2], 'BYLEX', 'LIMIT', 0, ARGV[3])
end

-- The document's key stands behind the first 00 01 that is not part of an escaped NUL (00 FF).
local function docKey(entry)
  local from = 1
  while true do
    local nul = string.find(entry, '\0', from, true)
    if string.byte(entry, nul + 1) == 1 then return string.sub(entry, nul + 2) end
    from = nul + 2
  end
end

local page = {}
for _, member in ipairs(entries) do
  local entry = string.sub(member, tonumber(ARGV[5]) + 1)
  page[#page + 1] = entry
  page[#page + 1] = redis.call('HGET', KEYS[2], docKey(entry))
end
return page
