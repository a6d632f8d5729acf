-- Keeps the leases of an owner on one list alive.
-- KEYS: 1 owners
-- ARGV: 1 owner, 2 lease (ms)
-- Returns 1.
--@include now
--@include owners
redis.call('ZREM', KEYS[1], '') -- the first write frees, so the script also runs at maxmemory
keep_owner(KEYS[1], ARGV[1], now_ms(), tonumber(ARGV[2]))
return 1
