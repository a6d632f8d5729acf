-- Adds to one key although Redis is at maxmemory: what drains must not be refused.
-- KEYS: 1 list, set or sorted set
-- ARGV: 1 RPUSH, SADD or ZADD, 2... its arguments after the key
-- Returns the command's reply.
-- The first write takes nothing away and needs no memory; after it Redis no longer checks.
local key = KEYS[1]
if ARGV[1] == 'RPUSH' then
  redis.call('LTRIM', key, 0, -1)
elseif ARGV[1] == 'SADD' then
  redis.call('SREM', key, '')
else
  redis.call('ZREM', key, '')
end
return redis.call(ARGV[1], key, unpack(ARGV, 2))
