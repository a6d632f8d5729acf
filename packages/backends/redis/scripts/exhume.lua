-- Takes entries from a dead-letter list into the list of those under way back.
-- KEYS: 1 dead-letter list, 2 records, 3 moving
-- ARGV, two per entry: uuid, id of its record or ""
-- Returns per entry the packed item "<id or -> <uuid>" in moving, or "" when it is no longer there.
redis.call('HDEL', KEYS[2], '') -- the first write frees, so the script also runs at maxmemory
local reply = {}
for at = 1, #ARGV, 2 do
  local uuid, id = ARGV[at], ARGV[at + 1]
  local item = ''
  if redis.call('LREM', KEYS[1], 1, uuid) == 1 then
    item = (id == '' and '-' or id) .. ' ' .. uuid
    redis.call('RPUSH', KEYS[3], item)
  end
  reply[#reply + 1] = item
end
return reply
