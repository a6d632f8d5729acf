-- Puts a working copy back that a storage returned, if there is none; intake, so the first write is refused at
-- maxmemory.
-- KEYS: 1 document, 2 meta, 3 deliveries
-- ARGV: 1 bytes, 2 created, 3 terms (JSON), 4 expiry (ms)
-- Returns 1, or 0 when there is a working copy or the vCon was deleted.
--@include expiry
local facts = redis.call('HMGET', KEYS[2], 'rev', 'gone', 'floor', 'open')
if facts[2] or redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
local rev = facts[1] or string.format('%.0f', (facts[3] or 0) + 1)
redis.call('HSET', KEYS[2], 'rev', rev, 'created', ARGV[2], 'terms', ARGV[3], 'ttl', ARGV[4])
redis.call('HDEL', KEYS[2], 'until')
redis.call('PERSIST', KEYS[2])
redis.call('PERSIST', KEYS[3])
apply_expiry(KEYS[1], KEYS[2], KEYS[3])
return 1
