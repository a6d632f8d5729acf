-- Removes what is left of runs whose entries no longer exist.
-- KEYS: meta of each
-- ARGV, two per run: the fields of its token and of its checkpoint
-- Returns 1.
for at = 1, #KEYS do redis.call('HDEL', KEYS[at], ARGV[at * 2 - 1], ARGV[at * 2]) end
return 1
