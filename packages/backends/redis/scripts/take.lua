-- Hands due deliveries to a caller.
-- KEYS, two per delivery: meta, deliveries
-- ARGV, two per delivery: storage, lease (ms)
-- Returns per delivery {"take", score, action, attempt, since, dlq, chain, box id, box...} with the boxes of the
--   document that were not carried out, {"busy", score, box id, box...} or {"stale", box id, box...}.
--@include now
--@include deliveries
redis.call('HDEL', KEYS[2], '') -- the first write frees, so the script also runs at maxmemory
local now = now_ms()
local reply = {}
for at = 0, #ARGV / 2 - 1 do
  local storage, lease = ARGV[at * 2 + 1], tonumber(ARGV[at * 2 + 2])
  local state = load_deliveries(KEYS[at * 2 + 2])
  local pair = state.pairs[storage]
  local result
  if not pair or pair.state ~= 'pending' then
    result = { 'stale' }
  elseif (pair.busy and pair.busy > now) or pair.due > now then
    result = { 'busy', string.format('%.0f', pair.next) }
  else
    pair.lease, pair.busy, pair.due = lease, now + lease, now + lease
    register(pair, pair.busy)
    save_pair(state, storage)
    result = {
      'take', string.format('%.0f', pair.next), pair.action, pair.attempt, string.format('%.0f', pair.since),
      pair.dlq, pair.chain,
    }
  end
  for id, box in pairs(state.boxes) do
    result[#result + 1] = id
    result[#result + 1] = box
  end
  reply[#reply + 1] = result
end
return reply
