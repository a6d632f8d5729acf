-- Opens runs on their documents: from here on only the newest token of an entry may commit, and nothing expires.
-- KEYS, three per run: document, meta, deliveries; then leases ("runs") of lists (not on Cluster)
-- ARGV, five per run: entry ("<list>:<id>"), token, list, chain, position of its leases in KEYS ("" on Cluster)
-- Returns per run {"gone"}, {"lost"}, {"done"}, {"outbox", text} or {"open", rev, submitted, checkpoint, former token};
-- absent values are nil.
local call = redis.call
call('HDEL', KEYS[2], '') -- the first write frees, so the script also runs at maxmemory

-- A claim whose answer came late may be opened after the next owner's: the lease tells, on Cluster the newer token.
local function moved_on(a, former)
  local mine, runs = ARGV[a + 2], KEYS[tonumber(ARGV[a + 5])]
  if former and tonumber(string.match(former, '%d+$')) > tonumber(mine) then return true end
  if not runs then return false end
  local packed = call('HGET', runs, string.sub(ARGV[a + 1], #ARGV[a + 3] + 2))
  return not packed or string.match(packed, '^%S+') ~= mine
end

local function open(k, a)
  local document, meta, deliveries = KEYS[k + 1], KEYS[k + 2], KEYS[k + 3]
  local entry, list = ARGV[a + 1], ARGV[a + 3]
  local token, waiting = 't:' .. entry, 'q:' .. list
  local facts = call('HMGET', meta, 'rev', 'submitted', 'gone', 'ttl', 'until', waiting, 'dead:' .. ARGV[a + 4],
    token, 'o:' .. entry, 'c:' .. entry)
  local former = facts[8]
  if moved_on(a, former) then return { 'lost' } end
  if facts[6] and not former then
    -- the first claim of this entry: it no longer waits in its list
    if facts[6] == '1' then
      call('HDEL', meta, waiting)
    else
      call('HINCRBY', meta, waiting, -1)
    end
  end
  if facts[3] then return { 'gone' } end
  if facts[9] then return { 'outbox', facts[9] } end
  if former and string.sub(former, 1, 4) == 'done' then return { 'done' } end
  call('HSET', meta, token, ARGV[a + 2])
  -- without a wish of ours no expiry can be running, except one that a neighbour set on a document of its own
  if not facts[1] or facts[4] or facts[5] then
    call('PERSIST', document)
    call('PERSIST', meta)
    call('PERSIST', deliveries)
  end
  return { 'open', facts[1], facts[2], facts[10] or facts[7], former }
end

local reply = {}
for at = 0, #ARGV / 5 - 1 do reply[at + 1] = open(at * 3, at * 5) end
return reply
