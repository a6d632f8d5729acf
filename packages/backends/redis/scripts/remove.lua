-- Deletes a working copy and leaves a tombstone; storages get a delivery that deletes.
-- KEYS: 1 document, 2 meta, 3 deliveries, 4 submitter
-- ARGV: 1 life of the tombstone (ms), 2... storages
-- Returns {1 when there was a working copy or a delivery, old terms (JSON), {storage, score}...}.
--@include now
--@include deliveries
local existed = redis.call('DEL', KEYS[1]) == 1
local now = now_ms()
local facts = redis.call('HMGET', KEYS[2], 'rev', 'floor', 'terms')
local floor = math.max(facts[1] or 0, facts[2] or 0) + 1
local former = load_deliveries(KEYS[3])
redis.call('DEL', KEYS[3], KEYS[4])
-- runs under way keep their tokens: they end as deleted, also when the vCon is submitted again before they do
for _, field in ipairs(redis.call('HKEYS', KEYS[2])) do
  if string.sub(field, 1, 2) ~= 't:' then redis.call('HDEL', KEYS[2], field) end
end
redis.call('HSET', KEYS[2], 'gone', 1, 'floor', string.format('%.0f', floor))
redis.call('PEXPIRE', KEYS[2], ARGV[1])

local state = { key = KEYS[3], pairs = {}, waiting = {}, boxes = {} }
local reply = {}
for at = 2, #ARGV do
  local storage = ARGV[at]
  local pair = former.pairs[storage] or { done = false, dlq = '', chain = '' }
  pair.state, pair.action, pair.want, pair.since, pair.attempt, pair.error = 'pending', 'delete', 'delete', now, 0, nil
  pair.due = math.max(pair.busy or 0, now)
  register(pair, pair.due)
  state.pairs[storage] = pair
  save_pair(state, storage)
  reply[#reply + 1] = { storage, string.format('%.0f', pair.next) }
end
count_open(state, KEYS[2])
return { (existed or next(former.pairs) ~= nil) and 1 or 0, facts[3] or '[]', unpack(reply) }
