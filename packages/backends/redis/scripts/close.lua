-- Closes committed runs after their outbox has been carried out, and starts what expiry they asked for.
-- KEYS, three per run: document, meta, deliveries
-- ARGV, two per run: entry, chain whose dead letter this run has made good ("" for none)
-- Returns 1.
--@include expiry
for at = 0, #ARGV / 2 - 1 do
  local document, meta, deliveries = KEYS[at * 3 + 1], KEYS[at * 3 + 2], KEYS[at * 3 + 3]
  redis.call('HDEL', meta, 'o:' .. ARGV[at * 2 + 1]) -- frees first, so the script also runs at maxmemory
  if ARGV[at * 2 + 2] ~= '' then redis.call('HDEL', meta, 'dead:' .. ARGV[at * 2 + 2]) end
  apply_expiry(document, meta, deliveries)
end
return 1
