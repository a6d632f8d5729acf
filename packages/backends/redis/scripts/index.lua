-- Writes down under which index a document is found.
-- KEYS: 1 document, 2 meta
-- ARGV: 1 created, 2 terms (JSON)
-- Returns the former terms (JSON), or nil when there is no document.
if redis.call('EXISTS', KEYS[1]) == 0 then return nil end
local former = redis.call('HGET', KEYS[2], 'terms')
redis.call('HSET', KEYS[2], 'created', ARGV[1], 'terms', ARGV[2])
local left = redis.call('PTTL', KEYS[1])
if left > 0 then redis.call('PEXPIRE', KEYS[2], left + 60000) end
return former or '[]'
