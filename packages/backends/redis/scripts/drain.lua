-- Carries out one write on one key although Redis is at maxmemory: what drains must not be refused.
-- KEYS: 1 key
-- ARGV: 1 command, 2... its arguments after the key
-- Returns the command's reply.
redis.call('PERSIST', KEYS[1]) -- a write that needs no memory; after it Redis no longer checks
return redis.call(ARGV[1], KEYS[1], unpack(ARGV, 2))
