-- Commits the ends of runs on their documents, fenced by token and revision.
-- KEYS, four per run: document ("vcon:<uuid>"), meta, deliveries, staging; then keys of other slots (not on Cluster)
-- ARGV: 1 how many runs, 2 how many ways to end; then eight per way to end, which runs share:
--   1 "", "keep", "after" or "now", 2 its milliseconds, 3 lists to count as referring (separated by spaces),
--   4 outbox (JSON or ""), 5 deliveries (JSON {storages, lease, dlq, chain, waiting} or ""), 6 chain,
--   7 checkpoint of its dead letter ("-" for none, "=" when the run makes the dead letter of its chain good),
--   8 positions in KEYS of lists to push to at once (separated by spaces)
-- then nine per run:
--   1 entry, 2 token, 3 base ("", a revision, or "x" and SHA-1 of foreign content), 4 "none", "staged" or "inline",
--   5 bytes (inline only), 6 created, 7 terms (JSON), 8 position of the shard of due deliveries ("" together with no
--   lists to push to leaves everything to the outbox), 9 number of its way to end
-- Returns per run: {"gone"} | {"lost"} | {"conflict"} | {"unstaged"} | {"done", rev} | {"outbox", text, rev}
--   | {"ok", rev, outbox text or "", {storage, score}...}; "done" and "outbox" say that this token committed before.
--@include now
--@include content
--@include expiry
--@include deliveries
local call = redis.call
call('HDEL', KEYS[2], '') -- the first write frees, so the script also runs at maxmemory
local now = now_ms()
local REV, FLOOR, GONE, TERMS, CREATED, TTL, UNTIL, DEAD, TOKEN, OUTBOX = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10

