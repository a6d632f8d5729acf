-- Opens runs on their documents: from here on only the newest token of an entry may commit, and nothing expires.
-- KEYS, four per run: document, meta, run, deliveries
-- ARGV, four per run: entry ("<list>:<id>"), token, list, chain
-- Returns per run {"gone"}, {"done"}, {"outbox", text} or {"open", rev, submitted, checkpoint, former token};
-- absent values are nil.
redis.call('HDEL', KEYS[3], '') -- the first write frees, so the script also runs at maxmemory
local reply = {}
for at = 0, #ARGV / 4 - 1 do
  local document, meta, run, deliveries = KEYS[at * 4 + 1], KEYS[at * 4 + 2], KEYS[at * 4 + 3], KEYS[at * 4 + 4]
  local entry, token, list, chain = ARGV[at * 4 + 1], ARGV[at * 4 + 2], ARGV[at * 4 + 3], ARGV[at * 4 + 4]
  local was = redis.call('HMGET', run, 't:' .. entry, 'o:' .. entry, 'c:' .. entry)
  local facts = redis.call('HMGET', meta, 'rev', 'submitted', 'gone', 'ttl', 'until', 'q:' .. list, 'dead:' .. chain)
  if facts[6] and not was[1] then
    -- the first claim of this entry: it no longer waits in its list
    if tonumber(facts[6]) > 1 then
      redis.call('HINCRBY', meta, 'q:' .. list, -1)
    else
      redis.call('HDEL', meta, 'q:' .. list)
    end
  end
  if facts[3] then
    reply[#reply + 1] = { 'gone' }
  elseif was[2] then
    reply[#reply + 1] = { 'outbox', was[2] }
  elseif was[1] and string.sub(was[1], 1, 4) == 'done' then
    reply[#reply + 1] = { 'done' }
  else
    redis.call('HSET', run, 't:' .. entry, token)
    -- only what has no wish of ours on it can have no expiry running: a neighbour may have set one on its documents
    if not facts[1] or facts[4] or facts[5] then
      redis.call('PERSIST', document)
      redis.call('PERSIST', meta)
      redis.call('PERSIST', deliveries)
    end
    reply[#reply + 1] = { 'open', facts[1], facts[2], was[3] or facts[7], was[1] }
  end
end
return reply
