-- Takes a deleted vCon out of a list, dead letters with their records, unless looking through the list takes too long.
-- KEYS: 1 list, 2 records of the list if it is one of dead letters
-- ARGV: 1 uuid, 2 most entries to look through
-- Returns how many entries were taken out. What stays is dropped when it is taken.
if redis.call('TYPE', KEYS[1]).ok ~= 'list' then return 0 end
if redis.call('LLEN', KEYS[1]) > tonumber(ARGV[2]) then return 0 end
local ids = redis.pcall('HGET', KEYS[2], 'u:' .. ARGV[1])
if type(ids) == 'string' then
  for id in string.gmatch(ids, '%S+') do redis.call('HDEL', KEYS[2], 'r:' .. id) end
  redis.call('HDEL', KEYS[2], 'u:' .. ARGV[1])
end
return redis.call('LREM', KEYS[1], 0, ARGV[1])
