-- Ends leases of one list without ending the entries.
-- KEYS: 1 list, 2 runs, 3 parked, 4 later, 5 suspects
-- ARGV, five per entry: entry, token, "later" or "head" or "suspect", delay (ms), failed tries ("" leaves them)
-- Returns per entry 1, or 0 when the lease has moved on.
--@include now
--@include runs
redis.call('ZREM', KEYS[4], '') -- the first write frees, so the script also runs at maxmemory
local now = now_ms()
local reply = {}
for at = 1, #ARGV, 5 do
  local entry = ARGV[at]
  local packed = redis.call('HGET', KEYS[2], entry)
  local token, attempt, deaths, uuid, _
  if packed then token, _, attempt, deaths, _, uuid = unpack_run(packed) end
  if token ~= ARGV[at + 1] then
    reply[#reply + 1] = 0
  else
    redis.call('HDEL', KEYS[2], entry)
    if ARGV[at + 4] ~= '' then attempt = ARGV[at + 4] end
    if ARGV[at + 2] == 'head' then
      redis.call('LPUSH', KEYS[1], uuid)
    else
      redis.call('HSET', KEYS[3], entry, attempt .. ' ' .. deaths .. ' ' .. uuid)
      if ARGV[at + 2] == 'later' then
        redis.call('ZADD', KEYS[4], now + ARGV[at + 3], entry)
      else
        redis.call('ZADD', KEYS[5], now, entry)
      end
    end
    reply[#reply + 1] = 1
  end
end
return reply
