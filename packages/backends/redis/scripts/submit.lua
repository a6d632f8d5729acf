-- Stores, indexes and queues a submission; intake, so the first write is refused at maxmemory.
-- KEYS: 1 document, 2 meta, 3 deliveries, 4 submitter; unless the other slots follow by themselves (Cluster):
--   5 sorted set, lists, sets of the new terms, sets of the old terms that are not new
-- ARGV: 1 bytes, 2 submitted, 3 created, 4 terms (JSON), 5 "requeue" or "", 6 precondition ("", "absent", "match"),
--   7 revisions that match (separated by spaces), 8 SHA-1 of foreign content that matches or "", 9 old terms (JSON)
--   the keys were made for, or "*", 10 uuid, 11 how many lists, 12 new, 13 old term sets, 14 expiry of those sets (ms)
--   or "", 15 submitter or "", 16 how long it is remembered (ms), 17... the lists
-- Returns {"created" | "replaced" | "same", rev, old terms, positions of the lists that get the uuid}
--   | {"refused", rev or nil, "foreign" or nil}
--   | {"terms", old terms}: try again with the keys for those | {"unfit", key}: that key holds another type.
--@include content
local document, meta, deliveries = KEYS[1], KEYS[2], KEYS[3]
local facts = redis.call('HMGET', meta, 'rev', 'submitted', 'gone', 'floor', 'terms', 'sent')
local exists = redis.call('EXISTS', document) == 1
local old_terms = facts[5] or '[]'
local alone = #KEYS == 4
local lists, added, removed = tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])

local function refused()
  if ARGV[6] == 'absent' then return exists end
  if ARGV[6] ~= 'match' then return false end
  if not exists then return true end
  if facts[1] then return not string.find(' ' .. ARGV[7] .. ' ', ' ' .. facts[1] .. ' ', 1, true) end
  return ARGV[8] == '' or redis.sha1hex(content(document)) ~= ARGV[8]
end

-- Queues to the lists that are not in `sent` (separated by spaces), or to all, and writes down where the content went.
-- Returns the positions of those lists, separated by spaces.
local function queue(sent, all)
  local former, fresh = ' ' .. sent .. ' ', {}
  for at = 1, #ARGV - 16 do
    local name = ARGV[16 + at]
    local known = string.find(former, ' ' .. name .. ' ', 1, true)
    if all or not known then
      redis.call('HINCRBY', meta, 'q:' .. name, 1)
      if not alone then redis.call('RPUSH', KEYS[5 + at], ARGV[10]) end
      fresh[#fresh + 1] = at
    end
    if not known then sent = sent == '' and name or (sent .. ' ' .. name) end
  end
  if #fresh > 0 then redis.call('HSET', meta, 'sent', sent) end
  return table.concat(fresh, ' ')
end

local function unfit(at, wanted)
  local key = KEYS[at]
  local kind = redis.call('TYPE', key).ok
  return kind ~= 'none' and kind ~= wanted
end

if refused() then return { 'refused', exists and facts[1], exists and not facts[1] and 'foreign' } end
if not alone then
  if unfit(5, 'zset') then return { 'unfit', KEYS[5] } end
  for at = 6, 5 + lists do
    if unfit(at, 'list') then return { 'unfit', KEYS[at] } end
  end
end

if exists and not facts[3] and facts[2] == ARGV[2] then
  local fresh = queue(facts[6] or '', ARGV[5] == 'requeue')
  if fresh ~= '' then
    redis.call('PERSIST', document)
    redis.call('PERSIST', meta)
    redis.call('PERSIST', deliveries)
  end
  return { 'same', facts[1], old_terms, fresh }
end
if ARGV[9] ~= '*' and ARGV[9] ~= old_terms then return { 'terms', old_terms } end

redis.call('SET', document, ARGV[1])
local rev = string.format('%.0f', math.max(facts[1] or 0, facts[4] or 0) + 1)
redis.call('HDEL', meta, 'gone', 'ttl', 'until', 'sent')
redis.call('HSET', meta, 'rev', rev, 'submitted', ARGV[2], 'terms', ARGV[4], 'created', ARGV[3])
redis.call('PERSIST', meta)
redis.call('PERSIST', deliveries)
-- dead letters of the former content must not lend their checkpoints to this one
for _, field in ipairs(redis.call('HKEYS', meta)) do
  if string.sub(field, 1, 5) == 'dead:' then redis.call('HSET', meta, field, '') end
end
if ARGV[15] ~= '' then redis.call('SET', KEYS[4], ARGV[15], 'PX', ARGV[16]) end
local fresh = queue('', true)
if not alone then
  redis.call('ZREM', KEYS[5], ARGV[10]) -- the bare form, which former versions of this server and some paths of the Python server write
  redis.call('ZADD', KEYS[5], ARGV[3], 'vcon:' .. ARGV[10])
  -- a set that somebody keeps under another type is left alone rather than leaving the submission half done
  for at = 6 + lists, 5 + lists + added do
    local key = KEYS[at]
    local added_now = redis.pcall('SADD', key, ARGV[10])
    if ARGV[14] ~= '' and type(added_now) == 'number' then redis.call('PEXPIRE', key, ARGV[14]) end
  end
  for at = 6 + lists + added, 5 + lists + added + removed do redis.pcall('SREM', KEYS[at], ARGV[10]) end
end
return { exists and 'replaced' or 'created', rev, old_terms, fresh }
