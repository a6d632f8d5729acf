-- Makes a delivery that was given up due again.
-- KEYS: 1 meta, 2 deliveries
-- ARGV: 1 storage
-- Returns the score for the set of due deliveries, or 0 when there is no such delivery.
--@include now
--@include deliveries
redis.call('HDEL', KEYS[2], '') -- the first write frees, so the script also runs at maxmemory
local state = load_deliveries(KEYS[2])
local pair = state.pairs[ARGV[1]]
if not pair or pair.state == 'done' then return '0' end
if pair.state == 'dead' then
  local now = now_ms()
  pair.state, pair.attempt, pair.since, pair.due = 'pending', 0, now, now
  register(pair, now)
  save_pair(state, ARGV[1])
  count_open(state, KEYS[1])
end
return string.format('%.0f', pair.next)
