-- Commits the ends of runs on their documents, fenced by token and revision.
-- KEYS, four per run: document, meta, deliveries, staging; then keys of other slots (not on Cluster)
-- ARGV: 1 how many runs; then seventeen per run:
--   1 entry, 2 token, 3 base ("", a revision, or "x" and SHA-1 of foreign content), 4 "none", "staged" or "inline",
--   5 bytes (inline only), 6 created, 7 terms (JSON), 8 outbox (JSON or ""),
--   9 lists to count as referring (separated by spaces), 10 "", "keep", "after" or "now", 11 its milliseconds,
--   12 deliveries (JSON {storages, lease, dlq, chain, waiting} or ""), 13 chain of the lease,
--   14 checkpoint of its dead letter ("-" for none, "=" when this run makes the dead letter of its chain good),
--   15 positions in KEYS of lists to push to, 16 position of the shard of due deliveries (both separated by spaces,
--   both "" leave it to the outbox), 17 uuid
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
local function judge(k, a, facts)
  local base = ARGV[a + 3]
  if facts[GONE] or based_on_deleted(base, facts[FLOOR]) then return { 'gone' } end
  if facts[TOKEN] ~= ARGV[a + 2] then
    if facts[TOKEN] ~= 'done ' .. ARGV[a + 2] then return { 'lost' } end
    if facts[OUTBOX] then return { 'outbox', facts[OUTBOX], facts[REV] } end
    return { 'done', facts[REV] }
  end
  if ARGV[a + 4] ~= 'none' and outdated(KEYS[k + 1], base, facts[REV]) then return { 'conflict' } end
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
local function note(k, a, facts)
  local meta, fields, count = KEYS[k + 2], {}, 0
  local function set(name, value)
    fields[count + 1], fields[count + 2] = name, value
    count = count + 2
  end
  local rev, former = facts[REV], nil
  if ARGV[a + 4] ~= 'none' then
    rev = string.format('%.0f', math.max(rev or 0, facts[FLOOR] or 0) + 1)
    set('rev', rev)
    if facts[TERMS] ~= ARGV[a + 7] or facts[CREATED] ~= ARGV[a + 6] then
      former = facts[TERMS] or '[]'
      set('terms', ARGV[a + 7])
      set('created', ARGV[a + 6])
    end
  elseif not rev and ARGV[a + 12] ~= '' then
    rev = '1' -- a document somebody else wrote becomes ours when storages are to count its revisions
    set('rev', rev)
  end
  local expiry = ARGV[a + 10]
  if expiry == 'keep' and facts[TTL] then call('HDEL', meta, 'ttl') end
  if expiry == 'after' then set('ttl', ARGV[a + 11]) end
  if expiry == 'now' then set('until', string.format('%.0f', now + ARGV[a + 11])) end
  if ARGV[a + 14] ~= '=' then set('dead:' .. ARGV[a + 13], ARGV[a + 14] ~= '-' and ARGV[a + 14] or '') end
  if count > 0 then call('HSET', meta, unpack(fields)) end
  if ARGV[a + 9] ~= '' then
    for list in string.gmatch(ARGV[a + 9], '%S+') do call('HINCRBY', meta, 'q:' .. list, 1) end
  end
  return rev, former
end

local function deliver(k, a, rev)
  local order = cjson.decode(ARGV[a + 12])
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
local function carry_out(a, mine)
  local places, shard = ARGV[a + 15], KEYS[tonumber(ARGV[a + 16])]
  if places == '' and not shard then return ARGV[a + 8] end
  for at in string.gmatch(places, '%d+') do
    local list = KEYS[tonumber(at)]
    local pushed = redis.pcall('RPUSH', list, ARGV[a + 17])
    if type(pushed) == 'table' then return ARGV[a + 8] end
  end
  for _, pair in ipairs(mine) do call('ZADD', shard, pair[2], ARGV[a + 17] .. ' ' .. pair[1]) end
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

local function commit(k, a)
  local meta, entry, chain = KEYS[k + 2], ARGV[a + 1], ARGV[a + 13]
  local facts = call('HMGET', meta, 'rev', 'floor', 'gone', 'terms', 'created', 'ttl', 'until', 'dead:' .. chain,
    't:' .. entry, 'o:' .. entry)
  local refused = judge(k, a, facts)
  if refused then
    if ARGV[a + 4] == 'staged' then call('DEL', KEYS[k + 4]) end
    return refused
  end
  if ARGV[a + 4] ~= 'none' and not place(k, a) then return { 'unstaged' } end
  local rev, former = note(k, a, facts)
  local mine = {}
  if ARGV[a + 12] ~= '' then mine = deliver(k, a, rev) end
  local left = ARGV[a + 8]
  if left ~= '' then left = carry_out(a, mine) end
  local outbox = finish(k, a, left, former)
  if outbox == '' then
    if facts[DEAD] and ARGV[a + 14] == '=' then call('HDEL', meta, 'dead:' .. chain) end
    if facts[TTL] or facts[UNTIL] or ARGV[a + 10] ~= 'keep' then apply_expiry(KEYS[k + 1], meta, KEYS[k + 3]) end
  end
  return { 'ok', rev, outbox, unpack(mine) }
end

local reply = {}
for at = 0, ARGV[1] - 1 do reply[at + 1] = commit(at * 4, at * 17 + 1) end
return reply
