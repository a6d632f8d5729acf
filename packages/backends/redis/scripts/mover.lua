-- Gives one caller at a time the right to move dead letters of a list, or takes it back.
-- KEYS: 1 records, 2 mover
-- ARGV: 1 caller, 2 how long it lasts without being renewed (ms), 0 gives it back
-- Returns 1 when the caller has it now, else 0.
redis.call('HDEL', KEYS[1], '') -- the first write frees, so the script also runs at maxmemory
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[2])
  return 0
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return 1
