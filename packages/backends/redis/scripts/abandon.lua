-- Takes all leases of a dead owner on one list away.
-- KEYS: 1 runs, 2 parked, 3 suspects, 4 owners
-- ARGV: 1 owner
-- Returns how many entries became suspects.
--@include now
--@include runs
redis.call('ZREM', KEYS[4], ARGV[1]) -- the first write frees, so the script also runs at maxmemory
return suspect_all(KEYS[1], KEYS[2], KEYS[3], { [ARGV[1]] = true }, now_ms())
