-- Sets or drops scores in a shard of the set of due deliveries.
-- KEYS: 1 shard
-- ARGV, three per member: "set" or "drop", member, score; dropped only if it still has this score
-- Returns 1.
redis.call('ZREM', KEYS[1], '') -- the first write frees, so the script also runs at maxmemory
for at = 1, #ARGV, 3 do
  if ARGV[at] == 'set' then
    redis.call('ZADD', KEYS[1], ARGV[at + 2], ARGV[at + 1])
  else
    local score = redis.call('ZSCORE', KEYS[1], ARGV[at + 1])
    if score and tonumber(score) == tonumber(ARGV[at + 2]) then redis.call('ZREM', KEYS[1], ARGV[at + 1]) end
  end
end
return 1
