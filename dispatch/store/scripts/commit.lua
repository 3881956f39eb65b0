-- One commit: all of it or nothing. Everything that could refuse it is read before the first write; Redis checks for
-- memory and for a writable server at the first write, so none of these can stop it half way.
--
-- KEYS (all under the one hash tag of the business state)
--   1 docs           hash   kind NUL id -> "version:json"
--   2 heads          hash   kind NUL id -> msgpack {index members}, where there are any
--   3 index          zset   index NUL entry, all scores 0: bytewise order
--   4 due            zset   kind NUL id, score: due time or end of the claim
--   5 state          hash   "position": position of the last event
--   6 events         stream <position>-0 -> "e" json
--   7 refs           zset   reference NUL position (16 hex digits), all scores 0
--   8 idempotency    hash   key -> "until:json"
--   9 expiry         zset   idempotency key, score: end of its life
--  10 commits        hash   commit id -> position after it
--  11 commitExpiry   zset   commit id, score: end of its memory (server's clock, ms)
--  12 applied        hash   node -> applied sequence
--
-- ARGV, one after the other; a list is its length and its elements
--   mode             "commit", or "check" to refuse only and write nothing
--   commit id        a commit whose answer was lost is sent again with the same id and is not applied twice
--   memory           how long the commit id is remembered, ms
--   channel          where the new position is published
--   now              store's clock, ms
--   idempotency      key ("" for none), json, until
--   applied          node ("" for none), sequence, sequence before ("" for any)
--   checks           list of: key, version
--   puts             list of: key, version before, json ("" deletes), due time ("" for none), list of index members
--   events           list of: json, list of references
--
-- Result: {"ok", position} | {"conflict", kind NUL id} | {"ingest", node} | {"duplicate", json}

local docs, heads, index, due, state, events = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local refs, idempotency, expiry, commits, commitExpiry, appliedKey =
  KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12]

local at = 0
local function take()
  at = at + 1
  return ARGV[at]
end
local function list(read)
  local items = {}
  for i = 1, tonumber(take()) do
    items[i] = read()
  end
  return items
end
local function whole(number)
  return string.format('%.0f', number)
end
local function version(key)
  local doc = redis.call('HGET', docs, key)
  return doc and string.match(doc, '^%d+') or '0'
end

local mode, id, memory, channel, now = take(), take(), tonumber(take()), take(), tonumber(take())
local once = { key = take(), json = take(), till = take() }
local applied = { node = take(), sequence = take(), before = take() }
local checks = list(function() return { key = take(), version = take() } end)
local puts = list(function()
  return { key = take(), version = take(), json = take(), due = take(), members = list(take) }
end)
local added = list(function() return { json = take(), refs = list(take) } end)

local known = redis.call('HGET', commits, id)
if known then
  -- Written again so that a WAIT behind this call waits for what the first one wrote.
  redis.call('HSET', commits, id, known)
  return { 'ok', known }
end

if once.key ~= '' then
  local stored = redis.call('HGET', idempotency, once.key)
  local till, json = string.match(stored or '', '^(%d+):(.*)$')
  if till and tonumber(till) > now then return { 'duplicate', json } end
end
for _, put in ipairs(puts) do
  if version(put.key) ~= put.version then return { 'conflict', put.key } end
end
for _, check in ipairs(checks) do
  if version(check.key) ~= check.version then return { 'conflict', check.key } end
end
if applied.node ~= '' then
  local before = redis.call('HGET', appliedKey, applied.node) or '0'
  if tonumber(applied.sequence) <= tonumber(before) or (applied.before ~= '' and applied.before ~= before) then
    return { 'ingest', applied.node }
  end
end
local position = redis.call('HGET', state, 'position') or '0'
if mode == 'check' then return { 'ok', position } end

-- The first write is one that Redis refuses when memory is short: from then on it lets the script end.
local after = whole(tonumber(position) + #added)
local time = redis.call('TIME')
local clock = tonumber(time[1]) * 1000
redis.call('HSET', commits, id, after)
redis.call('ZADD', commitExpiry, whole(clock + memory), id)
for _, old in ipairs(redis.call('ZRANGEBYSCORE', commitExpiry, '-inf', whole(clock), 'LIMIT', 0, 10)) do
  redis.call('ZREM', commitExpiry, old)
  redis.call('HDEL', commits, old)
end

for _, put in ipairs(puts) do
  local head = redis.call('HGET', heads, put.key)
  if head then
    for _, member in ipairs(cmsgpack.unpack(head)[1]) do redis.call('ZREM', index, member) end
  end
  redis.call('ZREM', due, put.key)
  if put.json == '' then
    redis.call('HDEL', docs, put.key)
    redis.call('HDEL', heads, put.key)
  else
    redis.call('HSET', docs, put.key, whole(tonumber(put.version) + 1) .. ':' .. put.json)
    for _, member in ipairs(put.members) do redis.call('ZADD', index, 0, member) end
    if put.due ~= '' then redis.call('ZADD', due, put.due, put.key) end
    if #put.members > 0 then
      redis.call('HSET', heads, put.key, cmsgpack.pack({ put.members }))
    else
      redis.call('HDEL', heads, put.key)
    end
  end
end

if #added > 0 then
  for _, event in ipairs(added) do
    position = whole(tonumber(position) + 1)
    redis.call('XADD', events, position .. '-0', 'e', event.json)
    for _, ref in ipairs(event.refs) do
      redis.call('ZADD', refs, 0, ref .. '\0' .. string.format('%016x', tonumber(position)))
    end
  end
  redis.call('HSET', state, 'position', position)
end

if once.key ~= '' then
  for _, old in ipairs(redis.call('ZRANGEBYSCORE', expiry, '-inf', whole(now), 'LIMIT', 0, 10)) do
    redis.call('ZREM', expiry, old)
    redis.call('HDEL', idempotency, old)
  end
  redis.call('HSET', idempotency, once.key, once.till .. ':' .. once.json)
  redis.call('ZADD', expiry, once.till, once.key)
end
if applied.node ~= '' then redis.call('HSET', appliedKey, applied.node, applied.sequence) end

if #added > 0 then redis.call('PUBLISH', channel, after) end
return { 'ok', after }
