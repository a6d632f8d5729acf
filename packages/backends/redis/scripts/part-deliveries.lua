-- The deliveries of one document, a hash:
--   s:<storage> {state = "pending" | "done" | "dead", action, want, done, attempt, since, due, busy, lease, next, dlq,
--     chain, error}; `busy`: until then one caller has the pair; `next`: its score in the set of due deliveries
--   w:<entry> {required, push, count}: a run whose egress waits for its required storages
--   x:<id>: pushes or a dead letter that must still be carried out
local function load_deliveries(key)
  local state = { key = key, pairs = {}, waiting = {}, boxes = {} }
  local fields = redis.call('HGETALL', key)
  for at = 1, #fields, 2 do
    local kind, name = string.sub(fields[at], 1, 2), string.sub(fields[at], 3)
    if kind == 's:' then state.pairs[name] = cjson.decode(fields[at + 1]) end
    if kind == 'w:' then state.waiting[name] = fields[at + 1] end
    if kind == 'x:' then state.boxes[name] = fields[at + 1] end
  end
  return state
end

local function save_pair(state, storage)
  redis.call('HSET', state.key, 's:' .. storage, cjson.encode(state.pairs[storage]))
end

-- A score no former registration of the pair had, so that removing an old one never removes this one.
local function register(pair, at)
  if pair.next == at then at = at + 1 end
  pair.next = at
end

-- Writes down in meta how much is unfinished; that many things keep the document from expiring.
local function count_open(state, meta)
  local open = 0
  for _, pair in pairs(state.pairs) do
    if pair.state ~= 'done' then open = open + 1 end
  end
  for _ in pairs(state.waiting) do open = open + 1 end
  for _ in pairs(state.boxes) do open = open + 1 end
  if open == 0 then
    redis.call('HDEL', meta, 'open')
  elseif redis.call('EXISTS', meta) == 1 then
    redis.call('HSET', meta, 'open', open)
  end
  return open
end

-- Wants revision `rev` in each storage. Returns {storage, score} for those the caller is to try until `now + lease`;
-- a pair that another caller has in hand is sent again by that caller.
local function want_delivery(state, rev, order, now)
  local mine = {}
  for _, storage in ipairs(order.storages) do
    local pair = state.pairs[storage] or { done = false }
    if pair.state ~= 'pending' or pair.action ~= 'save' then
      pair.since = now
      pair.attempt = 0
      pair.error = nil
    end
    pair.state, pair.action, pair.want = 'pending', 'save', rev
    pair.dlq, pair.chain = order.dlq, order.chain
    if not pair.busy or pair.busy <= now then
      pair.lease = order.lease
      pair.busy = now + order.lease
      pair.due = pair.busy
      register(pair, pair.busy)
      mine[#mine + 1] = { storage, string.format('%.0f', pair.next) }
    end
    state.pairs[storage] = pair
    save_pair(state, storage)
  end
  return mine
end
