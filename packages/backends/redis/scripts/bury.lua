-- Appends dead letters, each once.
-- KEYS: 1 dead-letter list, 2 records
-- ARGV, three per letter: id, uuid, record (JSON)
-- Returns how many were new. A record is written only when its entry is: one without the other would never be seen.
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'none' and kind ~= 'list' then
  return redis.error_reply('WRONGTYPE the dead-letter list ' .. KEYS[1] .. ' holds another type of value (' .. kind .. ')')
end
redis.call('HDEL', KEYS[2], '') -- the first write frees, so the script also runs at maxmemory
local count = 0
for at = 1, #ARGV, 3 do
  local id, uuid = ARGV[at], ARGV[at + 1]
  if redis.call('HSETNX', KEYS[2], 'r:' .. id, ARGV[at + 2]) == 1 then
    local others = redis.call('HGET', KEYS[2], 'u:' .. uuid)
    redis.call('HSET', KEYS[2], 'u:' .. uuid, others and (others .. ' ' .. id) or id)
    redis.call('RPUSH', KEYS[1], uuid)
    count = count + 1
  end
end
return count
