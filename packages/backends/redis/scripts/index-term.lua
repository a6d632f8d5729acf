-- Adds a uuid to the set of a term, which expires when nobody writes it for long.
-- KEYS: 1 set
-- ARGV: 1 uuid, 2 expiry (ms)
-- Returns 1.
redis.call('SREM', KEYS[1], '') -- the first write frees, so the script also runs at maxmemory
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
