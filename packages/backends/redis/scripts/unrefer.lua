-- Notes that uuids were taken from a list by a client.
-- KEYS, three per uuid: document, meta, deliveries
-- ARGV: 1 list
-- Returns per uuid 1 when the vCon was deleted, else 0.
--@include expiry
redis.call('HDEL', KEYS[2], '') -- the first write frees, so the script also runs at maxmemory
local reply = {}
for at = 1, #KEYS, 3 do
  local meta = KEYS[at + 1]
  local waiting = redis.call('HGET', meta, 'q:' .. ARGV[1])
  if waiting then
    if tonumber(waiting) > 1 then
      redis.call('HINCRBY', meta, 'q:' .. ARGV[1], -1)
    else
      redis.call('HDEL', meta, 'q:' .. ARGV[1])
    end
    apply_expiry(KEYS[at], meta, KEYS[at + 2])
  end
  reply[#reply + 1] = redis.call('HEXISTS', meta, 'gone')
end
return reply
