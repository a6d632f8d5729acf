-- Makes a delivery that was given up due again. One that is not known any more is wanted anew: it is delivered where
-- there is a document, and a dead letter with the reason again where there is none.
-- KEYS: 1 meta, 2 deliveries
-- ARGV: 1 storage, 2 chain, 3 its dead-letter list
-- Returns the score for the set of due deliveries, or 0 when there is nothing to deliver (done, or deleted on purpose).
--@include now
--@include deliveries
redis.call('HDEL', KEYS[2], '') -- the first write frees, so the script also runs at maxmemory
local state = load_deliveries(KEYS[2])
local facts = redis.call('HMGET', KEYS[1], 'rev', 'gone')
local pair = state.pairs[ARGV[1]]
if facts[2] or (pair and pair.state == 'done') then return '0' end
if not pair then
  pair = { state = 'dead', action = 'save', want = tonumber(facts[1]) or 1, done = false, busy = false }
  pair.chain, pair.dlq = ARGV[2], ARGV[3]
  state.pairs[ARGV[1]] = pair
end
if pair.state == 'dead' then
  local now = now_ms()
  pair.state, pair.attempt, pair.since, pair.due = 'pending', 0, now, now
  register(pair, now)
  save_pair(state, ARGV[1])
  count_open(state, KEYS[1])
end
return string.format('%.0f', pair.next)
