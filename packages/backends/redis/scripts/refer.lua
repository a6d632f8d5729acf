-- Notes that uuids are about to be appended to a list that workers consume; intake, so the first write may be refused.
-- KEYS, three per uuid: document, meta, deliveries
-- ARGV: 1 list
-- Returns 1.
for at = 1, #KEYS, 3 do
  redis.call('HINCRBY', KEYS[at + 1], 'q:' .. ARGV[1], 1)
  redis.call('PERSIST', KEYS[at])
  redis.call('PERSIST', KEYS[at + 1])
  redis.call('PERSIST', KEYS[at + 2])
end
return 1
