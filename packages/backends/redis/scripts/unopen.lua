-- Takes back the opening of an untouched run, so that its entry waits in its list again.
-- KEYS: 1 meta
-- ARGV: 1 entry, 2 token, 3 list
-- Returns "head", "later" when there is a checkpoint to keep, or "lost".
redis.call('HDEL', KEYS[1], '') -- the first write frees, so the script also runs at maxmemory
if redis.call('HGET', KEYS[1], 't:' .. ARGV[1]) ~= ARGV[2] then return 'lost' end
if redis.call('HEXISTS', KEYS[1], 'c:' .. ARGV[1]) == 1 then return 'later' end
redis.call('HDEL', KEYS[1], 't:' .. ARGV[1])
redis.call('HINCRBY', KEYS[1], 'q:' .. ARGV[3], 1)
return 'head'