local function read_way(a)
  local way = {
    expiry = ARGV[a + 1], ms = ARGV[a + 2], refer = {}, outbox = ARGV[a + 4], dead = 'dead:' .. ARGV[a + 6],
    checkpoint = ARGV[a + 7], push = {},
  }
  for list in string.gmatch(ARGV[a + 3], '%S+') do way.refer[#way.refer + 1] = 'q:' .. list end
  for at in string.gmatch(ARGV[a + 8], '%d+') do way.push[#way.push + 1] = KEYS[tonumber(at)] end
  if ARGV[a + 5] ~= '' then way.order = cjson.decode(ARGV[a + 5]) end
  return way
end

local function based_on_deleted(base, floor)
  return floor and base ~= '' and (string.sub(base, 1, 1) == 'x' or tonumber(base) < tonumber(floor))
end

local function outdated(document, base, rev)
  if rev == base then return false end
  local current = content(document)
  if not current then return false end -- nothing is there that could be overwritten
  return rev or redis.sha1hex(current) ~= string.sub(base, 2)
end

-- `a` and `k` are what comes before the arguments and the keys of a run.
local function judge(k, a, facts, way)
  local base = ARGV[a + 3]
  if facts[GONE] or based_on_deleted(base, facts[FLOOR]) then return { 'gone' } end
  if facts[TOKEN] ~= ARGV[a + 2] then
    if facts[TOKEN] ~= 'done ' .. ARGV[a + 2] then return { 'lost' } end
    if facts[OUTBOX] then return { 'outbox', facts[OUTBOX], facts[REV] } end
    return { 'done', facts[REV] }
  end
  if ARGV[a + 4] ~= 'none' and outdated(KEYS[k + 1], base, facts[REV]) then return { 'conflict' } end
  -- the copy was lost while the run had it: the caller puts back what it has, or the storages would never get it
  if ARGV[a + 4] == 'none' and way.order and call('EXISTS', KEYS[k + 1]) == 0 then return { 'conflict' } end
  return nil
end

-- Puts the bytes in place; false when they were not staged.
local function place(k, a)
  if ARGV[a + 4] == 'staged' then return redis.pcall('RENAME', KEYS[k + 4], KEYS[k + 1]).err == nil end
  call('SET', KEYS[k + 1], ARGV[a + 5])
  return true
end

-- Notes revision, index, wished expiry and dead letter in meta. Returns the revision and, when the index changed,
-- what it was.
local function note(k, a, facts, way)
  local meta, fields = KEYS[k + 2], {}
  local rev, former = facts[REV], nil
  if ARGV[a + 4] ~= 'none' then
    rev = string.format('%.0f', math.max(rev or 0, facts[FLOOR] or 0) + 1)
    fields = { 'rev', rev }
    if facts[TERMS] ~= ARGV[a + 7] or facts[CREATED] ~= ARGV[a + 6] then
      former = facts[TERMS] or '[]'
      fields = { 'rev', rev, 'terms', ARGV[a + 7], 'created', ARGV[a + 6] }
    end
  elseif not rev and way.order then
    rev = '1' -- a document somebody else wrote becomes ours when storages are to count its revisions
    fields = { 'rev', rev }
  end
  local count = #fields
  if way.expiry == 'keep' then
    if facts[TTL] then call('HDEL', meta, 'ttl') end
  elseif way.expiry == 'after' then
    fields[count + 1], fields[count + 2] = 'ttl', way.ms
  elseif way.expiry == 'now' then
    fields[count + 1], fields[count + 2] = 'until', '+' .. way.ms
  end
  if way.checkpoint ~= '=' then
    fields[#fields + 1] = way.dead
    fields[#fields + 1] = way.checkpoint ~= '-' and way.checkpoint or ''
  end
  if #fields > 0 then call('HSET', meta, unpack(fields)) end
  for _, field in ipairs(way.refer) do call('HINCRBY', meta, field, 1) end
  return rev, former
end

local function deliver(k, a, rev, order)
  local state = load_deliveries(KEYS[k + 3])
  local mine = want_delivery(state, tonumber(rev), order, now)
  if order.waiting ~= '' then
    local entry = ARGV[a + 1]
    state.waiting[entry] = rev .. ' ' .. order.waiting
    call('HSET', KEYS[k + 3], 'w:' .. entry, state.waiting[entry])
  end
  count_open(state, KEYS[k + 2])
  return mine
end

-- Pushes and schedules where all keys are at hand. Returns what is left for the outbox: everything, where a key is no
-- list.
local function carry_out(k, a, way, mine)
  local shard = KEYS[tonumber(ARGV[a + 8])]
  if #way.push == 0 and not shard then return way.outbox end
  local uuid = string.sub(KEYS[k + 1], 6)
  -- before the first push: what is left to the outbox is pushed to all of them again
  for _, list in ipairs(way.push) do
    local kind = call('TYPE', list).ok
    if kind ~= 'none' and kind ~= 'list' then return way.outbox end
  end
  for _, list in ipairs(way.push) do
    if type(redis.pcall('RPUSH', list, uuid)) == 'table' then return way.outbox end
  end
  for _, pair in ipairs(mine) do call('ZADD', shard, pair[2], uuid .. ' ' .. pair[1]) end
  return ''
end

-- The run is over, except for what is left in its outbox.
local function finish(k, a, left, former)
  local meta, token, done = KEYS[k + 2], 't:' .. ARGV[a + 1], 'done ' .. ARGV[a + 2]
  if left ~= '' or former then
    local outbox = (left ~= '' and left or '{}') .. '\n' .. (former or '')
    call('HSET', meta, token, done, 'o:' .. ARGV[a + 1], outbox)
    return outbox
  end
  call('HSET', meta, token, done)
  return ''
end

local function commit(k, a, way)
  local meta, entry = KEYS[k + 2], ARGV[a + 1]
  local facts = call('HMGET', meta, 'rev', 'floor', 'gone', 'terms', 'created', 'ttl', 'until', way.dead, 't:' .. entry,
    'o:' .. entry)
  local refused = judge(k, a, facts, way)
  if refused then
    if ARGV[a + 4] == 'staged' then call('DEL', KEYS[k + 4]) end
    return refused
  end
  if ARGV[a + 4] ~= 'none' and not place(k, a) then return { 'unstaged' } end
  local rev, former = note(k, a, facts, way)
  local mine = {}
  if way.order then mine = deliver(k, a, rev, way.order) end
  local left = way.outbox
  if left ~= '' then left = carry_out(k, a, way, mine) end
  local outbox = finish(k, a, left, former)
  if outbox == '' then
    if facts[DEAD] and way.checkpoint == '=' then call('HDEL', meta, way.dead) end
    if facts[TTL] or facts[UNTIL] or way.expiry ~= 'keep' then apply_expiry(KEYS[k + 1], meta, KEYS[k + 3]) end
  end
  return { 'ok', rev, outbox, unpack(mine) }
end

local ways, reply = {}, {}
for at = 1, tonumber(ARGV[2]) do ways[at] = read_way(at * 8 - 6) end
local runs = 2 + #ways * 8
for at = 0, ARGV[1] - 1 do
  local a = runs + at * 9
  reply[at + 1] = commit(at * 4, a, ways[tonumber(ARGV[a + 9])])
end
return reply
