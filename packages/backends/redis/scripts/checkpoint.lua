-- Keeps the result of the links done so far.
-- KEYS: 1 meta, 2 run
-- ARGV: 1 entry, 2 token, 3 checkpoint (JSON)
-- Returns "ok", "lost" or "gone".
redis.call('HDEL', KEYS[2], '') -- the first write frees, so the script also runs at maxmemory
if redis.call('HEXISTS', KEYS[1], 'gone') == 1 then return 'gone' end
if redis.call('HGET', KEYS[2], 't:' .. ARGV[1]) ~= ARGV[2] then return 'lost' end
redis.call('HSET', KEYS[2], 'c:' .. ARGV[1], ARGV[3])
return 'ok'
