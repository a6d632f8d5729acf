-- Records what became of deliveries, completes waiting runs, starts expiry.
-- KEYS, three per report: document, meta, deliveries
-- ARGV, eight per report: storage, action, revision sent, result ("done", "again", "dead"), delay (ms),
--   1 when the attempt counts, error, box (JSON of the dead letter, or "")
-- Returns per report {"settled" or "again", "set" or "drop" or "", score, box id, box...}: what to do with the pair's
--   score in the set of due deliveries, after the boxes have been carried out.
--@include now
--@include expiry
--@include deliveries
redis.call('HDEL', KEYS[3], '') -- the first write frees, so the script also runs at maxmemory
local now = now_ms()
-- Boxes this report makes. Those of others are theirs to carry out, or come up with a due delivery when they died.
local made = {}

local function make_box(state, id, text)
  made[#made + 1] = id
  state.boxes[id] = text
  redis.call('HSET', state.key, 'x:' .. id, text)
end

local function newer(want, sent)
  local want_number, sent_number = tonumber(want), tonumber(sent)
  if want_number and sent_number then return want_number > sent_number end
  return tostring(want) ~= sent
end

local function has_reached(pair, rev)
  local done = pair and tonumber(pair.done)
  return done and done >= rev
end

-- Runs whose required storages have what they wrote: their pushes become boxes.
local function complete_runs(state, meta)
  for entry, packed in pairs(state.waiting) do
    local rev, text = string.match(packed, '^(%d+) (.*)$')
    local waiting = cjson.decode(text)
    local complete = true
    for _, storage in ipairs(waiting.required) do
      complete = complete and has_reached(state.pairs[storage], tonumber(rev))
    end
    if complete then
      state.waiting[entry] = nil
      redis.call('HDEL', state.key, 'w:' .. entry)
      for _, list in ipairs(waiting.count) do redis.call('HINCRBY', meta, 'q:' .. list, 1) end
      make_box(state, entry, text)
    end
  end
end

local function finished(state, pair, report, meta)
  local storage = report.storage
  local other = pair.action ~= report.action
  if report.action == 'save' and (other or newer(pair.want, report.rev)) then
    pair.done = tonumber(report.rev) or pair.done
    if other then
      -- deleted meanwhile: whoever takes it next deletes
      pair.busy, pair.due = false, now
      register(pair, now)
      save_pair(state, storage)
      return { 'settled', 'set', string.format('%.0f', pair.next) }
    end
  elseif not other then
    if report.action == 'delete' then
      state.pairs[storage] = nil
      redis.call('HDEL', state.key, 's:' .. storage)
    else
      pair.done = math.max(tonumber(pair.done) or 0, tonumber(report.rev) or tonumber(pair.want) or 0)
      pair.state, pair.busy, pair.attempt, pair.due, pair.error = 'done', false, 0, 0, nil
      save_pair(state, storage)
    end
    complete_runs(state, meta)
    return { 'settled', 'drop', string.format('%.0f', pair.next) }
  end
  -- a newer revision is wanted: the caller keeps the pair and sends that
  pair.busy = now + pair.lease
  pair.due = pair.busy
  register(pair, pair.busy)
  save_pair(state, storage)
  complete_runs(state, meta)
  return { 'again', 'set', string.format('%.0f', pair.next) }
end

local function failed(state, pair, report)
  local storage = report.storage
  pair.busy, pair.error = false, report.error
  if report.counts == '1' then pair.attempt = pair.attempt + 1 end
  -- revision 0: there was no document to send, so there is none of a newer revision either
  local outdated = report.action == 'save' and report.rev ~= '0' and newer(pair.want, report.rev)
  local newest = pair.action == report.action and not outdated
  if report.result == 'dead' and newest then
    pair.state, pair.due = 'dead', 0
    save_pair(state, storage)
    make_box(state, 'dead ' .. storage, report.box)
    return { 'settled', 'drop', string.format('%.0f', pair.next) }
  end
  pair.due = now + tonumber(report.delay)
  register(pair, pair.due)
  save_pair(state, storage)
  return { 'settled', 'set', string.format('%.0f', pair.next) }
end

local function settle(document, meta, deliveries, report)
  local state = load_deliveries(deliveries)
  local pair = state.pairs[report.storage]
  if not pair or pair.state ~= 'pending' then return { 'settled', '', '0' } end
  local result
  made = {}
  if report.result == 'done' then
    result = finished(state, pair, report, meta)
  else
    result = failed(state, pair, report)
  end
  if count_open(state, meta) == 0 then apply_expiry(document, meta, deliveries) end
  for _, id in ipairs(made) do
    result[#result + 1] = id
    result[#result + 1] = state.boxes[id]
  end
  return result
end

local reply = {}
for at = 0, #ARGV / 8 - 1 do
  local k, a = at * 3, at * 8
  local report = {
    storage = ARGV[a + 1], action = ARGV[a + 2], rev = ARGV[a + 3], result = ARGV[a + 4], delay = ARGV[a + 5],
    counts = ARGV[a + 6], error = ARGV[a + 7], box = ARGV[a + 8],
  }
  reply[#reply + 1] = settle(KEYS[k + 1], KEYS[k + 2], KEYS[k + 3], report)
end
return reply
