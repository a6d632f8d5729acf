-- Removes every trace of runs whose entries no longer exist.
-- KEYS: meta of each
-- ARGV: entry of each
-- Returns 1.
for at = 1, #ARGV do redis.call('HDEL', KEYS[at], 't:' .. ARGV[at], 'o:' .. ARGV[at], 'c:' .. ARGV[at]) end
return 1
