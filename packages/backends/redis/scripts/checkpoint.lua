-- Keeps the result of the links done so far.
-- KEYS: 1 meta
-- ARGV: 1 entry, 2 token, 3 checkpoint (JSON)
-- Returns "ok", "lost" or "gone".
redis.call('HDEL', KEYS[1], '') -- the first write frees, so the script also runs at maxmemory
local facts = redis.call('HMGET', KEYS[1], 'gone', 't:' .. ARGV[1])
if facts[1] then return 'gone' end
if facts[2] ~= ARGV[2] then return 'lost' end
redis.call('HSET', KEYS[1], 'c:' .. ARGV[1], ARGV[3])
return 'ok'
