-- Makes entries that an owner holds without knowing it due at once.
-- KEYS: 1 runs, 2 parked, 3 later
-- ARGV: 1 owner, 2... tokens the owner knows of
-- Returns how many entries were given back.
--@include runs
redis.call('ZREM', KEYS[3], '') -- the first write frees, so the script also runs at maxmemory
local known = {}
for at = 2, #ARGV do known[ARGV[at]] = true end
local count = 0
local leases = redis.call('HGETALL', KEYS[1])
for at = 1, #leases, 2 do
  local token, owner, attempt, deaths, _, uuid = unpack_run(leases[at + 1])
  if owner == ARGV[1] and not known[token] then
    redis.call('HDEL', KEYS[1], leases[at])
    redis.call('HSET', KEYS[2], leases[at], attempt .. ' ' .. deaths .. ' ' .. uuid)
    redis.call('ZADD', KEYS[3], 0, leases[at])
    count = count + 1
  end
end
return count
